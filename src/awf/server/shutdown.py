"""Running the server, and leaving in order.

On the first SIGTERM or SIGINT the gate closes: every new request, on whatever connection, gets 503, while the listener
stays open and streams go on. The server leaves when the last one inside has gone, or after the drain time, which ends
the streams. A second signal leaves at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence

import uvicorn
import uvloop

from awf.server.app import Application
from awf.server.protocol import Protocol

loop_factory = uvloop.new_event_loop
"""The event loop to run :func:`serve` on."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_KEEP_ALIVE = 75
_LAST_WORDS = 1.0


async def serve(
    app: Application, sockets: Sequence[socket.socket], *, on_drain: Callable[[], None] | None = None
) -> None:
    """Serve until a signal says to stop, then drain and return. Must run in the main thread for signals to be heard.

    ``on_drain`` is called once, when the first signal has come.
    """
    await _Server(app, on_drain).serve(list(sockets))


class _Server(uvicorn.Server):
    def __init__(self, app: Application, on_drain: Callable[[], None] | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE,
            )
        )
        self._app = app
        self._on_drain = on_drain
        self._draining: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _signalled(self) -> None:
        if self._draining is None:
            self._app.gate.close()
            self._draining = asyncio.create_task(self._drain())
            if self._on_drain is not None:
                self._on_drain()
        else:
            self._draining.cancel()
            self.force_exit = True
            self.should_exit = True

    async def _drain(self) -> None:
        await self._app.gate.wait_empty(self._app.settings.drain)
        self._app.feeds.close()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for bound in sockets or []:
            bound.close()
        self._app.feeds.close()
        connections = self.server_state.connections
        for connection in list(connections):
            connection.shutdown()
        if not self.force_exit:
            await self._app.gate.wait_empty(_LAST_WORDS)
        for connection in list(connections):
            connection.transport.abort()
        await self._app.gate.wait_empty(_LAST_WORDS)
