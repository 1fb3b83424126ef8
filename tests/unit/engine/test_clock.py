"""The clock of the machine is set back: times in the journal do not go back, and nothing waits longer than it was to."""

from __future__ import annotations

import asyncio
from textwrap import dedent

import pytest

from awf.engine.engine import Engine
from awf.journal.events import StepCompleted
from awf.testing.runners import ScriptedRunner, fail, wait
from unit.engine.test_engine import Bench, Unreadable, scenario

HOUR = 3600.0


LINE = dedent("""
    name: line
    states:
      initial: a
      a: {STATE}
      b: {type: step, command: "echo b", on_success: done}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """)


def line(state: str) -> str:
    return LINE.replace("STATE", state)


async def in_order(bench: Bench, name: str = "one") -> None:
    """The times of a journal, and those of its rows."""
    times = [entry.at for entry in await bench.store.journal(name)]
    assert times == sorted(times)
    row = await bench.store.execution(name)
    assert row is not None
    assert row.completed_at is not None
    assert row.completed_at >= row.started_at
    for step in await bench.store.steps(name):
        assert step.completed_at is not None
        assert step.completed_at >= step.started_at


async def killed(bench: Bench, runner: ScriptedRunner, last: str) -> None:
    """An engine dies right after such an entry."""
    engine: Engine = bench.engine(runner=runner)
    task = asyncio.create_task(engine.run())
    while (await bench.types("one"))[-1] != last:
        bench.changed.clear()
        await asyncio.wait_for(bench.changed.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    engine._presence.release()


@scenario
async def test_while_a_step_runs(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    await bench.accept("one")
    async with bench.running():
        await bench.runner.begun("a")
        bench.clock.set_back(HOUR)
        bench.runner.release("a")
        await bench.until("one", "completed")
    await in_order(bench)


@scenario
async def test_before_an_execution_that_cannot_be_run_is_failed(bench: Bench) -> None:
    await bench.accept("one", "states: {initial: nowhere}")
    bench.clock.set_back(HOUR)
    async with bench.running():
        await bench.until("one", "failed")
    await in_order(bench)


@scenario
async def test_before_an_execution_is_let_go_and_before_it_is_given_up(bench: Bench) -> None:
    bench.store = Unreadable()
    bench.store.failures = 1000
    await bench.accept("one")
    bench.clock.set_back(HOUR)
    async with bench.running():
        await bench.until("one", "failed")
    assert "execution.released" in await bench.types("one")
    await in_order(bench)


@pytest.mark.parametrize(
    ("state", "last"),
    [
        ("type: approval, message: Well?, timeout: 200ms, on_approve: bad, on_timeout: b", "input.required"),
        (
            "type: step, command: x, retry: {max_attempts: 2, initial_delay: 200ms}, on_success: b, on_failure: bad",
            "step.retrying",
        ),
        (
            "type: parallel, parallel: [c], timeout: 200ms, on_failure: b, on_success: bad}\n  c: {type: step, command: x",
            "step.started",
        ),
    ],
)
def test_between_two_engines_while_it_waits(tmp_path, state: str, last: str) -> None:
    @scenario
    async def waits(bench: Bench) -> None:
        await bench.accept("one", line(state))
        await killed(bench, ScriptedRunner({"a": fail("not yet"), "c": wait}), last)
        bench.clock.set_back(HOUR)
        async with bench.running(runner=ScriptedRunner({"c": wait})):
            await bench.until("one", "completed")
        await in_order(bench)

    waits(tmp_path)


@scenario
async def test_while_it_is_only_a_row(bench: Bench) -> None:
    await bench.accept(
        "one", line("type: approval, message: Well?, timeout: 1h, on_approve: bad, on_timeout: b")
    )
    async with bench.running() as engine:
        row = await bench.parked()
        bench.clock.advance(HOUR / 2)
        bench.clock.set_back(2 * HOUR)
        bench.clock.advance(HOUR / 2 - 2)
        await bench.accept("two")  # once it is done, the engine has looked
        engine.wake()
        await bench.until("two", "completed")
        assert (await bench.parked()).last_seq == row.last_seq
        bench.clock.advance(2)
        engine.wake()
        await bench.until("one", "completed")
    await in_order(bench)


@scenario
async def test_a_step_that_is_taken_over_has_not_run_for_less_than_no_time(bench: Bench) -> None:
    await bench.accept("one", line("type: step, command: x, detach: true, on_success: done"))
    await killed(bench, ScriptedRunner({"a": wait}), "step.started")
    bench.attempts.adopts = {"one.1.1"}
    bench.clock.advance(5)
    bench.clock.set_back(HOUR)
    runner = ScriptedRunner()
    async with bench.running(runner=runner):
        await bench.until("one", "completed")
    assert [ran for _, ran in runner.adopted] == [0.0]
    await in_order(bench)


@scenario
async def test_a_block_has_not_taken_less_than_no_time(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"c": wait})
    await bench.accept(
        "one", line("type: parallel, parallel: [c], on_success: done}\n  c: {type: step, command: x")
    )
    async with bench.running():
        await bench.runner.begun("c")
        bench.clock.set_back(HOUR)
        bench.runner.release("c")
        await bench.until("one", "completed")
    ended = [
        entry.fact for entry in await bench.store.journal("one") if isinstance(entry.fact, StepCompleted)
    ]
    assert [fact.duration for fact in ended] == [0.0, 0.0]
    await in_order(bench)
