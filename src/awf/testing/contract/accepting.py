"""Accepting executions, and intents for them."""

from __future__ import annotations

from awf.errors import ReplayDiverged
from awf.journal.events import CancelRequested, ExecutionAccepted, ResumedFrom
from awf.journal.store import ExecutionFilter, ExecutionRow
from awf.testing.builders import (
    EPOCH,
    FINALS,
    acceptance,
    claimed,
    entries,
    finished,
    input_received,
    input_required,
    running,
)
from awf.testing.contract.topic import OpenStores, Topic, raised


async def accepting_writes_the_first_entry_and_the_row(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await finished(store, "failed", id="zero")
        await store.accept(
            acceptance(
                "one",
                now=EPOCH,
                resumed=ResumedFrom(execution="zero", from_path="build", reused=(1,)),
                warnings=("input 'x' is not declared",),
            )
        )
        [entry] = await other.journal("one")
        assert (entry.seq, entry.at) == (1, EPOCH)
        assert isinstance(entry.fact, ExecutionAccepted)
        assert entry.fact.inputs == {"target": "all", "jobs": 2}
        row = await other.execution("one")
        assert row is not None
        assert row == ExecutionRow(
            id="one",
            order=row.order,
            workflow="build-app",
            status="pending",
            current_step="build",
            started_at=EPOCH,
            updated_at=EPOCH,
            inputs={"target": "all", "jobs": 2},
            warnings=("input 'x' is not declared",),
            resumed_from="zero",
            last_seq=1,
        )


async def sources_are_kept_by_digest(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await store.accept(acceptance("one", sources={"a": "first: é\n", "b": "second"}))
        await store.accept(acceptance("two", sources={"a": "first: é\n", "c": "third"}))
        assert await other.sources(["a", "c", "unknown"]) == {"a": "first: é\n", "c": "third"}
        assert await other.sources([]) == {}


async def secrets_are_kept_past_the_end_and_nowhere_else(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        real = {"api_token": "t0p-secret", "key": ["a", 1, None]}
        await finished(
            store, id="one", inputs={"api_token": "***"}, secrets=("api_token",), secret_values=real
        )
        await store.accept(acceptance("two"))
        assert await other.secrets("one") == real
        assert await other.secrets("two") == {}
        assert await other.secrets("unknown") == {}
        assert "t0p-secret" not in repr(await other.journal("one")) + repr(await other.execution("one"))


async def order_is_that_of_acceptance_and_started_at_never_decreases(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        for number, now in enumerate([EPOCH, EPOCH + 5, EPOCH - 60, EPOCH + 7]):
            await (store, other)[number % 2].accept(acceptance(str(number), now=now))
        rows = await store.executions(ExecutionFilter())
        assert [row.id for row in rows] == ["3", "2", "1", "0"]
        assert [row.started_at - EPOCH for row in rows] == [7, 5, 5, 0]
        assert len({row.order for row in rows}) == 4
        assert [entry.at - EPOCH for entry in await store.journal("2")] == [5]


async def an_id_is_accepted_once(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await store.accept(acceptance("one"))
        await raised(ReplayDiverged, other.accept(acceptance("one", now=EPOCH + 9, sources={"new": "text"})))
        assert [row.started_at for row in await store.executions(ExecutionFilter())] == [EPOCH]
        assert len(await store.journal("one")) == 1
        assert await store.sources(["new"]) == {}


async def intents_wait_for_the_owner_in_order(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await store.accept(acceptance("one"))
        await running(store, "two", owner="engine-2")
        assert await other.add_intent("two", "respond", {"response": "yes", "n": [1, None]}, EPOCH + 1)
        assert await other.add_intent("one", "cancel", None, EPOCH + 2)
        first, second = await store.intents()
        assert first.id < second.id
        assert (first.execution, first.kind, first.at, first.owner) == (
            "two",
            "respond",
            EPOCH + 1,
            "engine-2",
        )
        assert first.data == {"response": "yes", "n": [1, None]}
        assert (second.execution, second.kind, second.data, second.owner) == ("one", "cancel", None, None)


async def an_intent_for_nobody_is_refused(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        for status in FINALS:
            await finished(store, status, id=status)
        for id in ("unknown", *FINALS):
            assert not await other.add_intent(id, "cancel", None, EPOCH)
            assert not await other.add_intent(id, "respond", {}, EPOCH)
        assert await store.intents() == []


async def a_second_cancel_writes_nothing(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        assert await store.add_intent("one", "cancel", None, EPOCH)
        assert await other.add_intent("one", "cancel", None, EPOCH + 1)
        [intent] = await store.intents()
        assert intent.at == EPOCH
        await store.append(claim.ownership, entries(2, CancelRequested()), intents=[intent.id])
        assert await other.add_intent("one", "cancel", None, EPOCH + 2)
        assert await store.intents() == []


async def a_question_is_answered_once(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        assert not await other.add_intent("one", "respond", "too soon", EPOCH, question=3)
        await store.append(claim.ownership, entries(2, input_required(), input_required(2, path="all/test")))
        assert not await other.add_intent("one", "respond", "which?", EPOCH, question=2)
        assert await other.add_intent("one", "respond", "first", EPOCH, question=3)
        assert not await store.add_intent("one", "respond", "second", EPOCH, question=3)
        assert await store.add_intent("one", "respond", "of the other", EPOCH, question=4)
        first, of_the_other = await store.intents()
        assert (first.data, of_the_other.data) == ("first", "of the other")
        await store.append(claim.ownership, entries(4, input_received()), intents=[first.id])
        assert not await other.add_intent("one", "respond", "late", EPOCH, question=3)
        assert [intent.data for intent in await other.intents()] == ["of the other"]


async def folding_removes_the_named_intents_of_that_execution(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await claimed(store, "one")
        await claimed(store, "two")
        for id in ("one", "one", "two"):
            await other.add_intent(id, "respond", id, EPOCH)
        mine, later, foreign = await store.intents()
        await store.append(claim.ownership, [], intents=[mine.id, foreign.id, 4711])
        assert [intent.id for intent in await other.intents()] == [later.id, foreign.id]


async def the_end_removes_the_intents(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store, "one")
        await running(store, "two")
        await other.add_intent("one", "cancel", None, EPOCH)
        await other.add_intent("one", "respond", "yes", EPOCH)
        await other.add_intent("two", "respond", "no", EPOCH)
        await store.append(claim.ownership, entries(2, FINALS["completed"]))
        assert [intent.execution for intent in await other.intents()] == ["two"]


TOPICS: tuple[Topic, ...] = (
    accepting_writes_the_first_entry_and_the_row,
    sources_are_kept_by_digest,
    secrets_are_kept_past_the_end_and_nowhere_else,
    order_is_that_of_acceptance_and_started_at_never_decreases,
    an_id_is_accepted_once,
    intents_wait_for_the_owner_in_order,
    an_intent_for_nobody_is_refused,
    a_second_cancel_writes_nothing,
    a_question_is_answered_once,
    folding_removes_the_named_intents_of_that_execution,
    the_end_removes_the_intents,
)
