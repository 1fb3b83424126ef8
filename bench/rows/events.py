"""From the end of a step's command to the moment at which a viewer has read the event that says so."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

from bench.context import Context
from bench.fifo import Fifo
from bench.figures import Figure, NotMeasured, milliseconds, percentile
from bench.floor import RECORD, SHELL
from bench.workflows import sequence

STEPS = 100
PAUSE_MS = 10


def measure(context: Context) -> Iterator[Figure]:
    """Each step waits a little, writes the time as its last act, and ends; one viewer reads."""
    runs = context.many(4, 1)
    fifo = context.fifo("events")
    command = context.floor.stamp(fifo, PAUSE_MS)
    waits: list[float] = []
    with context.server("events", {"many": sequence("many", [command] * STEPS)}) as server:
        client = server.client()
        for _ in range(runs):
            frames = [frame for frame in client.watch(client.run("many")) if frame.event == "step.completed"]
            stamps = fifo.stamps(STEPS)
            if len(frames) != STEPS:
                raise NotMeasured(f"{len(frames)} of {STEPS} events came")
            waits += [milliseconds(frame.at - stamp) for frame, stamp in zip(frames, stamps, strict=True)]
    bare = _relayed(context, fifo, command)
    for q, limit in ((50, 5.0), (99, 25.0)):
        yield Figure(
            what=f"step's command ended -> viewer has the event, p{q}",
            value=percentile(waits, q),
            unit="ms",
            floor=percentile(bare, q),
            floor_is="posix_spawn, wait, durable append, one socket write",
            limit=limit,
            of=f"{len(waits)} steps",
        )


def _relayed(context: Context, fifo: Fifo, command: str) -> list[float]:
    """The same with a bare program in the place of the server."""
    ours, theirs = socket.socketpair()
    log = os.open(context.directory("events") / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    environ = dict(context.environ)

    def relay() -> None:
        for _ in range(STEPS):
            os.waitpid(os.posix_spawn(SHELL, [SHELL, "-c", command], environ), 0)
            os.write(log, RECORD)
            os.fdatasync(log)
            theirs.sendall(b"\n")

    thread = threading.Thread(target=relay)
    thread.start()
    arrived = []
    for _ in range(STEPS):
        ours.recv(1)
        arrived.append(time.time_ns())
    thread.join()
    ours.close()
    theirs.close()
    os.close(log)
    return [milliseconds(at - stamp) for at, stamp in zip(arrived, fifo.stamps(STEPS), strict=True)]
