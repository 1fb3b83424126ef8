"""From kill -9 of the engine to the moment at which viewers see every execution move again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from statistics import median

from bench.context import Context
from bench.figures import Figure, NotMeasured
from bench.server import Server
from bench.sse import Stream
from bench.workflows import circle

EXECUTIONS = 4
LIMIT = 15.0


class Viewer:
    """Follows one execution and knows when it was last seen to begin a step again after a crash."""

    def __init__(self, port: int, execution: str) -> None:
        self._stream = Stream(port, execution)
        self._changed = threading.Condition()
        self._recoveries: list[int] = []
        self._steps = 0
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        for frame in self._stream.frames():
            with self._changed:
                if frame.event == "step.started" and frame.fields().get("recovered"):
                    self._recoveries.append(frame.at)
                self._steps += frame.event == "step.completed"
                self._changed.notify_all()

    def recovery(self, number: int) -> int:
        """When the recovery with this number (from 0) was seen."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._recoveries) > number, LIMIT):
                raise NotMeasured(f"an execution did not move again for {LIMIT:g} s")
            return self._recoveries[number]

    def settle(self) -> None:
        """Wait until it has completed some more steps."""
        with self._changed:
            wanted = self._steps + 10
            if not self._changed.wait_for(lambda: self._steps >= wanted, LIMIT):
                raise NotMeasured(f"an execution did not move for {LIMIT:g} s")


def measure(context: Context) -> Iterator[Figure]:
    """Some executions run short steps without end; each has a viewer."""
    kills = context.many(7, 3)
    workflows = {"circle": circle("circle", "sleep 0.02")}
    with context.server("crash", workflows, AWF_MAX_TRANSITIONS="1000000") as server:
        client = server.client()
        viewers = [Viewer(server.port, client.run("circle")) for _ in range(EXECUTIONS)]
        waits = [_kill(server, viewers, number) for number in range(kills)]
    floors = [import_time(context.environ) for _ in range(5)]
    yield Figure(
        what=f"kill -9 of the engine -> all of {EXECUTIONS} executions move again, worst",
        value=max(waits),
        unit="s",
        floor=median(floors),
        floor_is="starting Python with the engine's modules",
        limit=2.0,
        of=f"{kills} kills, median {median(waits):.2f} s",
    )


def _kill(server: Server, viewers: list[Viewer], number: int) -> float:
    """Seconds until the last of them moves."""
    for viewer in viewers:
        viewer.settle()
    engine = server.wait_for_engine()
    began = time.time_ns()
    os.kill(engine, signal.SIGKILL)
    return (max(viewer.recovery(number) for viewer in viewers) - began) / 1e9


def import_time(environ: Mapping[str, str]) -> float:
    """Seconds that Python takes to start and to import what an engine is made of."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import awf.cli.engine"], env=dict(environ), check=True)
    return time.monotonic() - began
