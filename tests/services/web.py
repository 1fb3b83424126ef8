"""A web server on loopback that does what a test says, also what no good server does."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CERTIFICATE = Path(__file__).with_name("tls.pem")
"""A key and its certificate, for api.example.com, signed by itself; of no use to anybody else."""

Act = Callable[["Call"], None]


@dataclass
class Call:
    """A request that has arrived, and how to answer it."""

    handler: BaseHTTPRequestHandler
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def answer(
        self,
        status: int = 200,
        body: bytes | str | dict[str, Any] | list[Any] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A whole response; of a value, JSON."""
        given = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            given.setdefault("Content-Type", "application/json")
        data = body.encode() if isinstance(body, str) else body
        self.handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **given}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        if self.method != "HEAD":
            self.raw(data)

    def raw(self, data: bytes) -> None:
        """Bytes, as they are."""
        try:
            self.handler.wfile.write(data)
            self.handler.wfile.flush()
        except OSError:
            self.hung_up.set()

    def wait_hung_up(self) -> None:
        """Until the client closes the connection."""
        self.handler.connection.settimeout(30)
        try:
            gone = self.handler.connection.recv(1) == b""
        except ConnectionError:
            gone = True
        if gone:
            self.hung_up.set()


class Service:
    """``calls`` in the order of arrival. ``on`` says what a path does; other paths answer 404."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self.arrived = threading.Condition()
        self._acts: dict[str, Act] = {}
        self._otherwise: Act = lambda call: call.answer(404)
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                call = Call(
                    self, self.command, self.path, dict(self.headers.items()), self.rfile.read(length)
                )
                with service.arrived:
                    service.calls.append(call)
                    service.arrived.notify_all()
                service._acts.get(self.path.partition("?")[0], service._otherwise)(call)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server((host, 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def on(self, path: str, act: Act) -> None:
        self._acts[path] = act

    def otherwise(self, act: Act) -> None:
        """What every other path does."""
        self._otherwise = act

    def answers(self, path: str, *args: Any, **more: Any) -> None:
        """A path that always answers the same."""
        self.on(path, lambda call: call.answer(*args, **more))

    def wait_call(self, number: int = 1) -> Call:
        """The call of that number, once it has come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.calls) >= number, 30), "nobody called"
        return self.calls[number - 1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def tls() -> ssl.SSLContext:
    """What a server for api.example.com has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@contextmanager
def service(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """A server for the time of a test."""
    running = Service(host, tls)
    try:
        yield running
    finally:
        running.close()
