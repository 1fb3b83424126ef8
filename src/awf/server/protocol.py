"""HTTP/1.1 by httptools, with the same problem shape for requests that cannot even be parsed."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from awf.server.problems import Refused, answer

LARGEST_HEAD = 64 * 1024
"""Bytes that a request may have before its body."""


class Protocol(HttpToolsProtocol):
    """uvicorn's, except for the answer to what is not HTTP, and a bound on what comes before a body."""

    _head_open = True
    _head_size = 0

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head_open, self._head_size = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its body begins."""
        self._head_open = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes came; a head that does not end is refused before it fills the memory."""
        super().data_received(data)
        if self._head_open and not self.transport.is_closing():
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD:
                self.send_400_response(f"the request's headers are over {LARGEST_HEAD} bytes")

    def send_400_response(self, msg: str) -> None:
        made = answer(Refused(400, msg, headers={"connection": "close"}), method="?", path="?")
        head = [STATUS_LINE[400]]
        for name, value in [*self.server_state.default_headers, *made.raw_headers()]:
            head += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join([*head, b"\r\n", made.body]))
        self.transport.close()
