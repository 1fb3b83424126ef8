"""Reading an event stream from a raw socket, with the time at which each frame came."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from bench.figures import NotMeasured


@dataclass(frozen=True, slots=True)
class Frame:
    """One event. ``at``: when its last byte was read, nanoseconds since the epoch."""

    at: int
    id: str
    event: str
    data: bytes

    def fields(self) -> dict[str, Any]:
        """The data as an object."""
        value: dict[str, Any] = json.loads(self.data)
        return value


class Decoder:
    """Turns what a socket gives, piece by piece, into frames."""

    def __init__(self) -> None:
        self.status = 0
        self._raw = b""
        self._body = b""
        self._chunked = False
        self._ended = False

    def feed(self, data: bytes, at: int) -> Iterator[Frame]:
        """The frames that are complete with this piece."""
        self._raw += data
        if not self.status and not self._head():
            return
        self._unwrap()
        while b"\n\n" in self._body:
            text, _, self._body = self._body.partition(b"\n\n")
            frame = _frame(text, at)
            if frame is not None:
                yield frame

    def _head(self) -> bool:
        head, found, rest = self._raw.partition(b"\r\n\r\n")
        if not found:
            return False
        self.status, self._raw = int(head.split(b" ", 2)[1]), rest
        self._chunked = b"transfer-encoding: chunked" in head.lower()
        return True

    def _unwrap(self) -> None:
        if not self._chunked:
            self._body, self._raw = self._body + self._raw, b""
            return
        while not self._ended:
            size, found, rest = self._raw.partition(b"\r\n")
            length = int(size, 16) if found else 0
            if not found or len(rest) < length + 2:
                return
            self._ended = length == 0
            self._body, self._raw = self._body + rest[:length], rest[length + 2 :]

    @property
    def ended(self) -> bool:
        """Whether the server has said that nothing follows."""
        return self._ended


def _frame(text: bytes, at: int) -> Frame | None:
    fields = dict(line.split(b": ", 1) for line in text.split(b"\n") if b": " in line and line[:1] != b":")
    if b"event" not in fields:
        return None
    return Frame(at, fields.get(b"id", b"").decode(), fields[b"event"].decode(), fields.get(b"data", b""))


class Stream:
    """The event stream of one execution, open from construction until it ends or is closed. ``query``: ``?events=all``
    say."""

    def __init__(self, port: int, execution: str, query: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._decoder = Decoder()
        self._socket.sendall(request(port, execution, query))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def frames(self) -> Iterator[Frame]:
        """Every frame to the end of the stream. Raises NotMeasured where it is refused or nothing comes for 60 s."""
        while not self._decoder.ended:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise NotMeasured("the event stream is silent") from None
            at = time.time_ns()
            if not data:
                return
            yield from self._decoder.feed(data, at)
            if self._decoder.status not in {0, 200}:
                raise NotMeasured(f"the event stream answers {self._decoder.status}")


def request(port: int, execution: str, query: str = "") -> bytes:
    """The request for the stream of an execution."""
    return (
        f"GET /api/executions/{execution}/events{query} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
    ).encode()
