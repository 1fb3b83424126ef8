"""What a server and its engine cost while nothing happens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from bench.context import Context
from bench.figures import Figure
from bench.processes import processor_time, proportional_memory
from bench.server import Server, pause
from bench.workflows import sequence


def measure(context: Context) -> Iterator[Figure]:
    """After a little of everything has been asked for, so that whatever is loaded late is loaded."""
    seconds = context.many(8, 4)
    with context.server("idle", {"one": sequence("one", ["echo hello"])}) as server:
        _use(server)
        pause(1.5)
        engine = server.wait_for_engine()
        memory = [proportional_memory(pid) / 1e6 for pid in (server.pid, engine)]
        before = processor_time(server.pid) + processor_time(engine)
        pause(seconds)
        spent = processor_time(server.pid) + processor_time(engine) - before
    yield Figure(
        what="idle memory of both processes",
        value=sum(memory),
        unit="MB",
        floor=2 * _bare_memory(),
        floor_is="two bare Python interpreters",
        limit=120.0,
        of=f"PSS; server {memory[0]:.1f}, engine {memory[1]:.1f}",
    )
    yield Figure(
        what="idle processor use of both processes",
        value=spent / seconds / 1e9 * 100,
        unit="%",
        of=f"of one core, over {seconds} s",
    )


def _use(server: Server) -> None:
    client = server.client()
    for _ in range(20):
        client.watch(client.run("one"))
    for path in ("/api/workflows", "/api/executions", "/api/history", "/api/history/stats"):
        client.get(path)
    for path in ("/openapi.json", "/openapi.yaml", "/docs"):
        client.answer("GET", path)


def _bare_memory() -> float:
    """Megabytes of an interpreter that only waits."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        memory = proportional_memory(process.pid) / 1e6
        process.kill()
    return memory
