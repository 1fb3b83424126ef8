"""Engine and interpreter over the memory store: claiming, order, slots, cancel, recovery, leaving."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from awf.domain.outcomes import Failed, Succeeded
from awf.engine.engine import POLL, Engine, EngineSettings
from awf.engine.pinned import digest
from awf.engine.presence import Member, Presence, is_alive
from awf.errors import StoreUnavailable
from awf.journal.codec import type_of
from awf.journal.events import ExecutionAccepted
from awf.journal.store import Acceptance, ExecutionRow, Ownership
from awf.stores.memory import MemoryStore
from awf.testing.clock import FakeClock
from awf.testing.runners import ScriptedKeeper, ScriptedRunner, fail, wait, write

LINE = dedent("""
    name: line
    states:
      initial: a
      a: {type: step, command: "echo a", on_success: b, on_failure: bad}
      b: {type: step, command: "echo {{states.a.Output}}", on_success: done, on_failure: bad}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """)


class FullDisk(MemoryStore):
    """A memory store whose appends fail while ``full`` is set."""

    full = False
    refused = 0

    async def append(self, *args: Any, **kwargs: Any) -> None:
        if self.full:
            self.refused += 1
            raise StoreUnavailable("no space left")
        await super().append(*args, **kwargs)


class Unreadable(FullDisk):
    """A memory store that cannot be read so many times."""

    failures = 0

    async def secrets(self, execution: str) -> dict[str, Any]:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("cannot be read")
        return await super().secrets(execution)


class NoMarks:
    def __init__(self) -> None:
        self.marks: list[str] = []

    def cancel_marks(self) -> list[str]:
        return list(self.marks)

    def clear_mark(self, execution: str) -> None:
        if execution in self.marks:
            self.marks.remove(execution)


class Bench:
    """One storage directory, one memory store, engines as wanted."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = FullDisk()
        self.clock = FakeClock()
        self.runner = ScriptedRunner()
        self.attempts = ScriptedKeeper()
        self.marks = NoMarks()
        self.changed = asyncio.Event()
        self.server = Presence(
            directory / "servers", Member(id="server", pid=os.getpid(), version="1", started_at=1)
        )
        self.number = 0

    def presence(self, name: str) -> Presence:
        """An engine that lives, older than all others, and does nothing."""
        member = Member(id=name, pid=os.getpid(), version="1", started_at=0)
        return Presence(self.directory / "engines", member)

    def engine(self, runner: ScriptedRunner | None = None, slots: int = 16) -> Engine:
        self.number += 1
        member = Member(id=f"engine-{self.number}", pid=os.getpid(), version="1", started_at=self.number)
        presence = Presence(self.directory / "engines", member)
        return Engine(
            store=self.store,
            runners={"step": runner or self.runner},
            attempts=self.attempts,
            clock=self.clock,
            settings=EngineSettings(slots, self.directory / "engines", self.directory / "servers"),
            presence=presence,
            marks=self.marks,
            appended=self.changed.set,
            environ={"HOME": "/home/u"},
        )

    @asynccontextmanager
    async def running(self, **how: Any) -> AsyncIterator[Engine]:
        engine = self.engine(**how)
        task = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            engine.stop()
            await task
            engine._presence.release()

    async def accept(
        self, name: str, text: str = LINE, inputs: dict[str, Any] | None = None, owner: str | None = None
    ) -> None:
        fact = ExecutionAccepted(
            workflow="line",
            file="line.yaml",
            definition={"workflow": digest(text)},
            inputs=inputs or {},
            initial="a",
            root="/",
            working_dir="/",
        )
        await self.store.accept(
            Acceptance(id=name, fact=fact, now=self.clock.now(), sources={digest(text): text}, owner=owner)
        )

    async def until(self, name: str, *statuses: str) -> ExecutionRow:
        while True:
            self.changed.clear()
            row = await self.store.execution(name)
            assert row is not None
            if row.status in statuses:
                return row
            await asyncio.wait_for(self.changed.wait(), 10)

    async def parked(self, name: str = "one") -> ExecutionRow:
        """The row, once nobody has it and it waits."""
        while True:
            self.changed.clear()
            row = await self.store.execution(name)
            assert row is not None
            if row.parked:
                return row
            await asyncio.wait_for(self.changed.wait(), 10)

    async def types(self, name: str) -> list[str]:
        return [type_of(entry.fact) for entry in await self.store.journal(name)]


