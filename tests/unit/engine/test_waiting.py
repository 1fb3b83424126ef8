"""Executions that wait for a person, through real engines: parked, wanted, due, cancelled."""

from __future__ import annotations

import asyncio
from textwrap import dedent
from typing import Any

from awf.engine.waiting import SHORTEST_REST
from awf.journal.store import ExecutionRow
from awf.testing.builders import SECOND
from awf.testing.runners import ScriptedRunner, wait, write
from unit.engine.test_engine import LINE, Bench, scenario

ASKING = dedent("""
    name: line
    states:
      initial: a
      a: {type: step, command: "echo a", on_crash: ask, on_success: b, on_failure: bad}
      b: {type: step, command: "echo b", on_success: done}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """)

LIMITED = dedent("""
    name: line
    states:
      initial: all
      all: {type: parallel, parallel: [a, c], timeout: 1h, on_success: done, on_failure: bad}
      a: {type: step, command: "echo a", on_crash: ask, on_success: done}
      c: {type: step, command: "echo c", on_crash: ask, on_success: done}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """)


async def stopped_in(bench: Bench, *states: str) -> None:
    """An engine begins these states and is stopped while they run."""
    bench.runner = ScriptedRunner(dict.fromkeys(states, wait))
    async with bench.running():
        for state in states:
            await bench.runner.begun(state)
    bench.runner = ScriptedRunner()


async def answer(bench: Bench, row: ExecutionRow, path: str, response: str) -> bool:
    (asked,) = (each for each in row.waiting if each.path == path)
    data = {"question": asked.question, "response": response, "comment": ""}
    return await bench.store.add_intent(row.id, "respond", data, bench.clock.now(), question=asked.question)


async def asked(bench: Bench, text: str, *states: str) -> ExecutionRow:
    """An execution that waits, and an engine that has let it go and left."""
    await bench.accept("one", text)
    await stopped_in(bench, *states)
    async with bench.running():
        return await bench.parked()


@scenario
async def test_what_waits_keeps_no_engine_alive_and_is_not_taken_again(bench: Bench) -> None:
    row = await asked(bench, ASKING, "a")
    assert (row.status, row.owner, row.waiting_for) == ("running", None, "person")
    bench.server.release()
    for _ in range(2):
        engine = bench.engine()
        await asyncio.wait_for(engine.run(), 10)
        engine._presence.release()
    assert (await bench.types("one"))[-3:] == ["execution.recovered", "input.required", "execution.released"]
    assert [fact.attempt for fact in bench.runner.started] == []


@scenario
async def test_an_answer_is_obeyed_at_once_also_without_a_free_slot(bench: Bench) -> None:
    row = await asked(bench, ASKING, "a")
    await bench.accept("busy", LINE)
    runner = ScriptedRunner(
        {"a": lambda fact, emit: wait(fact, emit) if fact.attempt == 1 else write("2")(fact, emit)}
    )
    async with bench.running(runner=runner, slots=1) as engine:
        await runner.begun("a")
        assert await answer(bench, row, "a", "skip")
        engine.wake()
        while "step.completed" not in await bench.types("one"):
            await asyncio.sleep(0)
        assert (await bench.store.execution("one")).waiting == ()  # type: ignore[union-attr]
        runner.release("a")
        await bench.until("one", "completed")
    assert await bench.store.intents() == []


@scenario
async def test_two_questions_are_answered_one_by_one(bench: Bench) -> None:
    row = await asked(bench, LIMITED, "a", "c")
    assert [each.path for each in row.waiting] == ["all/a", "all/c"]
    async with bench.running() as engine:
        assert await answer(bench, row, "all/a", "skip")
        assert not await answer(bench, row, "all/a", "fail")
        engine.wake()
        while [each.path for each in (await bench.parked()).waiting] != ["all/c"]:
            await asyncio.sleep(0)
        assert await answer(bench, row, "all/c", "rerun")
        engine.wake()
        await bench.until("one", "completed")
    assert [(fact.path, fact.attempt) for fact in bench.runner.started] == [("all/c", 2)]


@scenario
async def test_two_answers_at_the_same_moment_are_both_obeyed(bench: Bench) -> None:
    row = await asked(bench, LIMITED, "a", "c")
    assert await answer(bench, row, "all/a", "skip")
    assert await answer(bench, row, "all/c", "skip")
    async with bench.running():
        await bench.until("one", "completed")
    assert (await bench.types("one")).count("input.received") == 2
    assert await bench.store.intents() == []


@scenario
async def test_the_time_limit_of_a_block_is_kept_by_whoever_looks(bench: Bench) -> None:
    row = await asked(bench, LIMITED, "a", "c")
    assert row.wake_at is not None
    bench.clock.advance((row.wake_at - bench.clock.now() - SHORTEST_REST) / SECOND)
    async with bench.running():
        assert (await bench.store.execution("one")).parked  # type: ignore[union-attr]
        bench.clock.advance(SHORTEST_REST / SECOND)
        ended = await bench.until("one", "failed")
    assert ended.waiting == ()
    steps = {step.path: step.error for step in await bench.store.steps("one")}
    assert steps["all"] == "timeout exceeded (1h0m0s)"
    assert steps["all/a"] == "cancelled"


@scenario
async def test_what_waits_can_be_cancelled_also_while_the_disk_is_full(bench: Bench) -> None:
    await asked(bench, ASKING, "a")
    async with bench.running() as engine:
        bench.marks.marks.append("one")
        engine.wake()
        await bench.until("one", "cancelled")
        while bench.marks.marks:
            engine.wake()
            await asyncio.sleep(0)
    assert (await bench.types("one"))[-3:] == ["cancel.requested", "step.failed", "execution.cancelled"]


@scenario
async def test_an_answer_that_comes_while_it_is_let_go_is_not_lost(bench: Bench) -> None:
    await bench.accept("one", ASKING)
    await stopped_in(bench, "a")
    append = bench.store.append

    async def answered_meanwhile(ownership: Any, entries: Any, **more: Any) -> None:
        await append(ownership, entries, **more)
        row = await bench.store.execution("one")
        if row is not None and row.parked:
            bench.store.append = append  # type: ignore[method-assign]
            assert await answer(bench, row, "a", "skip")
            engine.wake()
            for _ in range(50):
                await asyncio.sleep(0)

    bench.store.append = answered_meanwhile  # type: ignore[method-assign]
    async with bench.running() as engine:
        await bench.until("one", "completed")
    assert (await bench.types("one")).count("input.received") == 1
