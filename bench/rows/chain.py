"""Whether a step late in a long execution costs more than one at the start of a fresh one."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.client import Client
from bench.context import Context
from bench.figures import Figure
from bench.pace import costs
from bench.server import pause
from bench.workflows import circle


def measure(context: Context) -> Iterator[Figure]:
    """A circle of two steps that goes on until the limit of transitions. The start is that of the circles run right
    before and right after the long one's end, so that a change in the machine's load does not show as growth."""
    length, window = context.many(10_000, 2_000), 500
    with (
        context.server(
            "short", {"circle": circle("circle", ":")}, AWF_MAX_TRANSITIONS=str(window + 10)
        ) as short,
        context.server("long", {"circle": circle("circle", ":")}, AWF_MAX_TRANSITIONS=str(length)) as long,
    ):
        before = _fresh(short.client(), window)
        client = long.client()
        execution = _finish(client)
        after = _fresh(short.client(), window)
        late = costs(client, execution, length - window, length)
        early = costs(client, execution, 10, window + 10)
    yield Figure(
        what=f"a step at the end of {length:,}, beside one at the start",
        value=median(late),
        unit="ms",
        floor=median([median(before), median(early), median(after)]),
        floor_is="a step at the start (this one's, and one before and after it)",
        ratio_limit=1.10,
        of=f"medians of {window} steps",
    )


def _fresh(client: Client, window: int) -> list[float]:
    return costs(client, _finish(client), 10, window + 10)


def _finish(client: Client) -> str:
    """Run the circle to its end."""
    execution = client.run("circle")
    while client.get("/api/executions?limit=1")["executions"][0]["status"] in {"pending", "running"}:
        pause(0.25)
    return execution