def scenario(test: Callable[[Bench], Awaitable[None]]) -> Callable[[Path], None]:
    def run(tmp_path: Path) -> None:
        async def inside() -> None:
            await test(Bench(tmp_path))

        asyncio.run(inside())

    run.__name__ = test.__name__
    return run


@scenario
async def test_an_execution_runs_to_its_end(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": write("hello\n")})
    await bench.accept("one")
    async with bench.running():
        row = await bench.until("one", "completed")
    assert row.exit_code == 0
    assert await bench.types("one") == [
        "execution.accepted",
        "execution.started",
        "state.entered",
        "step.started",
        "step.output",
        "step.completed",
        "state.entered",
        "step.started",
        "step.completed",
        "state.entered",
        "execution.completed",
    ]
    command = bench.runner.started[1].command
    assert command is not None
    assert command.display == "echo hello\n"


@scenario
async def test_what_is_beyond_the_slots_waits_in_order(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    for name in ("one", "two", "three"):
        await bench.accept(name)
    async with bench.running(slots=1) as engine:
        await bench.until("one", "running")
        await bench.runner.begun("a")
        assert [(await bench.until(name, "pending")).status for name in ("two", "three")] == ["pending"] * 2
        bench.runner.release("a")
        engine.wake()
        order = []
        for name in ("one", "two", "three"):
            row = await bench.until(name, "completed")
            order.append(row.running_since)
    contexts = [context.execution for context in bench.runner.contexts]
    assert contexts == ["one", "one", "two", "two", "three", "three"]


@scenario
async def test_a_cancel_needs_no_slot_and_ends_what_waits(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    await bench.accept("one")
    await bench.accept("two")
    async with bench.running(slots=1) as engine:
        await bench.runner.begun("a")
        for name in ("two", "one"):
            assert await bench.store.add_intent(name, "cancel", None, bench.clock.now())
            engine.wake()
            await bench.until(name, "cancelled")
    assert await bench.types("two") == ["execution.accepted", "cancel.requested", "execution.cancelled"]
    assert (await bench.types("one"))[-3:] == ["cancel.requested", "step.failed", "execution.cancelled"]
    assert await bench.store.intents() == []


@scenario
async def test_a_full_disk_delays_what_is_recorded_and_loses_nothing(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    await bench.accept("one")
    async with bench.running():
        await bench.runner.begun("a")
        bench.store.full = True
        bench.runner.release("a", Succeeded())
        while not bench.store.refused:
            await asyncio.sleep(0)
        assert [fact.state for fact in bench.runner.started] == ["a"]
        bench.store.full = False
        await bench.until("one", "completed")
    assert (await bench.types("one")).count("step.completed") == 2


@scenario
async def test_a_cancel_mark_ends_the_processes_while_the_disk_is_full(bench: Bench) -> None:
    ended = asyncio.Event()

    class Watched(ScriptedRunner):
        async def run(self, *args: Any) -> Any:
            outcome = await super().run(*args)
            ended.set()
            return outcome

    runner = Watched({"a": wait})
    await bench.accept("one")
    async with bench.running(runner=runner) as engine:
        await runner.begun("a")
        bench.store.full = True
        bench.marks.marks.append("one")
        engine.wake()
        await asyncio.wait_for(ended.wait(), 10)
        bench.store.full = False
        await bench.until("one", "cancelled")


@scenario
async def test_another_engine_goes_on_where_a_dead_one_was(bench: Bench) -> None:
    first = ScriptedRunner({"b": wait})
    await bench.accept("one")
    engine = bench.engine(runner=first)
    task = asyncio.create_task(engine.run())
    await first.begun("b")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    engine._presence.release()

    second = ScriptedRunner()
    async with bench.running(runner=second):
        await bench.until("one", "completed")
    assert [(fact.state, fact.attempt) for fact in second.started] == [("b", 2)]
    assert second.ended == ["one.2.1"]


@scenario
async def test_a_newer_engine_claims_and_the_older_only_finishes(bench: Bench) -> None:
    old, new = ScriptedRunner({"a": wait}), ScriptedRunner()
    await bench.accept("one")
    older = bench.engine(runner=old)
    older_task = asyncio.create_task(older.run())
    await old.begun("a")
    async with bench.running(runner=new):
        await bench.accept("two")
        older.wake()
        await bench.until("two", "completed")
        old.release("a")
        await bench.until("one", "completed")
        await asyncio.wait_for(older_task, 10)
    assert {context.execution for context in old.contexts} == {"one"}
    assert {context.execution for context in new.contexts} == {"two"}
    older._presence.release()


@scenario
async def test_a_draining_engine_records_its_step_and_lets_the_execution_go(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    await bench.accept("one")
    engine = bench.engine()
    task = asyncio.create_task(engine.run())
    await bench.runner.begun("a")
    engine.drain()
    bench.runner.release("a")
    await asyncio.wait_for(task, 10)
    row = await bench.until("one", "pending")
    assert row.owner is None
    assert (await bench.types("one"))[-2:] == ["step.completed", "execution.released"]
    engine._presence.release()

    async with bench.running(runner=ScriptedRunner()):
        await bench.until("one", "completed")


@scenario
async def test_a_stopped_engine_does_not_judge_its_steps(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    await bench.accept("one")
    async with bench.running():
        await bench.runner.begun("a")
    assert (await bench.types("one"))[-2:] == ["step.started", "execution.released"]


@scenario
async def test_without_a_server_an_engine_leaves_when_everything_is_done(bench: Bench) -> None:
    await bench.accept("one")
    bench.server.release()
    engine = bench.engine()
    await asyncio.wait_for(engine.run(), 10)
    assert (await bench.until("one", "completed")).status == "completed"
    engine._presence.release()


@scenario
async def test_a_pinned_text_that_is_gone_or_broken_fails_the_execution(bench: Bench) -> None:
    await bench.accept("one", "states: {initial: nowhere}")
    async with bench.running():
        row = await bench.until("one", "failed")
    assert row.error is not None
    assert "cannot run the pinned workflow" in row.error


@scenario
async def test_a_runner_that_breaks_is_a_failed_step(bench: Bench) -> None:
    def explode(*_: Any) -> Any:
        raise RuntimeError("bug")

    bench.runner = ScriptedRunner({"a": explode})
    await bench.accept("one")
    async with bench.running():
        await bench.until("one", "failed")
    assert "step.failed" in await bench.types("one")


@scenario
async def test_failures_are_routed(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": fail("boom", 7)})
    await bench.accept("one")
    async with bench.running():
        row = await bench.until("one", "failed")
    assert row.error == "workflow reached terminal failure state: bad"
    steps = await bench.store.steps("one")
    assert [(step.name, step.status, step.exit_code, step.error) for step in steps] == [
        ("a", "failed", 7, "boom")
    ]


def test_a_kill_signal_waits_for_the_engines_own_end(tmp_path: Path) -> None:
    async def inside() -> None:
        bench = Bench(tmp_path)
        bench.runner = ScriptedRunner({"a": lambda _fact, _emit: Failed("", 143)})
        await bench.accept("one")
        async with bench.running():
            await bench.runner.begun("a")
        assert "step.failed" not in await bench.types("one")

    asyncio.run(inside())


@scenario
async def test_a_read_that_fails_does_not_strand_an_execution(bench: Bench) -> None:
    bench.store = Unreadable()
    bench.store.failures = 2
    await bench.accept("one")
    async with bench.running():
        row = await bench.until("one", "completed")
    assert row.owner is None
    assert (await bench.types("one")).count("execution.released") == 2


@scenario
async def test_an_execution_that_can_never_go_on_fails_with_a_reference(bench: Bench) -> None:
    bench.store = Unreadable()
    bench.store.failures = 1000
    await bench.accept("one")
    async with bench.running():
        row = await bench.until("one", "failed")
    assert row.error is not None
    assert row.error.startswith("cannot be read (reference ")


@scenario
async def test_an_engine_whose_ownership_was_taken_ends_its_step_and_writes_nothing(bench: Bench) -> None:
    ended = asyncio.Event()

    class Watched(ScriptedRunner):
        async def run(self, *args: Any) -> Any:
            outcome = await super().run(*args)
            ended.set()
            return outcome

    runner = Watched({"a": wait})
    await bench.accept("one")
    thief = bench.presence("engine-9")
    async with bench.running(runner=runner) as engine:
        await runner.begun("a")
        before = await bench.types("one")
        [taken] = await bench.store.claim("engine-9", free=[engine.id], limit=1)
        bench.clock.advance(POLL)
        engine.wake()
        await asyncio.wait_for(ended.wait(), 10)
        while engine.running:
            await asyncio.sleep(0)
        assert await bench.types("one") == before
        assert await bench.store.held("engine-9") == {"one": taken.ownership.fence}
    thief.release()


@scenario
async def test_what_was_lost_and_comes_back_runs_once_its_processes_have_ended(bench: Bench) -> None:
    order: list[str] = []

    class Slow(ScriptedRunner):
        async def run(self, fact: Any, *args: Any) -> Any:
            order.append(f"began {fact.state} {fact.attempt}")
            outcome = await super().run(fact, *args)
            for _ in range(50):
                await asyncio.sleep(0)
            order.append(f"ended {fact.state} {fact.attempt}")
            return outcome

    runner = Slow({"a": lambda fact, emit: wait(fact, emit) if fact.attempt == 1 else Succeeded()})
    await bench.accept("one")
    async with bench.running(runner=runner) as engine:
        await runner.begun("a")
        await bench.store.claim("gone", free=[engine.id], limit=1)
        bench.clock.advance(POLL)
        engine.wake()
        await bench.until("one", "completed")
    assert order[:3] == ["began a 1", "ended a 1", "began a 2"]


@scenario
async def test_an_outcome_of_what_was_taken_is_not_written(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    await bench.accept("one")
    async with bench.running() as engine:
        await bench.runner.begun("a")
        before = await bench.types("one")
        thief = bench.presence("engine-9")
        await bench.store.claim("engine-9", free=[engine.id], limit=1)
        bench.runner.release("a")
        while engine.running:
            await asyncio.sleep(0)
        assert await bench.types("one") == before
        thief.release()
    assert [fact.state for fact in bench.runner.started] == ["a"]


@scenario
async def test_what_is_still_ours_is_left_alone(bench: Bench) -> None:
    bench.runner = ScriptedRunner({"a": wait})
    await bench.accept("one")
    async with bench.running() as engine:
        await bench.runner.begun("a")
        lock = bench.directory / "engines" / f"{engine.id}.lock"
        lock.unlink()
        assert not is_alive(bench.directory / "engines", engine.id)
        bench.clock.advance(POLL)
        engine.wake()
        while not lock.exists():
            await asyncio.sleep(0)
        assert is_alive(bench.directory / "engines", engine.id)
        assert engine.running == {"one"}
        bench.runner.release("a")
        await bench.until("one", "completed")


@scenario
async def test_a_foreground_run_runs_its_own_execution_and_no_other(bench: Bench) -> None:
    await bench.accept("of others")
    engine = bench.engine()
    await bench.accept("one", owner=engine.id)
    await asyncio.wait_for(engine.run_only(Ownership("one", engine.id, 1)), 10)
    assert (await bench.until("one", "completed")).exit_code == 0
    assert (await bench.until("of others", "pending")).owner is None
    engine._presence.release()
