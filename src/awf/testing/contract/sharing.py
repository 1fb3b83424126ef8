"""What holds between callers: nobody shares objects with the store, and upkeep disturbs nobody."""

from __future__ import annotations

import asyncio

from awf.testing.builders import acceptance, claimed, entries, running, step_completed, step_started
from awf.testing.contract.topic import OpenStores, Topic


async def rows_belong_to_who_reads_them(open_stores: OpenStores) -> None:
    async with open_stores() as (store, _):
        claim = await running(store)
        await store.append(claim.ownership, entries(2, step_started()))
        row = await store.execution("one")
        assert row is not None
        row.status = "failed"
        row.inputs["target"] = "spoilt"
        [step] = await store.steps("one")
        step.status = "failed"
        again = await store.execution("one")
        assert again is not None
        assert (again.status, again.inputs["target"]) == ("running", "all")
        assert [step.status for step in await store.steps("one")] == ["running"]


async def what_is_accepted_belongs_to_the_store(open_stores: OpenStores) -> None:
    async with open_stores() as (store, _):
        inputs = {"target": "all"}
        await store.accept(acceptance("one", inputs=inputs))
        inputs["target"] = "spoilt"
        row = await store.execution("one")
        assert row is not None
        assert row.inputs == {"target": "all"}


async def upkeep_disturbs_nobody(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        ownership = (await claimed(store)).ownership
        for step in range(1, 20):
            await asyncio.gather(
                store.append(ownership, entries(2 * step - 1, step_started(step), step_completed(step))),
                store.maintain(),
                other.maintain(),
                other.journal("one"),
            )
        assert [entry.seq for entry in await other.journal("one")] == list(range(1, 40))


async def closing_finishes_what_was_asked_and_may_be_repeated(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        asked = [asyncio.ensure_future(store.accept(acceptance(str(number)))) for number in range(50)]
        await asked[0]
        await store.close()
        await asyncio.gather(*asked)
        await store.close()
        if other is not store:
            assert await other.unfinished() == 50


TOPICS: tuple[Topic, ...] = (
    rows_belong_to_who_reads_them,
    what_is_accepted_belongs_to_the_store,
    upkeep_disturbs_nobody,
    closing_finishes_what_was_asked_and_may_be_repeated,
)
