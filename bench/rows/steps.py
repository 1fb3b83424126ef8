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
RATIOS = {"full": 2.0, "fast": 1.6}


def measure(context: Context) -> Iterator[Figure]:
    """Product and floor take turns, so that both see the same neighbours."""
    for durability, limit in RATIOS.items():
        yield from _costs(context, durability, limit, watched=False)
    yield from _costs(context, "full", None, watched=True)


def _costs(context: Context, durability: str, limit: float | None, *, watched: bool) -> Iterator[Figure]:
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
            pairs = context.floor.shells(STEPS, COMMAND, log=log, sync=durability == "full")
            floors.append((pairs[-1][1] - pairs[0][0]) / STEPS)
            costs.append(_run(client, fifo, watched=watched) / STEPS)
    ratio = median(cost / floor for cost, floor in zip(costs, floors, strict=True))
    floor = milliseconds(median(floors))
    seen = ", one viewer watching" if watched else ""
    synced = "durable append" if durability == "full" else "append without sync"
    yield Figure(
        what=f"one step of {STEPS}, durability {durability}{seen}",
        value=ratio * floor,
        unit="ms",
        floor=floor,
        floor_is=f"the same shell ({context.floor.how}) and one {synced}",
        ratio_limit=limit,
        of=f"median of {rounds} pairs",
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
