"""Reading journals, heads, steps and the texts of steps."""

from __future__ import annotations

from awf.journal.events import StepReused
from awf.journal.store import Head, StepText, Store
from awf.testing.builders import (
    FINALS,
    acceptance,
    entries,
    running,
    step_completed,
    step_failed,
    step_output,
    step_started,
)
from awf.testing.contract.topic import OpenStores, Topic


async def a_journal_is_read_in_pages(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        outputs = [step_output(1, f"line {number}\n") for number in range(8)]
        await store.append(claim.ownership, entries(2, *outputs))

        async def numbers(after: int, limit: int) -> list[int]:
            return [entry.seq for entry in await other.journal("one", after=after, limit=limit)]

        assert await numbers(0, 100) == list(range(1, 11))
        assert await numbers(0, 3) == [1, 2, 3]
        assert await numbers(3, 3) == [4, 5, 6]
        assert await numbers(9, 3) == [10]
        assert await numbers(10, 3) == []
        assert await numbers(4711, 3) == []
        await store.append(claim.ownership, entries(10, step_completed(), step_output(1, "late")))
        found = await other.journal("one", after=8, limit=2, types={"step.completed", "step.output"})
        assert [entry.seq for entry in found] == [9, 10]
        found = await other.journal("one", types={"step.completed"})
        assert [(entry.seq, entry.fact) for entry in found] == [(11, step_completed())]
        assert await other.journal("one", types=()) == []
        assert await other.journal("unknown") == []


async def heads_say_how_far_each_journal_is(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await store.accept(acceptance("accepted"))
        claim = await running(store, "ended")
        await running(store, "running")
        await store.append(claim.ownership, entries(2, FINALS["cancelled"]))
        assert await other.heads(["running", "unknown", "ended", "accepted"]) == {
            "running": Head(2, finished=False),
            "ended": Head(3, finished=True),
            "accepted": Head(1, finished=False),
        }
        assert await other.heads([]) == {}


async def an_unknown_execution_is_nothing(open_stores: OpenStores) -> None:
    async with open_stores() as (store, _):
        await store.accept(acceptance("one"))
        assert await store.execution("unknown") is None
        assert await store.steps("unknown") == []
        assert await store.steps("one") == []
        assert await store.step_text("unknown", 1, "stdout") is None
        assert await store.step_text("one", 1, "stdout") is None


async def steps_are_read_in_pages_or_from_the_end(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        claim = await running(store)
        await store.append(claim.ownership, entries(2, *(step_started(number) for number in range(1, 13))))

        async def numbers(after: int, limit: int, latest: bool) -> list[int]:
            rows = await other.steps("one", after=after, limit=limit, latest=latest)
            return [row.step for row in rows]

        assert await numbers(0, 5, latest=False) == [1, 2, 3, 4, 5]
        assert await numbers(5, 5, latest=False) == [6, 7, 8, 9, 10]
        assert await numbers(10, 5, latest=False) == [11, 12]
        assert await numbers(0, 5, latest=True) == [8, 9, 10, 11, 12]
        assert await numbers(10, 5, latest=True) == [11, 12]
        assert await numbers(12, 5, latest=True) == []


async def _wrote(store: Store) -> None:
    """Two steps in parallel, the first in its second attempt, on one journal."""
    ownership = (await running(store)).ownership
    await store.append(
        ownership,
        entries(
            2,
            step_started(1),
            step_output(1, "of the first attempt\n"),
            step_failed(1, stdout_bytes=21),
            step_started(1, attempt=2),
            step_started(2),
            step_output(1, "one ", attempt=2),
            step_output(2, "of the other step\n"),
            step_output(1, "warning\n", stream="stderr", attempt=2),
        ),
    )
    await store.append(ownership, entries(10, step_output(1, "é two", attempt=2)))


async def the_text_of_a_running_step_is_what_it_wrote_so_far(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _wrote(store)
        assert await other.step_text("one", 1, "stdout") == StepText("one é two")
        assert await other.step_text("one", 1, "stderr") == StepText("warning\n")
        assert await other.step_text("one", 2, "stdout") == StepText("of the other step\n")
        assert await other.step_text("one", 2, "stderr") == StepText("")
        assert await other.step_text("one", 3, "stdout") is None


async def a_limit_cuts_at_a_character_and_counts_what_is_before(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _wrote(store)
        for ended in (False, True):
            assert await other.step_text("one", 1, "stdout", limit=100) == StepText("one é two")
            assert await other.step_text("one", 1, "stdout", limit=10) == StepText("one é two")
            assert await other.step_text("one", 1, "stdout", limit=6) == StepText("é two", omitted=4)
            assert await other.step_text("one", 1, "stdout", limit=5) == StepText(" two", omitted=6)
            assert await other.step_text("one", 1, "stdout", limit=1) == StepText("o", omitted=9)
            if not ended:
                [claim] = await store.claim("engine", free=["engine"], limit=1)
                done = step_completed(1, attempt=2, stdout_bytes=10, stderr_bytes=8)
                await store.append(claim.ownership, entries(11, done))


async def a_long_stream_has_its_beginning_a_mark_and_its_end(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        ownership = (await running(store)).ownership
        await store.append(
            ownership,
            entries(
                2,
                step_started(),
                step_output(1, "begin"),
                step_output(1, "ning", truncated=True),
                step_output(1, "whole", stream="stderr"),
            ),
        )
        assert await other.step_text("one", 1, "stdout") == StepText("beginning")
        ended = step_completed(stdout_bytes=1000, stdout_tail="the end", stderr_bytes=5)
        await store.append(ownership, entries(6, ended))
        whole = await other.step_text("one", 1, "stdout")
        assert whole is not None
        assert whole.text.startswith("beginning\n")
        assert whole.text.endswith("\nthe end")
        assert len(whole.text.splitlines()) == 3
        assert "984 bytes" in whole.text.splitlines()[1]
        assert whole.omitted == 984
        size = len(whole.text.encode())
        assert await other.step_text("one", 1, "stdout", limit=size) == whole
        assert await other.step_text("one", 1, "stdout", limit=size - 5) == StepText(
            whole.text[5:], omitted=989
        )
        assert await other.step_text("one", 1, "stdout", limit=size - 10) == StepText("the end", omitted=993)
        assert await other.step_text("one", 1, "stdout", limit=3) == StepText("end", omitted=997)
        assert await other.step_text("one", 1, "stderr") == StepText("whole")


async def a_stream_whose_end_was_kept_whole_has_no_mark(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        ownership = (await running(store)).ownership
        facts = (
            step_started(),
            step_output(1, "beginning, ", truncated=True),
            step_failed(stdout_bytes=18, stdout_tail="the end"),
        )
        await store.append(ownership, entries(2, *facts))
        assert await other.step_text("one", 1, "stdout") == StepText("beginning, the end")
        assert await other.step_text("one", 1, "stdout", limit=12) == StepText("ing, the end", omitted=6)


async def a_reused_step_has_the_text_it_was_taken_over_with(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        ownership = (await running(store)).ownership
        fact = StepReused(
            step=1,
            state="build",
            path="build",
            attempt=3,
            exit_code=0,
            output="out é",
            stderr="err",
            started_at=7,
            completed_at=9,
        )
        await store.append(ownership, entries(2, fact))
        assert await other.step_text("one", 1, "stdout") == StepText("out é")
        assert await other.step_text("one", 1, "stderr", limit=2) == StepText("rr", omitted=1)
        [row] = await other.steps("one")
        assert (row.reused, row.attempt, row.started_at, row.completed_at) == (True, 3, 7, 9)


TOPICS: tuple[Topic, ...] = (
    a_journal_is_read_in_pages,
    heads_say_how_far_each_journal_is,
    an_unknown_execution_is_nothing,
    steps_are_read_in_pages_or_from_the_end,
    the_text_of_a_running_step_is_what_it_wrote_so_far,
    a_limit_cuts_at_a_character_and_counts_what_is_before,
    a_long_stream_has_its_beginning_a_mark_and_its_end,
    a_stream_whose_end_was_kept_whole_has_no_mark,
    a_reused_step_has_the_text_it_was_taken_over_with,
)
