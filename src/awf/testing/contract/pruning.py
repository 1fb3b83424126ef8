"""Removing finished executions, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

from awf.errors import NotResumable, ReplayDiverged
from awf.journal.events import ExecutionStarted, ResumedFrom
from awf.journal.store import ExecutionFilter, Statistics, Store
from awf.testing.builders import (
    EPOCH,
    FINALS,
    SECOND,
    acceptance,
    entries,
    finished,
    running,
    step_completed,
    step_output,
    step_started,
)
from awf.testing.contract.topic import OpenStores, Topic, raised

EVERYTHING = ExecutionFilter()


async def _prune(store: Store, *, ended_before: int | None = None, keep: int | None = None) -> None:
    while await store.prune(ended_before=ended_before, keep=keep):
        pass


async def _ids(store: Store) -> list[str]:
    return [row.id for row in await store.executions(EVERYTHING)]


async def _one_after_the_other(store: Store, *ids: str) -> None:
    """Finished ones, accepted ten seconds apart, each a second long."""
    for number, id in enumerate(ids):
        await finished(store, id=id, now=EPOCH + number * 10 * SECOND)


async def what_ended_before_a_time_goes(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _one_after_the_other(store, "one", "two", "three")
        await _prune(store, ended_before=EPOCH + SECOND)
        assert await _ids(other) == ["three", "two", "one"]
        await _prune(store, ended_before=EPOCH + SECOND + 1)
        assert await _ids(other) == ["three", "two"]


async def it_is_the_end_that_counts(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await finished(store, id="long", now=EPOCH, seconds=100)
        await finished(store, id="short", now=EPOCH + SECOND)
        await finished(store, id="last", now=EPOCH + 2 * SECOND)
        await _prune(store, ended_before=EPOCH + 50 * SECOND)
        assert await _ids(other) == ["last", "long"]


async def what_is_more_than_so_many_goes_the_oldest_first(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        for number, status in enumerate((*FINALS, *FINALS)):
            await finished(store, status, id=str(number), now=EPOCH + number * 10 * SECOND)
        await _prune(store, keep=4)
        assert await _ids(other) == ["5", "4", "3", "2"]
        await _prune(store, keep=2, ended_before=EPOCH + 32 * SECOND)
        assert await _ids(other) == ["5", "4"]


async def without_a_bound_nothing_goes(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _one_after_the_other(store, "one", "two")
        await _prune(store)
        assert len(await _ids(other)) == 2


async def unfinished_ones_stay_and_do_not_count(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await store.accept(acceptance("pending"))
        await running(store, "running")
        await _one_after_the_other(store, "one", "two")
        await _prune(store, keep=1, ended_before=EPOCH)
        assert await _ids(other) == ["two", "running", "pending"]
        await _prune(store, keep=0, ended_before=EPOCH + 1000 * SECOND)
        assert await _ids(other) == ["two", "running", "pending"]
        assert len(await other.journal("running")) == 2


async def all_that_is_its_own_goes(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(
            store, secret_values={"key": "t0p"}, sources={"a": "first"}, definition={"workflow": "a"}
        )
        facts = step_started(), step_output(1, "x" * 9000), step_completed(), FINALS["completed"]
        await store.append(claim.ownership, entries(2, *facts))
        await finished(store, id="two", sources={"b": "second"}, definition={"workflow": "b"})
        await _prune(store, keep=1)
        assert await other.execution("one") is None
        assert await other.heads(["one"]) == {}
        assert await other.journal("one") == []
        assert await other.steps("one") == []
        assert await other.step_text("one", 1, "stdout") is None
        assert await other.secrets("one") == {}
        assert await other.sources(["a", "b"]) == {"b": "second"}
        assert await other.add_intent("one", "cancel", None, EPOCH) is False
        assert await other.statistics(EVERYTHING) == Statistics(total=1, completed=1, average_ms=1000)


async def a_text_stays_while_one_that_pins_it_is_kept(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await finished(
            store, id="one", sources={"a": "first", "b": "second"}, definition={"workflow": "a", "x": "b"}
        )
        await store.accept(acceptance("waiting", sources={"a": "first"}, definition={"workflow": "a"}))
        await finished(store, id="two", sources={"c": "third"}, definition={"workflow": "c"})
        await _prune(store, keep=0)
        assert set(await other.sources(["a", "b", "c"])) == {"a", "c"}


async def a_text_that_is_pinned_again_at_the_same_moment_stays(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        for number in range(20):
            text: dict[str, Any] = {
                "definition": {"workflow": f"text {number}"},
                "sources": {f"text {number}": "name: x"},
            }
            await finished(store, id=f"{number}", **text)
            await finished(store, id=f"after {number}", definition={"workflow": "other"})
            await asyncio.gather(_prune(store, keep=0), other.accept(acceptance(f"again {number}", **text)))
            assert f"text {number}" in await other.sources([f"text {number}"])
            await _prune(other, keep=0)
            assert f"text {number}" in await store.sources([f"text {number}"])


async def the_latest_stays_and_the_next_counts_from_it(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _one_after_the_other(store, "one", "two")
        latest = await store.execution("two")
        assert latest is not None
        await _prune(store, keep=0, ended_before=EPOCH + 1000 * SECOND)
        assert await _ids(other) == ["two"]
        await other.accept(acceptance("three", now=0))
        row = await other.execution("three")
        assert row is not None
        assert row.order > latest.order
        assert row.started_at == latest.started_at
        await _prune(store, keep=0)
        assert await _ids(other) == ["three"]
        await store.accept(acceptance("one"))
        assert len(await other.journal("one")) == 1


async def a_long_journal_goes_too_and_is_never_seen_in_part(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        for seq in range(2, 3002, 1000):
            await store.append(
                claim.ownership, entries(seq, *(step_output(1, "x" * 300) for _ in range(1000)))
            )
        await store.append(claim.ownership, entries(3002, FINALS["completed"]))
        await finished(store, id="two")
        more = True
        while more:
            more = await store.prune(keep=1)
            row, journal = await other.execution("one"), await other.journal("one", limit=5000)
            assert len(journal) == (3003 if row else 0)
        assert await other.execution("one") is None
        await raised(ReplayDiverged, store.accept(acceptance("two")))


async def what_is_to_be_taken_over_stays_until_it_has_been(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await finished(store, "failed", id="original")
        resumed = ResumedFrom(execution="original", from_path="build", reused=(1,))
        await store.accept(acceptance("heir", resumed=resumed))
        await finished(store, id="last")
        await _prune(store, keep=0)
        assert await _ids(other) == ["last", "heir", "original"]
        [claim] = await store.claim("engine", free=(), limit=1, only=["heir"])
        await _prune(store, keep=0)
        assert len(await other.journal("original")) == 3
        await store.append(claim.ownership, entries(1, ExecutionStarted(engine="engine")))
        await _prune(store, keep=0)
        assert await _ids(other) == ["last", "heir"]


async def what_has_been_removed_cannot_be_resumed(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _one_after_the_other(store, "one", "two")
        await _prune(store, keep=0)
        resumed = ResumedFrom(execution="one", from_path="build")
        await raised(NotResumable, other.accept(acceptance("three", resumed=resumed)))
        assert await _ids(store) == ["two"]


TOPICS: tuple[Topic, ...] = (
    what_ended_before_a_time_goes,
    it_is_the_end_that_counts,
    what_is_more_than_so_many_goes_the_oldest_first,
    without_a_bound_nothing_goes,
    unfinished_ones_stay_and_do_not_count,
    all_that_is_its_own_goes,
    a_text_stays_while_one_that_pins_it_is_kept,
    a_text_that_is_pinned_again_at_the_same_moment_stays,
    the_latest_stays_and_the_next_counts_from_it,
    a_long_journal_goes_too_and_is_never_seen_in_part,
    what_is_to_be_taken_over_stays_until_it_has_been,
    what_has_been_removed_cannot_be_resumed,
)
