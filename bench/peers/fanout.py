"""The floor of the viewers: a server that does nothing but write: ``COUNT PAUSE_MS``.

Reads the texts to write as a line, says its port, waits for COUNT viewers, writes one text after another to all of
them, PAUSE_MS apart, and says when it began to write each.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.peers import say

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


class Connection(asyncio.Protocol):
    """Joins the others once its request has come."""

    def __init__(self, joined: list[asyncio.Transport], full: asyncio.Event, count: int) -> None:
        self._joined, self._full, self._count = joined, full, count
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n") and self._transport is not None:
            self._transport.write(HEAD)
            self._joined.append(self._transport)
            if len(self._joined) == self._count:
                self._full.set()


async def main() -> None:
    count, pause = int(sys.argv[1]), int(sys.argv[2]) / 1000
    texts = [text.encode() for text in json.loads(sys.stdin.readline())]
    joined: list[asyncio.Transport] = []
    full = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(joined, full, count), "127.0.0.1", 0, backlog=count)
    say(server.sockets[0].getsockname()[1])
    await full.wait()
    stamps = []
    for text in texts:
        await asyncio.sleep(pause)
        stamps.append(time.time_ns())
        for transport in joined:
            transport.write(text)
    for transport in joined:
        transport.close()
    say(stamps)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
