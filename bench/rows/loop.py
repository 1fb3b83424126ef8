"""Whether a step late in a long loop costs more than an early one, and how quick answers about it stay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from bench.client import Client
from bench.context import Context
from bench.figures import Figure, percentile
from bench.pace import costs
from bench.server import pause
from bench.workflows import loop


def measure(context: Context) -> Iterator[Figure]:
    """A ``while`` of one step. A short loop right before and right after the long one is the floor, so that a change in the
    machine's load does not show as growth."""
    length, window = context.many(10_000, 2_000), 500
    texts = {"long": loop("long", ":", length), "short": loop("short", ":", window + 10)}
    with context.server("loop", texts) as server:
        client = server.client()
        before = costs(client, _finish(client, "short", []), 10, window + 10)
        answers: list[float] = []
        execution = _finish(client, "long", answers)
        after = costs(client, _finish(client, "short", []), 10, window + 10)
        late = costs(client, execution, length - window, length)
        early = costs(client, execution, 10, window + 10)
        whole = [_answer(client, f"/api/executions/{execution}") for _ in range(50)]
        small = [_answer(client, "/api/executions?limit=1") for _ in range(50)]
    yield Figure(
        what=f"a step at iteration {length:,}, beside one at iteration 10",
        value=median(late),
        unit="ms",
        floor=median([median(before), median(early), median(after)]),
        floor_is="a step at iteration 10 (of this loop, and of one before and after it)",
        ratio_limit=1.10,
        of=f"medians of {window} steps",
    )
    yield Figure(
        what="answer about the execution while it runs, p99",
        value=percentile(answers, 99),
        unit="ms",
        limit=50,
        of=f"{len(answers)} answers, with its latest 100 steps",
    )
    yield Figure(
        what=f"answer about it after {length:,} iterations",
        value=median(whole),
        unit="ms",
        floor=median(small),
        floor_is="the shortest answer about executions",
        limit=20,
        of="median of 50",
    )


def _finish(client: Client, workflow: str, answers: list[float]) -> str:
    """Run a loop to its end; the milliseconds that answers about it took meanwhile are added to ``answers``."""
    execution = client.run(workflow)
    while True:
        answers.append(_answer(client, f"/api/executions/{execution}"))
        status = client.get("/api/executions?limit=1")["executions"][0]["status"]
        if status not in {"pending", "running"}:
            return execution
        pause(0.25)


def _answer(client: Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - began) * 1000
