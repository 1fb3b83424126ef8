"""How long a thousand workflow files take to be listed, the first time and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from bench.client import Client
from bench.context import Context
from bench.figures import Figure, NotMeasured
from bench.workflows import various

FILES, LINES = 1_000, 40


def measure(context: Context) -> Iterator[Figure]:
    """Over HTTP, from a server that has just started; then unchanged, and after one file has changed."""
    texts = {f"flow{number:04}": various(f"flow{number:04}", LINES) for number in range(FILES)}
    rounds = context.many(15, 5)
    with context.server("listing", texts) as server:
        client = server.client()
        folder = server.project / ".awf" / "workflows"
        cold = _timed(lambda: _list(client))
        unread = _timed(lambda: _parse(folder))
        warm, looks = [], []
        for _ in range(rounds):
            warm.append(_timed(lambda: _list(client)))
            looks.append(_timed(lambda: _look(folder)))
        changed = []
        for number in range(rounds):
            _change(folder / f"flow{number:04}.yaml")
            changed.append(_timed(lambda: _list(client)))
    lines = next(iter(texts.values())).count("\n")
    yield Figure(
        what=f"{FILES:,} files of {lines} lines, cold",
        value=cold,
        unit="ms",
        floor=unread,
        floor_is="PyYAML's C loader for every file",
        of="the first request of a server",
    )
    yield Figure(
        what=f"{FILES:,} files, unchanged",
        value=median(warm),
        unit="ms",
        floor=median(looks),
        floor_is="a stat of every file",
        of=f"median of {rounds}",
    )
    yield Figure(
        what=f"{FILES:,} files, one of them changed",
        value=median(changed),
        unit="ms",
        floor=median(looks),
        floor_is="a stat of every file",
        of=f"median of {rounds}",
    )


def _list(client: Client) -> None:
    names = client.get("/api/workflows")["workflows"]
    if len(names) != FILES or any("error" in each for each in names):
        raise NotMeasured(f"{len(names)} workflows are listed: {names[:1]}")


def _parse(folder: Path) -> None:
    for path in folder.iterdir():
        yaml.load(path.read_bytes(), yaml.CSafeLoader)


def _look(folder: Path) -> None:
    for path in folder.iterdir():
        path.stat()


def _change(path: Path) -> None:
    path.write_text(path.read_text() + "# changed\n")


def _timed(run: Callable[[], Any]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000
