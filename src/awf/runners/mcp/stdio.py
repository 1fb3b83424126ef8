"""A server of tools on standard input and output, for as long as somebody is there who asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys

from awf.engine.cancel import Cancel
from awf.errors import RequestInvalid
from awf.runners.exits import exit_or
from awf.runners.mcp.server import Server, Tools

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of a message; a longer one ends the conversation."""


async def serve(tools: Tools) -> None:
    """Answer until standard input ends, the process that started us does, or SIGTERM or SIGINT comes; nothing runs on then.

    What anybody prints goes to standard error: standard output is the protocol's. Raises RequestInvalid where there are no
    pipes."""
    if not all(map(_is_pipe, (sys.stdin.fileno(), sys.stdout.fileno()))):
        raise RequestInvalid(
            "awf mcp-serve speaks with the tool of an agent, by pipes on standard input and output"
        )
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    loop, stop = asyncio.get_running_loop(), Cancel()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reader = asyncio.StreamReader(LONGEST_LINE, loop)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(output, "wb", buffering=0)
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    server = Server(tools, writer.write)
    watching = asyncio.ensure_future(_parent_gone(stop))
    reading = asyncio.ensure_future(_read(reader, server))
    reading.add_done_callback(lambda _: stop.set())
    await stop.wait()
    for task in (reading, watching):
        task.cancel()
    await server.close()
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        await asyncio.wait_for(writer.drain(), 1)
    transport.abort()


def _is_pipe(fd: int) -> bool:
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def _read(reader: asyncio.StreamReader, server: Server) -> None:
    with contextlib.suppress(ValueError, OSError):  # too long a line; a pipe that broke
        while line := await reader.readline():
            server.receive(line)


async def _parent_gone(stop: Cancel) -> None:
    """Somebody else may hold the other end of our input open; the process that started us is what counts."""
    parent = os.getppid()
    with contextlib.suppress(ProcessLookupError):
        pidfd = os.pidfd_open(parent)
        try:
            if os.getppid() == parent:
                await exit_or(pidfd, stop, None)
        finally:
            os.close(pidfd)
    stop.set()
