"""Reading a stream of server-sent events, as the WHATWG describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    id: int
    name: str
    data: dict[str, Any]

    @property
    def step(self) -> str | None:
        return self.data.get("step_name")


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream, from its lines without their ends; one that the stream's end cuts off is dropped."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            assert name in {"event", "id", "data", "retry"}, f"no field of an event stream: {line!r}"
            assert name not in fields, f"twice in one event: {line!r}"
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


def outline(events: Iterable[Event]) -> list[str]:
    """What happened to which step, without the output that may come in any number of pieces."""
    return [
        f"{event.name} {event.step}" if event.step else event.name
        for event in events
        if event.name != "output"
    ]


def output(events: Iterable[Event], step: str, stream: str = "stdout") -> str:
    """What a step wrote, put together from its output events."""
    return "".join(
        event.data["output"]
        for event in events
        if event.name == "output" and event.step == step and event.data["stream"] == stream
    )
