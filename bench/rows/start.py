"""From the moment before POST run is sent to the moment at which the first step's command runs, on an idle server."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.context import Context
from bench.figures import Figure, milliseconds, percentile
from bench.workflows import sequence


def measure(context: Context) -> Iterator[Figure]:
    """The step writes the time as its first act; the floor's shell does the same."""
    count = context.many(300, 100)
    fifo = context.fifo("start")
    command = context.floor.stamp(fifo)
    waits, answers = [], []
    with context.server("start", {"one": sequence("one", [command])}) as server:
        client = server.client()
        for number in range(-10, count):
            before = time.time_ns()
            execution = client.run("one")
            answered = time.time_ns()
            stamp = fifo.stamp()
            client.watch(execution)
            if number >= 0:
                waits.append(milliseconds(stamp - before))
                answers.append(milliseconds(answered - before))
    log = context.directory("start") / "log"
    begun = [begin for begin, _ in context.floor.shells(count // 2, command, log=log, sync=True)]
    bare = [milliseconds(stamp - begin) for begin, stamp in zip(begun, fifo.stamps(count // 2), strict=True)]
    for q, limit in ((50, 8.0), (99, 25.0)):
        yield Figure(
            what=f"POST run -> first step's process runs, p{q}",
            value=percentile(waits, q),
            unit="ms",
            floor=percentile(bare, q),
            floor_is=f"a durable append, then the same shell ({context.floor.how})",
            limit=limit,
            of=f"{count} runs",
        )
    yield Figure(
        what="POST run -> 202, p99", value=percentile(answers, 99), unit="ms", limit=100.0, of=f"{count} runs"
    )
