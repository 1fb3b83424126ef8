"""A relay between a client and a server that breaks connections."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType


class Relay:
    """Listens on a port of its own and passes bytes on to ``port``. Of what the server says it passes ``allowance`` bytes
    on per connection, then resets it (``abrupt``) or ends it; None: everything. ``cuts`` counts the connections that ended so."""

    def __init__(self, port: int | str, *, allowance: int | None = None, abrupt: bool = True) -> None:
        self.allowance = allowance
        self.cuts = 0
        self._abrupt = abrupt
        self._target = ("127.0.0.1", int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A thread that is in accept() is not woken by close() alone.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def lead_to(self, port: int | str) -> None:
        """Pass new connections on to another port."""
        self._target = ("127.0.0.1", int(port))

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                _reset(client)
                continue
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    @staticmethod
    def _up(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        left = self.allowance
        with suppress(OSError), server:
            while left != 0 and (data := server.recv(65536 if left is None else min(left, 65536))):
                client.sendall(data)
                left = None if left is None else left - len(data)
        if left == 0:
            self.cuts += 1
        if left == 0 and self._abrupt:
            _reset(client)
        else:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()


def _reset(connection: socket.socket) -> None:
    """Close it with a reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()
