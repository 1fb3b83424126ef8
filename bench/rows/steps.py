"""What one step of a long workflow costs in all, beside the same shell started by a bare loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from statistics import median

from bench.client import Client
from bench.context import Context
from bench.fifo import Fifo
from bench.figures import Figure, milliseconds
from bench.workflows import sequence

STEPS = 200
COMMAND = ":"


def measure(context: Context) -> Iterator[Figure]:
    """Product and floor take turns, so that both see the same neighbours. The targets of both durabilities are against
    the shell and one durable append; beside ``fast`` the append that is not synced is shown too."""
    yield _cost(context, "full", "", sync=True, limit=2.0)
    yield _cost(context, "fast", "", sync=True, limit=1.6)
    yield _cost(context, "fast", ", beside an append without sync", sync=False)
    yield _cost(context, "full", ", one viewer watching", sync=True, watched=True)


def _cost(
    context: Context,
    durability: str,
    how: str,
    *,
    sync: bool,
    limit: float | None = None,
    watched: bool = False,
) -> Figure:
    rounds = context.many(7, 3)
    fifo = context.fifo("steps")
    last = f"{COMMAND}; echo done > {fifo.path}"
    workflow = sequence("long", [COMMAND] * (STEPS - 1) + [last])
    log = context.directory("steps") / "log"
    costs, floors = [], []
    with context.server("steps", {"long": workflow}, AWF_DURABILITY=durability) as server:
        client = server.client()
        _run(client, fifo, watched=watched)
        for _ in range(rounds):
            pairs = context.floor.shells(STEPS, COMMAND, log=log, sync=sync)
            floors.append(milliseconds(pairs[-1][1] - pairs[0][0]) / STEPS)
            costs.append(milliseconds(_run(client, fifo, watched=watched)) / STEPS)
    return Figure(
        what=f"one step of {STEPS}, durability {durability}{how}",
        value=median(costs),
        unit="ms",
        floor=median(floors),
        floor_is=f"the same shell ({context.floor.how}) and one {'durable append' if sync else 'append'}",
        ratio_limit=limit,
        of=f"medians of {rounds} rounds in turns",
    )


def _run(client: Client, fifo: Fifo, *, watched: bool) -> int:
    """Nanoseconds from before the POST to the last step's command."""
    before = time.monotonic_ns()
    execution = client.run("long")
    viewer = threading.Thread(target=client.watch, args=(execution,)) if watched else None
    if viewer:
        viewer.start()
    fifo.line(60)
    spent = time.monotonic_ns() - before
    if viewer:
        viewer.join()
    else:
        client.watch(execution)
    return spent
