"""How many bytes of disk an execution takes, and each of its steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from bench.context import Context
from bench.figures import Figure
from bench.server import Server
from bench.workflows import sequence

STEPS = 200
DATABASE = "journal.db"


def measure(context: Context) -> Iterator[Figure]:
    """The growth of the database by executions of one step and by such of many gives both, as two unknowns."""
    short, long = context.many(200, 60), context.many(4, 2)
    command = "echo hello"
    workflows = {"short": sequence("short", [command]), "long": sequence("long", [command] * STEPS)}
    server = context.server("disk", workflows)
    sizes = [
        _size_after(server, name, count) for name, count in (("short", 1), ("short", short), ("long", long))
    ]
    of_short, of_long = (sizes[1] - sizes[0]) / short, (sizes[2] - sizes[1]) / long
    step = (of_long - of_short) / (STEPS - 1)
    fact_bytes = _facts(server, "long") / STEPS
    yield Figure(
        what="disk per execution, without its steps",
        value=of_short - step,
        unit="B",
        of=f"{short} of one step, {long} of {STEPS}",
    )
    yield Figure(
        what="disk per step",
        value=step,
        unit="B",
        floor=fact_bytes,
        floor_is="the bytes of its facts alone",
        of="a step that prints one line",
    )


def _size_after(server: Server, workflow: str, count: int) -> int:
    """Bytes of the database once so many executions have ended and everything has stopped."""
    with server:
        client = server.client()
        for execution in [client.run(workflow) for _ in range(count)]:
            client.watch(execution)
    with closing(sqlite3.connect(server.storage / DATABASE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (server.storage / DATABASE).stat().st_size


def _facts(server: Server, workflow: str) -> float:
    """Bytes of the facts of one execution."""
    with closing(sqlite3.connect(server.storage / DATABASE)) as db:
        size, count = db.execute(
            "SELECT sum(length(body)), count(DISTINCT ordinal) FROM events JOIN executions USING (ordinal) "
            "WHERE workflow = ?",
            (workflow,),
        ).fetchone()
    return float(size) / int(count)
