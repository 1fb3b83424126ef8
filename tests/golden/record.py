"""Records journals with the code as it is, for later versions to read: ``make golden``.

Adds what is not there yet and never overwrites: a recorded journal is what some version of awf has written on somebody's
disk, and stays. A journal is a file of lines, one entry each as the codec writes it; a file may hold two executions, one
of which resumes the other. ``sources.json`` has the pinned texts of all of them by digest.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec

from awf.catalog import Catalog
from awf.engine.clock import SystemClock
from awf.engine.engine import Engine, EngineSettings
from awf.engine.presence import Member, Presence
from awf.engine.service import Place, Service, Signals, journal_of
from awf.journal.codec import encode
from awf.journal.events import Entry, InputRequired, StepOutput, StepStarted
from awf.runners.agents.port import Provider
from awf.runners.agents.runner import AgentRunner, tools
from awf.runners.attempts import Attempts
from awf.runners.notes import Notes
from awf.runners.shell import ShellRunner
from awf.stores.memory import MemoryStore
from awf.testing.agents import ScriptedTool
from golden.workflows import FILES, MOMENTS

HERE = Path(__file__).parent
SOURCES = HERE / "sources.json"


class Recorder:
    """A store, a catalog, and engines that come and go."""

    def __init__(self, project: Path, store: MemoryStore | None = None, programs: str = "") -> None:
        for name, text in FILES.items():
            path = project / ".awf" / "workflows" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.store = store or MemoryStore()
        self.programs = programs + os.environ["PATH"]
        self.directory = project / ".awf"
        self.changed = asyncio.Event()
        self.engine: Engine | None = None
        self.service = Service(
            store=self.store,
            catalog=Catalog(project, {"HOME": str(project)}),
            clock=SystemClock(),
            signals=Signals(wake=self._wake, mark_cancel=lambda _: False, alive=lambda _: True),
            place=Place(root="/", working_dir="/"),
        )
        self._task: asyncio.Task[None] | None = None
        self._presences: list[Presence] = []

    async def start(self, name: str) -> None:
        """An engine comes."""
        member = Member(id=name, pid=os.getpid(), version="1", started_at=1)
        self._presences = [
            Presence(
                self.directory / "servers", Member(id="server", pid=os.getpid(), version="1", started_at=1)
            ),
            Presence(self.directory / "engines", member),
        ]
        clock = SystemClock()
        providers: dict[str, Provider] = {"scripted": ScriptedTool()}
        attempts = Attempts(self.directory / "attempts", Notes(self.directory / "engines", name))
        self.engine = Engine(
            store=self.store,
            runners={
                "step": ShellRunner("/bin/sh", 1.0, clock, attempts),
                "agent": AgentRunner(providers, 1.0, clock, attempts),
            },
            attempts=attempts,
            clock=clock,
            settings=EngineSettings(
                slots=8,
                engines=self.directory / "engines",
                servers=self.directory / "servers",
                tools=tools(providers),
            ),
            presence=self._presences[1],
            marks=_NoMarks(),
            appended=self.changed.set,
            environ={"PATH": self.programs},
        )
        self._task = asyncio.create_task(self.engine.run())

    async def stop(self) -> None:
        """It leaves in order, without waiting for its steps."""
        if self.engine is not None and self._task is not None:
            self.engine.stop()
            await self._task
            for presence in self._presences:
                presence.release()
        self.engine = None

    async def until(self, execution: str, holds: Callable[[list[Entry]], bool]) -> list[Entry]:
        """The journal, once something holds of it."""
        while True:
            self.changed.clear()
            journal = await journal_of(self.store, execution)
            if holds(journal):
                return journal
            async with asyncio.timeout(60):
                await self.changed.wait()

    async def ended(self, execution: str) -> list[Entry]:
        """The journal of a finished execution."""
        await self.until(execution, lambda journal: type(journal[-1].fact).__name__ in _FINAL)
        return await journal_of(self.store, execution)

    async def runs(self, execution: str, path: str) -> list[Entry]:
        """The journal while the first attempt at a path runs."""
        return await self.until(execution, lambda journal: _started(journal[-1], path))

    async def asks(self, execution: str, count: int) -> list[Entry]:
        """The journal once it is parked with so many questions asked."""
        return await self.until(
            execution,
            lambda journal: (
                getattr(journal[-1].fact, "parked", False)
                and sum(isinstance(entry.fact, InputRequired) for entry in journal) == count
            ),
        )

    def _wake(self) -> None:
        if self.engine is not None:
            self.engine.wake()


class _NoMarks:
    def cancel_marks(self) -> list[str]:
        return []

    def clear_mark(self, execution: str) -> None:
        pass


_FINAL = {"ExecutionCompleted", "ExecutionFailed", "ExecutionCancelled"}

Journals = dict[str, list[Entry]]


def _started(entry: Entry, path: str) -> bool:
    return isinstance(entry.fact, StepStarted) and entry.fact.path == path


async def _held(recorder: Recorder, path: str, inputs: dict[str, Any]) -> tuple[str, list[Entry]]:
    """Run up to a step that waits to be interrupted; at those before, engines come and go."""
    execution = await recorder.service.run("everything", inputs)
    await recorder.start("engine-0")
    for number, moment in enumerate(_holds(path)):
        journal = await recorder.runs(execution, moment)
        if moment == path:
            return execution, journal
        await recorder.stop()
        await recorder.start(f"engine-{number + 1}")
    raise AssertionError(path)


def _holds(path: str) -> list[str]:
    every = ["each[0]/hold", "each[1]/hold", "both/right", "call/hold"]
    return every[: every.index(path) + 1]


async def _in_flight(recorder: Recorder, path: str) -> Journals:
    execution, journal = await _held(recorder, path, {})
    return {execution: journal}


async def _to_the_end(recorder: Recorder, inputs: dict[str, Any]) -> str:
    execution, _ = await _held(recorder, "call/hold", inputs)
    await recorder.stop()
    await recorder.start("engine-9")
    await recorder.ended(execution)
    return execution


async def _finished(recorder: Recorder) -> Journals:
    execution = await _to_the_end(recorder, {})
    return {execution: await recorder.ended(execution)}


async def _cancelled(recorder: Recorder) -> Journals:
    execution, _ = await _held(recorder, "each[1]/hold", {})
    await recorder.service.cancel(execution)
    return {execution: await recorder.ended(execution)}


async def _resumed(recorder: Recorder) -> Journals:
    """A failed one; one that resumes it and has not been begun; one that has ended; one at a step."""
    failed = await _to_the_end(recorder, {"fails": True})
    new = await recorder.service.resume(failed, from_step=None, overrides={"fails": False})
    finished = await recorder.ended(new)
    held = await recorder.service.resume(failed, from_step="both", overrides={})
    journal = await recorder.runs(held, "both/right")
    await recorder.stop()
    pending = await recorder.service.resume(failed, from_step="call", overrides={"fails": False})
    return {
        failed: await recorder.ended(failed),
        new: finished,
        held: journal,
        pending: await journal_of(recorder.store, pending),
    }


async def _entered(recorder: Recorder) -> Journals:
    """A failed one, and one that resumes it inside a loop and is at its first step."""
    failed = await _to_the_end(recorder, {"fails": True})
    new = await recorder.service.resume(failed, from_step="each[1]/hold", overrides={"fails": False})
    journal = await recorder.runs(new, "each[1]/hold")
    return {failed: await recorder.ended(failed), new: journal}


async def _asked(recorder: Recorder) -> Journals:
    """One whose step lost its engine and has been answered for; one that still waits for an answer."""
    answered = await _parked(recorder, "engine-0", "engine-1")
    await recorder.service.respond(answered, "rerun", comment="looked at it")
    ended = await recorder.ended(answered)
    waiting = await _parked(recorder, "engine-2", "engine-3")
    return {answered: ended, waiting: await journal_of(recorder.store, waiting)}


async def _parked(recorder: Recorder, first: str, second: str) -> str:
    await recorder.stop()
    await recorder.start(first)
    execution = await recorder.service.run("asked", {})
    await recorder.runs(execution, "risky")
    await recorder.stop()
    await recorder.start(second)
    await recorder.until(execution, lambda journal: getattr(journal[-1].fact, "parked", False))
    return execution


async def _adopted(recorder: Recorder) -> Journals:
    """One whose detached step went on from one engine to the next."""
    await recorder.start("engine-0")
    execution = await recorder.service.run("apart", {})
    await recorder.until(execution, lambda journal: isinstance(journal[-1].fact, StepOutput))
    await recorder.stop()
    await recorder.start("engine-1")
    return {execution: await recorder.ended(execution)}


async def _talked(recorder: Recorder) -> Journals:
    """One whose agents have used a tool and gone on with a conversation."""
    await recorder.start("engine-0")
    execution = await recorder.service.run("talked", {})
    return {execution: await recorder.ended(execution)}


async def _spent(recorder: Recorder) -> Journals:
    """One whose budget was used up and raised; one that was stopped; one that still waits."""
    await recorder.start("engine-0")
    granted = await _waiting(recorder, "spent")
    await recorder.service.respond(granted, "continue", by="Ann")
    stopped = await _waiting(recorder, "spent")
    await recorder.service.respond(stopped, "stop", comment="too dear")
    waiting = await _waiting(recorder, "spent")
    return {
        granted: await recorder.ended(granted),
        stopped: await recorder.ended(stopped),
        waiting: await journal_of(recorder.store, waiting),
    }


async def _discussed(recorder: Recorder) -> Journals:
    """One whose agent has talked with a person, and that was approved; one in the middle of the talk; one before the
    approval."""
    await recorder.start("engine-0")
    approved, talking, unsaid = [await _waiting(recorder, "discussed") for _ in range(3)]
    await _reply(recorder, approved, "and now?", asked=2)
    await _reply(recorder, approved, "quit", asked=3)
    await recorder.service.respond(approved, "approve", comment="good", by="Ann")
    await _reply(recorder, unsaid, "", asked=2)
    return {
        approved: await recorder.ended(approved),
        talking: await journal_of(recorder.store, talking),
        unsaid: await journal_of(recorder.store, unsaid),
    }


async def _waiting(recorder: Recorder, workflow: str) -> str:
    execution = await recorder.service.run(workflow, {})
    await recorder.asks(execution, 1)
    return execution


async def _reply(recorder: Recorder, execution: str, text: str, *, asked: int) -> None:
    """Say something, and wait for the next question."""
    await recorder.service.respond(execution, text)
    await recorder.asks(execution, asked)


def _at(path: str) -> Callable[[Recorder], Awaitable[Journals]]:
    return lambda recorder: _in_flight(recorder, path)


CASES: dict[str, Callable[[Recorder], Awaitable[Journals]]] = {
    **{f"in-{name}": _at(path) for name, path in MOMENTS.items()},
    "finished": _finished,
    "cancelled": _cancelled,
    "resumed": _resumed,
    "entered": _entered,
    "asked": _asked,
    "adopted": _adopted,
    "talked": _talked,
    "spent": _spent,
    "discussed": _discussed,
}


def lines(journals: Journals) -> str:
    """One entry per line."""
    found = []
    for execution, entries in journals.items():
        for entry in entries:
            tag, version, body = encode(entry.fact)
            line = {
                "execution": execution,
                "seq": entry.seq,
                "at": entry.at,
                "type": tag,
                "version": version,
                "fact": msgspec.Raw(body),
            }
            found.append(msgspec.json.encode(line).decode())
    return "\n".join(found) + "\n"


async def record(name: str) -> Path:
    """Record one case. Its file has the version of awf in its name."""
    with tempfile.TemporaryDirectory(prefix="awf-golden-") as project:
        async with AsyncExitStack() as stack:
            recorder = Recorder(Path(project))
            stack.push_async_callback(recorder.stop)
            journals = await CASES[name](recorder)
        digests = {
            digest
            for entries in journals.values()
            for digest in entries[0].fact.definition.values()  # type: ignore[union-attr]
        }
        known: dict[str, str] = {}
        with suppress(FileNotFoundError):
            known = json.loads(SOURCES.read_text())
        known |= await recorder.store.sources(digests)
        SOURCES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        target = HERE / f"{name}.jsonl"
        target.write_text(lines(journals).replace(project + "/", ""))
        return target


def main() -> None:
    """Record what is missing."""
    for name in CASES:
        if (HERE / f"{name}.jsonl").exists():
            print(f"{name}: is there")
        else:
            print(asyncio.run(record(name)))


if __name__ == "__main__":
    main()
