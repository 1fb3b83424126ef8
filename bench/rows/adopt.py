"""How many detached steps the next engine takes over when theirs is killed with SIGKILL, and how soon."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an attempt that was in flight: it was taken over, or another (``successor``) runs in its place. ``at``:
    when that was seen."""

    successor: str
    at: int

    @property
    def adopted(self) -> bool:
        """It was taken over."""
        return not self.successor

    def predecessor(self) -> str:
        """The id of the attempt that was not taken over."""
        step, _, number = self.successor.rpartition(".")
        return f"{step}.{int(number) - 1}"


class Witness:
    """Follows one execution: what became of the step in flight at each death, and when that was seen."""

    def __init__(self, port: int, execution: str) -> None:
        self._stream = Stream(port, execution, "?events=all")
        self._execution = execution
        self._changed = threading.Condition()
        self._fates: list[Fate] = []
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        step = 0
        for frame in self._stream.frames():
            successor = ""
            if frame.event == "step.started":
                fields = frame.fields()
                step += not fields.get("recovered")
                if not fields.get("recovered"):
                    continue
                successor = f"{self._execution}.{step}.{fields['attempt']}"
            elif frame.event != "step.adopted":
                continue
            with self._changed:
                self._fates.append(Fate(successor, frame.at))
                self._changed.notify_all()

    def fate(self, number: int) -> Fate:
        """What the death with this number (from 0) came to."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._fates) > number, LIMIT):
                raise NotMeasured(f"a step was neither taken over nor run again for {LIMIT:g} s")
            return self._fates[number]


def measure(context: Context) -> Iterator[Figure]:
    """Some executions run detached steps without end; engines die at moments that a seed decides."""
    kills = context.many(200, 10)
    chance = random.Random(1)
    begun = context.directory("adopt") / "begun"
    command = f'echo "$AWF_ATTEMPT_ID" >>{begun}; sleep {SECONDS:g}'
    workflows = {"circle": circle("circle", command, detach=True)}
    fates: list[Fate] = []
    waits = []
    with context.server("adopt", workflows, AWF_MAX_TRANSITIONS="1000000") as server:
        client = server.client()
        witnesses = [Witness(server.port, client.run("circle")) for _ in range(EXECUTIONS)]
        pause(SECONDS)
        for number in range(kills):
            pause(chance.uniform(0, SECONDS))
            began = _kill(server)
            now = [witness.fate(number) for witness in witnesses]
            fates += now
            waits.append((max(fate.at for fate in now) - began) / 1e9)
    adopted = sum(fate.adopted for fate in fates)
    run = set(begun.read_text().split())
    lost = [fate for fate in fates if not fate.adopted and fate.predecessor() in run]
    yield Figure(
        what="detached steps that had begun and were not taken over",
        value=len(lost),
        unit="",
        limit=0,
        of=f"{kills} kills, {adopted} taken over, {len(fates) - adopted - len(lost)} had not begun",
    )
    floor = median(import_time(context.environ) for _ in range(3))
    for what, value, limit in (("worst", max(waits), 2.0), ("p50", median(waits), None)):
        yield Figure(
            what=f"kill -9 of the engine -> all of {EXECUTIONS} detached steps taken over, {what}",
            value=value,
            unit="s",
            floor=floor,
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
