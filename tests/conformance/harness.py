"""Runs a small workflow file through the real engine: catalog, service, SQLite store, shell runner; no HTTP.

result = run('''
    name: hello
    states: ...
''', inputs={...}, files={"child": '''...'''})
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeAlias

from awf.catalog import Catalog
from awf.catalog.configuration import read_configuration
from awf.catalog.sources import own_directories
from awf.domain.outcomes import Price, Usage
from awf.domain.workflow import Budget
from awf.engine.clock import SystemClock
from awf.engine.engine import Engine, EngineSettings
from awf.engine.presence import Member, Presence
from awf.engine.service import Place, Service, Signals, journal_of
from awf.errors import AwfError, NotWaiting
from awf.journal.codec import type_of
from awf.journal.events import Entry
from awf.journal.store import ExecutionRow, StepRow
from awf.runners.agents.port import Provider
from awf.runners.agents.proxy import Proxy
from awf.runners.agents.runner import AgentRunner, tools
from awf.runners.attempts import Attempts
from awf.runners.notes import Notes
from awf.runners.operations.github.operations import github_operations
from awf.runners.operations.http import HttpRequest
from awf.runners.operations.notify import NotifySend
from awf.runners.operations.port import Operation
from awf.runners.operations.programs import Programs
from awf.runners.operations.runner import OperationRunner
from awf.runners.operations.web import Web
from awf.runners.shell import ShellRunner
from awf.settings import CONFIG_FILE
from awf.stores.sqlite.store import SqliteStore
from awf.testing.agents import ScriptedTool

Answer: TypeAlias = str | dict[str, str]
"""What ``Service.respond`` takes."""


@dataclass(frozen=True)
class Result:
    """How an execution ended. ``steps`` by path, the latest attempt; ``outputs`` their stdout by path."""

    status: str
    error: str
    exit_code: int | None
    steps: dict[str, StepRow]
    outputs: dict[str, str]
    order: list[str]
    facts: list[Entry]
    project: Path
    usage: Usage | None = None

    def types(self) -> list[str]:
        """The journal's types, in order."""
        return [type_of(entry.fact) for entry in self.facts]

    def of(self, kind: str) -> list[Any]:
        """The facts of one type."""
        return [entry.fact for entry in self.facts if type_of(entry.fact) == kind]


@dataclass(frozen=True)
class Resume:
    """How to resume; ``files`` are written before (None: removed)."""

    from_step: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    latest: bool = False
    files: Mapping[str, str | None] = field(default_factory=dict)


class NoMarks:
    """Nothing is cancelled from outside."""

    def cancel_marks(self) -> list[str]:
        return []

    def clear_mark(self, execution: str) -> None:
        pass


def run(
    text: str,
    inputs: Mapping[str, Any] | None = None,
    *,
    files: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    cancel_when: Callable[[list[Entry]], bool] | None = None,
    cancel_again_when: Callable[[list[Entry]], bool] | None = None,
    stop_when: Callable[[list[Entry]], bool] | None = None,
    answers: Mapping[str, Answer | Sequence[Answer]] | None = None,
    slots: int = 16,
    max_transitions: int = 10_000,
    budget: Budget | None = None,
    prices: Mapping[str, Price] | None = None,
    grace: float = 5.0,
    resumes: Sequence[Resume] = (),
    providers: Mapping[str, Provider] | None = None,
) -> Result:
    """Run the workflow ``main`` to its end. ``files`` are further files of the project: a bare name is a workflow.
    ``resumes`` are made one after the other, each of the one before; the last result is returned.

    ``stop_when``: its engine is stopped then, in the middle of its steps, and another one takes over. ``answers`` are
    given, by path, to steps that wait for a person, those of a list one after the other. ``providers`` are those of
    agents; ``scripted`` is there by default.

    Raises what accepting it raises (WorkflowInvalid, InputsInvalid).
    """
    with tempfile.TemporaryDirectory(prefix="awf-conformance-") as directory:
        project = Path(directory)
        write_files(project, {"main": text, **(files or {})})
        settings = {
            "slots": slots,
            "max_transitions": max_transitions,
            "budget": budget,
            "prices": prices or {},
        }
        cancels = [when for when in (cancel_when, cancel_again_when) if when is not None]
        given = {
            path: [each] if isinstance(each, (str, dict)) else list(each)
            for path, each in (answers or {}).items()
        }
        events = _Events(cancels, stop_when, given, list(resumes))
        known = {"scripted": ScriptedTool(), **(providers or {})}
        return asyncio.run(_run(project, dict(inputs or {}), environ, events, settings, grace, known))


def refused(text: str, inputs: Mapping[str, Any] | None = None, **how: Any) -> str:
    """The message with which a workflow or its inputs are refused."""
    try:
        run(text, inputs, **how)
    except AwfError as error:
        return error.message
    raise AssertionError("it was accepted")


