"""Appending to journals, and the rows that are projections of them."""

from __future__ import annotations

import asyncio

from awf.errors import OwnershipLost, ReplayDiverged
from awf.journal.events import (
    Entry,
    ExecutionFailed,
    ExecutionStarted,
    ShellCommand,
    StateEntered,
    StepReused,
)
from awf.journal.projection import accepted_row, project
from awf.journal.store import Ownership, StepRow, Store
from awf.testing.builders import (
    EPOCH,
    FINALS,
    SECOND,
    claimed,
    entries,
    running,
    step_completed,
    step_failed,
    step_output,
    step_started,
)
from awf.testing.contract.topic import OpenStores, Topic, raised


async def entries_come_back_as_they_were(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await claimed(store)
        appended = entries(
            1,
            ExecutionStarted(engine="engine"),
            step_started(command=ShellCommand(script="echo $X", variables=(("X", "a 'b'\n\0é"),))),
            step_output(1, "é𝄞\n", stream="stderr", truncated=True),
            step_failed(1, exit_code=137, error="killed", stdout_tail="…"),
            at=EPOCH + 1,
        )
        await store.append(claim.ownership, appended[:2])
        await store.append(claim.ownership, appended[2:])
        assert (await other.journal("one"))[1:] == appended


async def numbers_continue_without_a_gap(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        started, ended = step_started(), step_completed()
        wrong = [
            [Entry(2, EPOCH, started)],
            [Entry(4, EPOCH, started)],
            [Entry(3, EPOCH, started), Entry(5, EPOCH, ended)],
            [Entry(3, EPOCH, started), Entry(3, EPOCH, ended)],
        ]
        for attempt in wrong:
            await raised(ReplayDiverged, store.append(claim.ownership, attempt))
        assert (await other.heads(["one"]))["one"].last_seq == 2
        assert await other.steps("one") == []
        await store.append(claim.ownership, entries(2, started, ended))
        assert [entry.seq for entry in await other.journal("one")] == [1, 2, 3, 4]


async def nothing_follows_a_final_entry(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        late = entries(2, FINALS["completed"], step_started())
        await raised(ReplayDiverged, store.append(claim.ownership, late))
        assert not (await other.heads(["one"]))["one"].finished
        assert len(await other.journal("one")) == 2


async def a_failing_append_disturbs_no_other(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        owned = [(await running(store, str(number))).ownership for number in range(8)]
        lost = Ownership("3", "somebody else", 1)
        results = await asyncio.gather(
            *(store.append(one, entries(2, step_started())) for one in owned[:4]),
            store.append(lost, entries(2, step_started())),
            store.append(owned[7], entries(9, step_started())),
            *(store.append(one, entries(2, step_started())) for one in owned[4:]),
            return_exceptions=True,
        )
        assert [type(result) for result in results[4:6]] == [OwnershipLost, ReplayDiverged]
        assert results[:4] + results[6:] == [None] * 8
        heads = await other.heads([str(number) for number in range(8)])
        assert {head.last_seq for head in heads.values()} == {3}


async def many_appends_at_once_keep_every_journal_whole(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):

        async def run(handle: Store, id: str) -> None:
            ownership = (await claimed(handle, id)).ownership
            for step in range(1, 11):
                await handle.append(
                    ownership, entries(2 * step - 1, step_started(step), step_completed(step))
                )

        await asyncio.gather(*(run((store, other)[number % 2], str(number)) for number in range(20)))
        for number in range(20):
            journal = await store.journal(str(number))
            assert [entry.seq for entry in journal] == list(range(1, 22))
            assert [step.step for step in await other.steps(str(number))] == list(range(1, 11))


async def the_row_follows_the_journal(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await claimed(store)
        await store.append(claim.ownership, entries(1, ExecutionStarted(engine="engine"), at=EPOCH + SECOND))
        entered = StateEntered(state="test", path="test", kind="step", via="on_success")
        await store.append(claim.ownership, entries(2, entered, at=EPOCH + 2 * SECOND))
        row = await other.execution("one")
        assert row is not None
        assert (row.status, row.current_step, row.owner) == ("running", "test", "engine")
        assert (row.running_since, row.updated_at) == (EPOCH + SECOND, EPOCH + 2 * SECOND)
        assert (row.started_at, row.last_seq, row.completed_at) == (EPOCH, 3, None)
        failure = ExecutionFailed(error="exit code 3", state="test", exit_code=3)
        await store.append(claim.ownership, entries(3, failure, at=EPOCH + 3 * SECOND))
        row = await other.execution("one")
        assert row is not None
        assert (row.status, row.error, row.exit_code) == ("failed", "exit code 3", 3)
        assert (row.completed_at, row.running_since) == (EPOCH + 3 * SECOND, EPOCH + SECOND)
        assert (row.current_step, row.inputs) == ("test", {"target": "all", "jobs": 2})


async def a_step_row_is_its_latest_attempt(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        shown = ShellCommand(script="make $X", variables=(("X", "all"),), display="make all")
        await store.append(claim.ownership, entries(2, step_started(command=shown), at=EPOCH + 10))
        await store.append(claim.ownership, entries(3, step_failed(exit_code=2, error="no"), at=EPOCH + 20))
        [first] = await other.steps("one")
        assert first == StepRow(
            step=1,
            name="build",
            path="build",
            status="failed",
            attempt=1,
            exit_code=2,
            started_at=EPOCH + 10,
            completed_at=EPOCH + 20,
            error="no",
            command="make all",
            first_seq=3,
            last_seq=4,
        )
        again = step_started(attempt=2, command=ShellCommand(script="make"))
        await store.append(claim.ownership, entries(4, again, at=EPOCH + 30))
        [running_again] = await other.steps("one")
        assert (running_again.status, running_again.attempt, running_again.command) == ("running", 2, "make")
        assert (running_again.started_at, running_again.completed_at) == (EPOCH + 10, None)
        assert (running_again.first_seq, running_again.last_seq) == (5, 0)
        assert (running_again.error, running_again.exit_code) == (None, None)
        await store.append(claim.ownership, entries(5, step_completed(attempt=2), at=EPOCH + 40))
        [done] = await other.steps("one")
        assert (done.status, done.exit_code, done.error, done.last_seq) == ("completed", 0, None, 6)


async def a_step_row_has_the_warnings_of_its_start_and_the_note_of_its_end(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        warned = step_started(warnings=("“quotes” are plain", "x'y"))
        await store.append(claim.ownership, entries(2, warned))
        await store.append(claim.ownership, entries(3, step_completed(note="reached its limit")))
        [row] = await other.steps("one")
        assert (row.warnings, row.note) == (("“quotes” are plain", "x'y"), "reached its limit")
        [latest] = await other.steps("one", latest=True)
        assert latest == row
        await store.append(claim.ownership, entries(4, step_started(2)))
        [_, plain] = await other.steps("one")
        assert (plain.warnings, plain.note) == ((), "")


async def rows_are_what_folding_the_journal_gives(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        ownership = (await claimed(store)).ownership
        reused = StepReused(
            step=1,
            state="a",
            path="a",
            attempt=2,
            exit_code=0,
            output="o",
            stderr="e",
            started_at=5,
            completed_at=6,
        )
        appended = entries(
            1,
            ExecutionStarted(engine="engine"),
            reused,
            step_started(2, path="loop[0]/b", state="b"),
            step_started(3),
            step_output(3, "text"),
            step_completed(3),
            step_failed(2, path="loop[0]/b", state="b"),
            FINALS["failed"],
        )
        for part in (appended[:4], appended[4:5], appended[5:]):
            await store.append(ownership, part)
        journal = await other.journal("one")
        row = await other.execution("one")
        assert row is not None
        folded = accepted_row("one", row.order, journal[0])
        folded.owner = "engine"
        nothing_before: dict[int, StepRow] = {}
        steps = project(folded, journal[1:], nothing_before.get)
        assert row == folded
        assert await other.steps("one") == [steps[number] for number in sorted(steps)]


TOPICS: tuple[Topic, ...] = (
    entries_come_back_as_they_were,
    numbers_continue_without_a_gap,
    nothing_follows_a_final_entry,
    a_failing_append_disturbs_no_other,
    many_appends_at_once_keep_every_journal_whole,
    the_row_follows_the_journal,
    a_step_row_is_its_latest_attempt,
    a_step_row_has_the_warnings_of_its_start_and_the_note_of_its_end,
    rows_are_what_folding_the_journal_gives,
)
