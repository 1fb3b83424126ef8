"""The server as a whole, over real sockets: draining, leaving, and what is no HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from awf.journal.events import ExecutionCompleted
from awf.server.address import bind
from awf.server.shutdown import loop_factory, serve
from awf.testing.builders import step_output, step_started
from unit.server.bench import Bench, parse

DONE = ExecutionCompleted(state="done")


class Connection:
    """A plain HTTP/1.1 client that keeps its connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, path: str, method: str = "GET", body: bytes = b"") -> tuple[int, dict[str, str]]:
        """Send a request; the status and the headers of its answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return await self.head()

    async def head(self) -> tuple[int, dict[str, str]]:
        raw = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        status, *lines = raw.decode().strip().split("\r\n")
        return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in lines)

    async def problem(self, headers: dict[str, str]) -> dict[str, Any]:
        assert headers["content-type"] == "application/problem+json"
        found: dict[str, Any] = json.loads(await self.reader.readexactly(int(headers["content-length"])))
        return found

    async def chunk(self) -> bytes:
        """The next piece of a chunked body, empty at its end."""
        size = int(await asyncio.wait_for(self.reader.readline(), 10), 16)
        data = await self.reader.readexactly(size)
        assert await self.reader.readexactly(2) == b"\r\n"
        return data

    async def closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(1), 10) == b""


class Served:
    """A served application."""

    def __init__(self, bench: Bench, port: int, task: asyncio.Task[None]) -> None:
        self.bench = bench
        self.port = port
        self.task = task
        self._connections: list[Connection] = []

    async def connect(self) -> Connection:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        self._connections.append(connection)
        return connection

    async def watch(self, execution: str) -> Connection:
        """A viewer that has had its first event."""
        viewer = await self.connect()
        status, _ = await viewer.ask(f"/api/executions/{execution}/events")
        assert status == 200
        assert parse(await viewer.chunk())[0].name == "step.started"
        return viewer

    async def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal, and wait until the server has begun to drain."""
        os.kill(os.getpid(), number)
        while not self.bench.app.gate.closed:
            await asyncio.sleep(0)

    async def left(self, within: float = 5) -> None:
        """Wait until the server has returned."""
        await asyncio.wait_for(asyncio.shield(self.task), within)

    def close(self) -> None:
        for connection in self._connections:
            connection.writer.close()


@asynccontextmanager
async def serving(bench: Bench) -> AsyncIterator[Served]:
    bound = bind("127.0.0.1", 0)
    drains: list[bool] = []
    task = asyncio.create_task(serve(bench.app, [bound], on_drain=lambda: drains.append(True)))
    served = Served(bench, bound.getsockname()[1], task)
    try:
        status, _ = await (await served.connect()).ask("/api/history/stats")
        assert status == 200
        yield served
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            await served.left()
        served.close()
    assert len(drains) == 1


def over_sockets(test: Callable[[Served], Awaitable[None]]) -> Callable[[Path], None]:
    def run(tmp_path: Path) -> None:
        async def inside() -> None:
            async with serving(Bench(tmp_path, drain=20)) as served:
                await test(served)

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(inside())

    run.__name__ = test.__name__
    return run


async def started(bench: Bench) -> str:
    execution = await bench.run()
    await bench.append(execution, step_started())
    return execution


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_viewers_go_on_while_new_requests_get_503(tmp_path: Path, number: signal.Signals) -> None:
    async def watch(served: Served) -> None:
        execution = await started(served.bench)
        viewer = await served.watch(execution)
        kept = await served.connect()
        status, headers = await kept.ask("/api/history/stats")
        assert status == 200
        await kept.reader.readexactly(int(headers["content-length"]))
        await served.signal(number)
        for connection in (kept, await served.connect()):
            status, headers = await connection.ask("/api/workflows")
            assert (status, headers["connection"]) == (503, "close")
            assert int(headers["retry-after"]) > 0
            assert (await connection.problem(headers))["detail"] == "the server is shutting down"
            assert await connection.closed()
        assert not served.task.done()
        await served.bench.append(execution, step_output(1, "still here"))
        assert parse(await viewer.chunk())[0].data["output"] == "still here"
        await served.bench.append(execution, DONE)
        assert parse(await viewer.chunk())[0].name == "workflow.completed"
        assert await viewer.chunk() == b""
        await served.left()

    over_sockets(watch)(tmp_path)


@over_sockets
async def test_an_idle_server_leaves_at_once_and_its_port_is_free(served: Served) -> None:
    await served.signal()
    await served.left()
    bind("127.0.0.1", served.port).close()


def test_streams_are_ended_when_the_time_is_up(tmp_path: Path) -> None:
    async def inside() -> None:
        async with serving(Bench(tmp_path, drain=0.2)) as served:
            viewer = await served.watch(await started(served.bench))
            await served.signal()
            assert await viewer.chunk() == b""
            assert await viewer.closed()
            await served.left()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(inside())


@over_sockets
async def test_a_second_signal_leaves_at_once(served: Served) -> None:
    viewer = await served.watch(await started(served.bench))
    await served.signal()
    assert not served.task.done()
    await served.signal(signal.SIGINT)
    await served.left(within=2)
    assert await viewer.reader.read() in {b"", b"0\r\n\r\n"}


@over_sockets
async def test_a_viewer_that_reads_nothing_does_not_keep_the_server(served: Served) -> None:
    execution = await started(served.bench)
    viewer = await served.watch(execution)
    viewer.writer.transport.pause_reading()  # type: ignore[attr-defined]
    for _ in range(600):
        await served.bench.append(execution, step_output(1, "x" * 16_000))
    await served.signal()
    await served.signal()
    await served.left(within=5)


@over_sockets
async def test_a_request_in_flight_is_answered_before_the_server_leaves(served: Served) -> None:
    served.bench.workflow()
    connection = await served.connect()
    body = b'{"inputs": {"who": "you"}}'
    head = "POST /api/workflows/hello/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
    while not served.bench.app.gate._inside:
        await asyncio.sleep(0)
    await served.signal()
    connection.writer.write(body[5:])
    status, _ = await connection.head()
    assert status == 202
    await served.left()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"this is no request\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
def test_what_is_no_http_is_400_in_the_same_shape(tmp_path: Path, request_bytes: bytes) -> None:
    async def ask(served: Served) -> None:
        connection = await served.connect()
        connection.writer.write(request_bytes)
        status, headers = await connection.head()
        assert (status, headers["connection"]) == (400, "close")
        problem = await connection.problem(headers)
        assert (problem["status"], problem["title"], problem["code"]) == (
            400,
            "Bad Request",
            "USER.REQUEST.INVALID",
        )
        assert await connection.closed()

    over_sockets(ask)(tmp_path)


@over_sockets
async def test_a_client_that_breaks_off_in_its_body_disturbs_nobody(served: Served) -> None:
    connection = await served.connect()
    head = "POST /api/workflows/hello/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.writer.write(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    while not served.bench.app.gate._inside:
        await asyncio.sleep(0)
    connection.writer.close()
    assert await served.bench.app.gate.wait_empty(5)
    status, _ = await (await served.connect()).ask("/api/history/stats")
    assert status == 200


@over_sockets
async def test_an_upgrade_to_something_else_is_ignored(served: Served) -> None:
    connection = await served.connect()
    connection.writer.write(
        b"GET /api/history/stats HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    status, _ = await connection.head()
    assert status == 200
