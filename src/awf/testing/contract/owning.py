"""Claiming, and losing what was claimed."""

from __future__ import annotations

import asyncio

from awf.errors import OwnershipLost
from awf.journal.events import ExecutionRecovered, ExecutionReleased
from awf.journal.store import Claim, ExecutionFilter, Ownership
from awf.testing.builders import (
    EPOCH,
    FINALS,
    acceptance,
    claimed,
    entries,
    finished,
    input_required,
    running,
    step_started,
)
from awf.testing.contract.topic import OpenStores, Topic, raised


def _ids(claims: list[Claim]) -> list[str]:
    return [claim.ownership.execution for claim in claims]


async def claiming_takes_the_oldest_up_to_the_limit(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        for id in ("c", "a", "b"):
            await store.accept(acceptance(id))
        claims = await other.claim("engine", free=(), limit=2)
        assert claims == [
            Claim(ownership=Ownership(id, "engine", 1), last_seq=1, previous=None) for id in ("c", "a")
        ]
        assert _ids(await store.claim("engine-2", free=(), limit=2)) == ["b"]
        assert await store.claim("engine-3", free=(), limit=2) == []
        row = await store.execution("c")
        assert row is not None
        assert (row.owner, row.status, row.last_seq) == ("engine", "pending", 1)


async def those_that_have_run_come_first(open_stores: OpenStores) -> None:
    async with open_stores() as (store, _):
        await store.accept(acceptance("fresh"))
        await running(store, "ran", owner="dead")
        released = await running(store, "released")
        await store.append(released.ownership, entries(2, ExecutionReleased(engine="engine")))
        await store.accept(acceptance("fresh too"))
        claims = await store.claim("engine-2", free=["dead"], limit=3)
        assert _ids(claims) == ["ran", "released", "fresh"]
        assert [(claim.previous, claim.last_seq) for claim in claims] == [("dead", 2), (None, 3), (None, 1)]


async def only_the_dead_are_replaced(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await claimed(store, "of the dead", owner="dead")
        await claimed(store, "of the living", owner="living")
        await finished(store, id="finished", owner="dead")
        [claim] = await other.claim("engine", free={"dead", "unheard of"}, limit=10)
        assert claim == Claim(ownership=Ownership("of the dead", "engine", 2), last_seq=1, previous="dead")
        assert await other.owners() == {"engine", "living"}


async def a_claim_can_be_restricted_to_ids(open_stores: OpenStores) -> None:
    async with open_stores() as (store, _):
        for id in ("a", "b", "c"):
            await store.accept(acceptance(id))
        await claimed(store, "owned", owner="living")
        await claimed(store, "of the dead", owner="dead")
        await finished(store, id="finished")
        wanted = ["unknown", "finished", "owned", "of the dead", "c", "b"]
        assert await store.claim("engine", free=["dead"], limit=10, only=[]) == []
        assert _ids(await store.claim("engine", free=["dead"], limit=2, only=wanted)) == ["b", "c"]
        assert _ids(await store.claim("engine", free=["dead"], limit=2, only=wanted)) == ["of the dead"]


async def two_claims_never_get_the_same(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await asyncio.gather(*(store.accept(acceptance(str(number))) for number in range(60)))
        claims = await asyncio.gather(
            *((store, other)[number % 2].claim(f"engine-{number}", free=(), limit=7) for number in range(10))
        )
        taken = [id for claim in claims for id in _ids(claim)]
        assert len(taken) == 60
        assert len(set(taken)) == 60
        assert all(len(claim) in {0, 4, 7} for claim in claims)


async def only_the_owner_appends(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        lost = (await running(store, owner="dead")).ownership
        [claim] = await other.claim("engine", free=["dead"], limit=1)
        more = entries(2, step_started())
        for ownership in (lost, Ownership("one", "dead", 2), Ownership("one", "engine", 1)):
            await raised(OwnershipLost, store.append(ownership, more))
        await raised(OwnershipLost, store.append(Ownership("unknown", "engine", 1), more))
        assert len(await store.journal("one")) == 2
        assert await store.steps("one") == []
        await other.append(claim.ownership, entries(2, ExecutionRecovered(engine="engine")))
        assert len(await store.journal("one")) == 3


async def who_has_lost_it_removes_no_intent(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        lost = (await running(store, owner="dead")).ownership
        await other.claim("engine", free=["dead"], limit=1)
        await other.add_intent("one", "cancel", None, 0)
        [intent] = await other.intents()
        await raised(OwnershipLost, store.append(lost, [], intents=[intent.id]))
        assert await other.intents() == [intent]


async def the_same_owner_claims_again_under_a_new_fence(open_stores: OpenStores) -> None:
    async with open_stores() as (store, _):
        first = (await claimed(store)).ownership
        [claim] = await store.claim("engine", free=["engine"], limit=1)
        assert (claim.ownership.fence, claim.previous) == (first.fence + 1, "engine")
        await raised(OwnershipLost, store.append(first, entries(1, step_started())))


async def who_accepts_may_own_from_the_start(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await store.accept(acceptance("mine", owner="engine"))
        await store.accept(acceptance("anybody's"))
        assert _ids(await other.claim("engine-2", free=(), limit=9)) == ["anybody's"]
        row = await other.execution("mine")
        assert row is not None
        assert (row.owner, row.status) == ("engine", "pending")
        await store.append(Ownership("mine", "engine", 1), entries(1, ExecutionRecovered(engine="engine")))
        [claim] = await other.claim("engine-2", free=["engine"], limit=9)
        assert claim == Claim(ownership=Ownership("mine", "engine-2", 2), last_seq=2, previous="engine")


async def an_owner_sees_what_it_has(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await store.accept(acceptance("own", owner="engine"))
        await running(store, "claimed")
        await finished(store, id="finished")
        await claimed(store, "of another", owner="engine-2")
        assert await other.held("engine") == {"own": 1, "claimed": 1}
        await other.claim("engine-3", free=["engine"], limit=1, only=["claimed"])
        assert await store.held("engine") == {"own": 1}
        assert await store.held("engine-3") == {"claimed": 2}
        assert await store.held("unheard of") == {}


async def releasing_makes_it_pending_and_free(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        await store.append(claim.ownership, entries(2, ExecutionReleased(engine="engine")))
        row = await other.execution("one")
        assert row is not None
        assert (row.status, row.owner, row.completed_at) == ("pending", None, None)
        await raised(OwnershipLost, store.append(claim.ownership, entries(3, step_started())))
        assert await other.owners() == set()
        assert await other.unfinished() == 1
        assert _ids(await other.claim("engine-2", free=(), limit=1)) == ["one"]


async def a_parked_one_is_claimed_only_when_it_is_wanted_or_due(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        for id, wake_at in (("for ever", None), ("until ten", EPOCH + 10)):
            claim = await running(store, id)
            parked = ExecutionReleased(engine="engine", parked=True, wake_at=wake_at)
            await store.append(claim.ownership, entries(2, input_required(), parked))
        assert await other.unfinished() == 0
        assert await other.owners() == set()
        row = await other.execution("until ten")
        assert row is not None
        assert (row.status, row.owner, row.parked, row.wake_at) == ("running", None, True, EPOCH + 10)
        assert (row.waiting_for, [each.question for each in row.waiting]) == ("person", [3])
        [listed] = await other.executions(ExecutionFilter(status="running", limit=1))
        assert (listed.waiting, listed.parked) == (row.waiting, True)
        assert await other.claim("engine-2", free=["engine"], limit=9, due=EPOCH + 9) == []
        assert _ids(await other.claim("engine-2", free=(), limit=9, due=EPOCH + 10)) == ["until ten"]
        assert _ids(await store.claim("engine-2", free=(), limit=9, only=["for ever"])) == ["for ever"]
        assert await store.unfinished() == 2
        row = await store.execution("until ten")
        assert row is not None
        assert (row.status, row.owner, row.parked, row.wake_at) == ("running", "engine-2", False, None)
        # Who has claimed it and died before writing anything has not parked it again.
        assert len(await store.claim("engine-3", free=["engine-2"], limit=9)) == 2


async def the_end_clears_the_owner(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        for status, fact in FINALS.items():
            claim = await running(store, status, owner=f"owner of {status}")
            assert await other.unfinished() == 1
            assert await other.owners() == {f"owner of {status}"}
            await store.append(claim.ownership, entries(2, fact))
            assert await other.unfinished() == 0
            assert await other.owners() == set()
            await raised(OwnershipLost, store.append(claim.ownership, entries(3, step_started())))
            assert await other.claim("engine", free=[f"owner of {status}"], limit=9) == []


TOPICS: tuple[Topic, ...] = (
    claiming_takes_the_oldest_up_to_the_limit,
    those_that_have_run_come_first,
    only_the_dead_are_replaced,
    a_claim_can_be_restricted_to_ids,
    two_claims_never_get_the_same,
    only_the_owner_appends,
    who_has_lost_it_removes_no_intent,
    the_same_owner_claims_again_under_a_new_fence,
    who_accepts_may_own_from_the_start,
    an_owner_sees_what_it_has,
    releasing_makes_it_pending_and_free,
    a_parked_one_is_claimed_only_when_it_is_wanted_or_due,
    the_end_clears_the_owner,
)
