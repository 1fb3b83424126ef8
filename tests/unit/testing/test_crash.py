from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from awf.journal.store import Store
from awf.stores.memory import MemoryStore
from awf.testing.builders import acceptance, entries, step_started
from awf.testing.crash import Crashes, Point, crashing_store


def deaths(points: str, storage: Path) -> list[str]:
    """Accept two executions, claim them, append three steps to each; what had been done at each death."""

    async def play() -> list[str]:
        inner: Store = MemoryStore()
        died: list[str] = []
        done = ["nothing"]
        crashes = Crashes(
            [Point.parse(text) for text in points.split()], storage, inner, lambda: died.append(done[-1])
        )
        store = crashing_store(inner, crashes)
        for name in ("build", "test"):
            await store.accept(acceptance(name, workflow=name))
            done.append(f"accepted {name}")
        claims = await store.claim("me", free=(), limit=5)
        await store.claim("me", free=(), limit=5)
        done.append("claimed")
        for claim in claims:
            execution = claim.ownership.execution
            for number in range(3):
                entry = entries(number + 1, step_started(number + 1))
                await store.append(claim.ownership, entry)
                done.append(f"step {number + 1} of {execution}")
        return died

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("point", "after"),
    [
        ("accept.before", "nothing"),
        ("accept.after#2", "accepted build"),
        ("accept.before@test", "accepted build"),
        ("claim.before", "accepted test"),
        ("claim.after", "accepted test"),
        ("append.before:step.started#2", "step 1 of build"),
        ("append.before:step.started#3@test", "step 2 of test"),
        ("append.after#4", "step 3 of build"),
    ],
)
def test_a_process_dies_at_its_point_and_only_once_per_storage(
    tmp_path: Path, point: str, after: str
) -> None:
    assert deaths(point, tmp_path) == [after]
    assert deaths(point, tmp_path) == []


def test_points_that_are_not_reached_leave_the_process_alone(tmp_path: Path) -> None:
    assert deaths("claim.after#2 append.before:step.failed append.before@deploy", tmp_path) == []


def test_each_of_several_points_fires(tmp_path: Path) -> None:
    assert deaths("append.before:step.started#2@build append.before:step.started#2@test", tmp_path) == [
        "step 1 of build",
        "step 1 of test",
    ]


@pytest.mark.parametrize("text", ["", "append", "append.before#0", "append.during", "append.before:Step"])
def test_a_point_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no crash point"):
        Point.parse(text)
