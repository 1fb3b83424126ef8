"""A client of the API on one kept-alive connection, thin enough not to be what is measured."""

from __future__ import annotations

import http.client
import json
import re
import socket
from dataclasses import dataclass
from typing import Any

from bench.figures import NotMeasured
from bench.sse import Frame, Stream


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said. ``next_page``: the path of the ``Link`` header, if any."""

    status: int
    body: bytes
    next_page: str | None


class Client:
    """Talks to the server at ``port`` on this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request."""
        headers = {"Content-Type": "application/json"} if body else {}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        link = re.match(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        return Answer(answer.status, answer.read(), link[1] if link else None)

    def get(self, path: str) -> dict[str, Any]:
        """The ``body`` of an answer. Raises NotMeasured where it is not 200."""
        answer = self.answer("GET", path)
        if answer.status != 200:
            raise NotMeasured(f"GET {path} answers {answer.status}: {answer.body[:300]!r}")
        body: dict[str, Any] = json.loads(answer.body)["body"]
        return body

    def run(self, workflow: str) -> str:
        """The id of a new execution. Raises NotMeasured where it is not accepted."""
        answer = self.answer("POST", f"/api/workflows/{workflow}/run", b"{}")
        if answer.status != 202:
            raise NotMeasured(f"running {workflow} answers {answer.status}: {answer.body[:300]!r}")
        execution: str = json.loads(answer.body)["body"]["execution_id"]
        return execution

    def watch(self, execution: str) -> list[Frame]:
        """All frames of an execution's stream, once it has ended. Raises NotMeasured where it has not completed."""
        with Stream(self.port, execution) as stream:
            frames = list(stream.frames())
        if not frames or frames[-1].event != "workflow.completed":
            last = frames[-1].data if frames else b"nothing"
            raise NotMeasured(f"the execution ended in {last[:300]!r}")
        return frames