@dataclass
class _Events:
    """What happens from outside, each once."""

    cancels_when: list[Callable[[list[Entry]], bool]]
    stop_when: Callable[[list[Entry]], bool] | None
    answers: dict[str, list[Answer]]
    resumes: list[Resume]
    answered: set[tuple[str, int]] = field(default_factory=set)

    def to_say(self, row: ExecutionRow) -> Iterator[tuple[str, dict[str, str]]]:
        """What is said, by path, to the questions that are open; to each once."""
        for asked in row.waiting:
            question = row.id, asked.question
            if question not in self.answered and self.answers.get(asked.path):
                self.answered.add(question)
                said = self.answers[asked.path].pop(0)
                yield asked.path, {"response": said} if isinstance(said, str) else said

    def cancels(self, facts: list[Entry]) -> bool:
        if not self.cancels_when or not self.cancels_when[0](facts):
            return False
        self.cancels_when.pop(0)
        return True

    def stops(self, facts: list[Entry]) -> bool:
        if self.stop_when is None or not self.stop_when(facts):
            return False
        self.stop_when = None
        return True


class _Host:
    """One engine after the other."""

    def __init__(self, make: Callable[[Presence], Engine], engines: Path) -> None:
        self._make = make
        self._engines = engines
        self._number = 0
        self.start()

    def start(self) -> None:
        self._number += 1
        member = Member(id=f"engine-{self._number}", pid=os.getpid(), version="1", started_at=self._number)
        self._presence = Presence(self._engines, member)
        self._engine = self._make(self._presence)
        self._task = asyncio.create_task(self._engine.run())

    def wake(self) -> None:
        self._engine.wake()

    async def stop(self) -> None:
        self._engine.stop()
        await self._task
        self._presence.release()


def own_operations(grace: float) -> Mapping[str, Operation]:
    """The operations of awf, by name, that may go anywhere."""
    web, programs = Web(), Programs(grace)
    found: list[Operation] = [HttpRequest(web), NotifySend(web, programs), *github_operations(web, programs)]
    return {operation.signature.name: operation for operation in found}


async def _answer(service: Service, execution: str, path: str, answer: dict[str, str]) -> None:
    """Answer what was asked; that what is asked about ends meanwhile is no fault."""
    try:
        await service.respond(execution, **answer, path=path)
    except NotWaiting:
        row = await service.execution(execution)
        if any(each.path == path for each in row.waiting):
            raise


async def _run(
    project: Path,
    inputs: dict[str, Any],
    environ: Mapping[str, str] | None,
    events: _Events,
    limits: dict[str, Any],
    grace: float,
    providers: Mapping[str, Provider],
) -> Result:
    store = SqliteStore.open(project / ".awf" / "storage", durability="fast")
    changed = asyncio.Event()
    clock, operations = SystemClock(), own_operations(grace)
    directory = project / ".awf" / "storage"
    server = Presence(directory / "servers", Member(id="test", pid=os.getpid(), version="1", started_at=1))

    def make(presence: Presence) -> Engine:
        attempts = Attempts(directory / "attempts", Notes(directory / "engines", presence.member.id))
        return Engine(
            store=store,
            runners={
                "step": ShellRunner("/bin/sh", grace, clock, attempts),
                "agent": AgentRunner(providers, grace, clock, attempts, Proxy(operations, project, {})),
                "operation": OperationRunner(operations, clock, grace),
            },
            attempts=attempts,
            clock=clock,
            settings=EngineSettings(
                engines=directory / "engines",
                servers=directory / "servers",
                **limits,
                tools=tools(providers),
            ),
            presence=presence,
            marks=NoMarks(),
            appended=changed.set,
            environ={**os.environ, **(environ or {})},
        )

    host = _Host(make, directory / "engines")
    service = Service(
        store=store,
        catalog=Catalog(project, {"HOME": str(project)}),
        clock=clock,
        signals=Signals(wake=host.wake, mark_cancel=lambda _: False, alive=lambda _: True),
        place=Place(
            root=str(project),
            working_dir=str(project),
            directories=own_directories({"HOME": str(project)}),
            inputs=read_configuration(project / CONFIG_FILE, project).inputs,
        ),
    )
    try:
        execution, cancelled = await service.run("main", inputs), ""
        while True:
            changed.clear()
            row = await service.execution(execution)
            if row.status in {"completed", "failed", "cancelled"}:
                if not events.resumes:
                    break
                execution = await _resume(service, execution, events.resumes.pop(0), project)
                continue
            so_far = await journal_of(store, execution)
            if events.cancels(so_far):
                await service.cancel(execution)
                cancelled = execution
            elif events.stops(so_far):
                await host.stop()
                host.start()
                changed.set()
            elif execution != cancelled:
                for path, answer in events.to_say(row):
                    await _answer(service, execution, path, answer)
            async with asyncio.timeout(60):
                await changed.wait()
        facts = await journal_of(store, execution)
        rows = await store.steps(execution, limit=100_000)
        outputs = {}
        for step in rows:
            found = await store.step_text(execution, step.step, "stdout")
            outputs[step.path] = found.text if found else ""
        return Result(
            status=row.status,
            error=row.error or "",
            exit_code=row.exit_code,
            steps={step.path: step for step in rows},
            outputs=outputs,
            order=[step.path for step in rows],
            facts=facts,
            project=project,
            usage=row.usage,
        )
    finally:
        await host.stop()
        server.release()
        await store.close()


async def _resume(service: Service, execution: str, how: Resume, project: Path) -> str:
    write_files(project, how.files)
    return await service.resume(
        execution, from_step=how.from_step, overrides=dict(how.overrides), latest=how.latest
    )


def write_files(project: Path, files: Mapping[str, str | None]) -> None:
    """Write files of a project: a bare name is a workflow; None removes one."""
    for name, content in files.items():
        path = project / (name if "/" in name or "." in name else f".awf/workflows/{name}.yaml")
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content))
