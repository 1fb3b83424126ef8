"""How many detached steps the next engine takes over when theirs is killed with SIGKILL, and how soon."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from statistics import median

from bench.context import Context
from bench.figures import Figure, NotMeasured, percentile
from bench.rows.crash import import_time
from bench.server import Server, pause
from bench.sse import Stream
from bench.workflows import circle

EXECUTIONS = 4
SECONDS = 1.0
"""How long a step takes: some end while no engine lives."""

LIMIT = 30.0


class Witness:
    """Follows one execution: what became of the step in flight at each death, and when that was seen."""

    def __init__(self, port: int, execution: str) -> None:
        self._stream = Stream(port, execution, "?events=all")
        self._changed = threading.Condition()
        self._fates: list[tuple[bool, int]] = []
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        for frame in self._stream.frames():
            adopted = frame.event == "step.adopted"
            if adopted or (frame.event == "step.started" and frame.fields().get("recovered")):
                with self._changed:
                    self._fates.append((adopted, frame.at))
                    self._changed.notify_all()

    def fate(self, number: int) -> tuple[bool, int]:
        """Was it taken over at the death with this number (from 0), or run again? And when."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._fates) > number, LIMIT):
                raise NotMeasured(f"a step was neither taken over nor run again for {LIMIT:g} s")
            return self._fates[number]


def measure(context: Context) -> Iterator[Figure]:
    """Some executions run detached steps without end; engines die at moments that a seed decides."""
    kills = context.many(200, 10)
    chance = random.Random(1)
    workflows = {"circle": circle("circle", f"sleep {SECONDS:g}", detach=True)}
    adopted, waits = 0, []
    with context.server("adopt", workflows, AWF_MAX_TRANSITIONS="1000000") as server:
        client = server.client()
        executions = [client.run("circle") for _ in range(EXECUTIONS)]
        witnesses = [Witness(server.port, execution) for execution in executions]
        pause(SECONDS)
        for number in range(kills):
            pause(chance.uniform(0, SECONDS))
            began = _kill(server)
            fates = [witness.fate(number) for witness in witnesses]
            adopted += sum(taken for taken, _ in fates)
            waits.append((max(at for _, at in fates) - began) / 1e9)
    deaths = f"{kills} kills of an engine with {EXECUTIONS} detached steps"
    yield Figure(
        what="detached steps in flight at kill -9 that are not taken over",
        value=100 * (1 - adopted / (kills * EXECUTIONS)),
        unit="%",
        limit=2.0,
        of=f"{adopted} of {kills * EXECUTIONS} are; {deaths}",
    )
    for what, value, limit in (("worst", max(waits), 2.0), ("p50", median(waits), None)):
        yield Figure(
            what=f"kill -9 of the engine -> all of {EXECUTIONS} detached steps taken over, {what}",
            value=value,
            unit="s",
            floor=median(import_time(context.environ) for _ in range(3)),
            floor_is="starting Python with the engine's modules",
            limit=limit,
            of=f"p95 {percentile(waits, 95):.2f} s",
        )


def _kill(server: Server) -> int:
    """Kill the engine; when that was, in nanoseconds since the epoch."""
    engine = server.wait_for_engine()
    began = time.time_ns()
    os.kill(engine, signal.SIGKILL)
    return began
