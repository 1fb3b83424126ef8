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

ASKED = 2_000
"""Iterations of the loop about which answers are asked."""


def measure(context: Context) -> Iterator[Figure]:
    """A ``while`` of one step. A short loop right before and right after the long one is the floor, so that a change in the
    machine's load does not show as growth. Nothing is asked about the long one while it runs: on two cores the answers
    would cost its late steps what its early ones and the short loops were spared. A loop of its own is asked about."""
    length, window = context.many(10_000, 2_000), 500
    texts = {
        "long": loop("long", ":", length),
        "short": loop("short", ":", window + 10),
        "asked": loop("asked", ":", ASKED),
    }
    with context.server("loop", texts) as server:
        client = server.client()
        before = costs(client, _finish(client, "short"), 10, window + 10)
        execution = _finish(client, "long")
        after = costs(client, _finish(client, "short"), 10, window + 10)
        late = costs(client, execution, length - window, length)
        early = costs(client, execution, 10, window + 10)
        whole = [_answer(client, f"/api/executions/{execution}") for _ in range(50)]
        small = [_answer(client, "/api/executions?limit=1") for _ in range(50)]
        answers: list[float] = []
        _finish(client, "asked", answers)
    yield Figure(
        what=f"a step at iteration {length:,}, beside one at iteration 10",
        value=median(late),
        unit="ms",
        floor=median([median(before), median(early), median(after)]),
        floor_is="a step at iteration 10 (of this loop, and of one before and after it)",
        ratio_limit=1.10,
        of=f"medians of {window} steps; nobody asks meanwhile",
    )
    yield Figure(
        what="answer about an execution while it runs, p99",
        value=percentile(answers, 99),
        unit="ms",
        limit=50,
        of=f"{len(answers)} answers, with its latest 100 steps",
    )
    yield Figure(
        what=f"answer about one after {length:,} iterations",
        value=median(whole),
        unit="ms",
        floor=median(small),
        floor_is="the shortest answer about executions",
        limit=20,
        of="median of 50",
    )


def _finish(client: Client, workflow: str, answers: list[float] | None = None) -> str:
    """Run a loop to its end. Where ``answers`` are wanted, it is asked about all the time, and the milliseconds that each
    took are added to them."""
    execution = client.run(workflow)
    while client.get("/api/executions?limit=1")["executions"][0]["status"] in {"pending", "running"}:
        if answers is None:
            pause(0.5)
        else:
            answers.append(_answer(client, f"/api/executions/{execution}"))
            pause(0.05)
    return execution


def _answer(client: Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - began) * 1000
