"""The floor of accepting: a bare asyncio server that answers once a record is durable: ``FILE``.

One thread writes; whatever came while it wrote shares the next write and the next ``fdatasync``. Says its port.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from functools import partial
from queue import SimpleQueue

from bench.floor import RECORD
from bench.peers import say

BODY = b'{"body":{"execution_id":"00000000-0000-4000-8000-000000000000","status":"accepted"}}'
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)

Queue = SimpleQueue[asyncio.Transport]


class Connection(asyncio.Protocol):
    """Queues every POST; answers everything else at once."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        assert self._transport is not None
        if self._data.endswith(b"\r\n\r\n{}"):
            self._data = b""
            self._queue.put(self._transport)
        elif self._data.startswith(b"GET") and self._data.endswith(b"\r\n\r\n"):
            self._data = b""
            self._transport.write(ANSWER)


def write(queue: Queue, path: str, loop: asyncio.AbstractEventLoop) -> None:
    """Make durable what has come, then answer it; for ever."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        waiting = [queue.get()]
        while not queue.empty():
            waiting.append(queue.get())
        os.write(log, RECORD * len(waiting))
        os.fdatasync(log)
        loop.call_soon_threadsafe(partial(answer, waiting))


def answer(transports: list[asyncio.Transport]) -> None:
    """Say 202 to all."""
    for transport in transports:
        transport.write(ANSWER)


async def main() -> None:
    queue: Queue = SimpleQueue()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(queue), "127.0.0.1", 0)
    threading.Thread(target=write, args=(queue, sys.argv[1], loop), daemon=True).start()
    say(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
