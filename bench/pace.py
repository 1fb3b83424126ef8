"""How quickly the steps of an execution follow one another."""

from __future__ import annotations

import itertools
from datetime import datetime

from bench.client import Client
from bench.figures import NotMeasured

PAGE = 100
"""Steps in one answer of the API."""


def costs(client: Client, execution: str, first: int, last: int) -> list[float]:
    """Milliseconds from the start of a step to the start of the next."""
    starts: list[datetime] = []
    for after in range(first, last, PAGE):
        page = client.get(f"/api/executions/{execution}/steps?cursor={after}")["steps"]
        starts += [datetime.fromisoformat(step["started_at"]) for step in page]
    if len(starts) < (last - first) // 2:
        raise NotMeasured(f"the execution has only {len(starts)} steps from {first} on")
    return [(b - a).total_seconds() * 1000 for a, b in itertools.pairwise(starts)]
