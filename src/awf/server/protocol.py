"""HTTP/1.1 by httptools, with the same problem shape for requests that cannot even be parsed."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from awf.server.problems import Refused, answer


class Protocol(HttpToolsProtocol):
    """uvicorn's, except for the answer to what is not HTTP."""

    def send_400_response(self, msg: str) -> None:
        made = answer(Refused(400, msg, headers={"connection": "close"}), method="?", path="?")
        head = [STATUS_LINE[400]]
        for name, value in [*self.server_state.default_headers, *made.raw_headers()]:
            head += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join([*head, b"\r\n", made.body]))
        self.transport.close()
