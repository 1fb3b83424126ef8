"""One row of the table per file."""

from __future__ import annotations

from types import ModuleType

from bench.rows import accept, adopt, chain, cli, crash, disk, events, history, idle, start, steps, viewers

ROWS: dict[str, ModuleType] = {
    "start": start,
    "events": events,
    "steps": steps,
    "chain": chain,
    "viewers": viewers,
    "accept": accept,
    "history": history,
    "crash": crash,
    "adopt": adopt,
    "idle": idle,
    "cli": cli,
    "disk": disk,
}
"""In the order in which they run. Each has ``measure(context)``, which gives figures, and a docstring."""
