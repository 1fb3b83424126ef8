FROM docker.io/library/python:3.12-slim
RUN useradd --uid 1000 --create-home awf && install -d -o awf -g awf /project
WORKDIR /opt/awf
COPY requirements requirements
RUN python -m venv /opt/venv
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements/run.lock
COPY . .
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /project
USER 1000:1000
EXPOSE 2511
ENTRYPOINT ["awf"]
CMD ["serve", "--host", "0.0.0.0"]
