"""One row of the table per file."""

from __future__ import annotations

from types import ModuleType

from bench.rows import (
    accept,
    adopt,
    chain,
    cli,
    crash,
    disk,
    events,
    history,
    idle,
    language,
    listing,
    loop,
    start,
    steps,
    viewers,
)

ROWS: dict[str, ModuleType] = {
    "start": start,
    "events": events,
    "steps": steps,
    "chain": chain,
    "loop": loop,
    "viewers": viewers,
    "accept": accept,
    "history": history,
    "crash": crash,
    "adopt": adopt,
    "idle": idle,
    "cli": cli,
    "language": language,
    "listing": listing,
    "disk": disk,
}
"""In the order in which they run. Each has ``measure(context)``, which gives figures, and a docstring."""
