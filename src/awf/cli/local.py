"""Access to the store of the project here. What runs belongs to engines, as with the server: they are started where work
is left to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from awf.cli.access import Away, Checked, Event, Query
from awf.cli.show import note
from awf.compose import has_store
from awf.errors import ExecutionNotFound, NotResumable, RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from awf.catalog import Catalog
    from awf.cli.listing import Listed
    from awf.engine.ports import WorkflowFile
    from awf.engine.service import Service
    from awf.journal.store import ExecutionFilter, ExecutionRow, Store
    from awf.server.schemas import (
        Execution,
        ExecutionDetail,
        HistoryEntry,
        StatisticsSummary,
        Step,
        StepOutput,
        TranscriptEntry,
    )
    from awf.settings import Settings

STEPS = 100
"""Steps that are shown with an execution."""

OUTPUT = 64 * 1024
"""Bytes of a step's output that are shown with it."""

PAGE = 500
"""Journal entries read at once."""

TICK = 1.0
"""Seconds after which a journal is looked at although nobody has said that it grew."""

_STATUSES = {"success": "completed"}


class LocalAccess:
    """Access to one storage directory. Questions do not make a store where there is none; then nothing is found."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = contextlib.AsyncExitStack()
        self._service: Service | None = None
        self._woken = asyncio.Event()
        self._listen: Callable[[Callable[[], None]], None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # Workflows

    async def workflows(self) -> list[Listed]:
        from awf.cli.listing import list_workflows

        return list_workflows(self._settings)

    async def validate(self, workflow: str) -> Checked:
        from awf.cli.project import workflow_file
        from awf.engine.linking import link

        catalog = self._catalog()
        linked = link(workflow_file(catalog, workflow), catalog)
        return Checked(
            linked.file.identifier,
            [f"{problem.position}: {problem.message} [{problem.code}]" for problem in linked.errors],
            [f"{problem.position}: {problem.message} [{problem.code}]" for problem in linked.warnings],
            [
                f"{problem.position}: {problem.severity}: {problem.message} [{problem.code}]"
                for problem in linked.problems
            ],
        )

    async def run(self, workflow: str, inputs: dict[str, Any]) -> str:
        from awf.cli.project import workflow_file

        return await self.run_file(workflow_file(self._catalog(), workflow), inputs)

    async def run_file(self, file: WorkflowFile, inputs: dict[str, Any]) -> str:
        """Like ``run``, of a workflow that has been found."""
        execution = await self._opened().run_file(file, inputs)
        await self._engine()
        return execution

    # Executions

    async def executions(self, query: Query) -> list[Execution]:
        from awf.server.rows import execution_summary

        if (service := self._existing()) is None:
            return []
        return [execution_summary(row) for row in await service.executions(_filter(query))]

    async def execution(self, execution: str) -> ExecutionDetail:
        service, _ = await self._row(execution)
        return await execution_record(service, execution)

    async def steps(self, execution: str) -> list[Step]:
        service, _ = await self._row(execution)
        found: list[Step] = []
        while page := await service.store.steps(
            execution, after=found[-1].number if found else 0, limit=STEPS
        ):
            found += [await _step(service.store, execution, step) for step in page]
        return found

    async def output(self, execution: str, step: int, stream: Literal["stdout", "stderr"]) -> StepOutput:
        from awf.server.schemas import StepOutput

        service, _ = await self._row(execution)
        text = await service.store.step_text(execution, step, stream)
        if text is None:
            raise RequestInvalid(f"step not found: {step} of execution {execution}")
        return StepOutput(number=step, stream=stream, output=text.text, omitted_bytes=text.omitted)

    async def transcript(self, execution: str) -> AsyncGenerator[TranscriptEntry]:
        from awf.server.transcript import read_transcript

        service, _ = await self._row(execution)
        after: int | None = 0
        while after is not None:
            page, after = await read_transcript(service.store, execution, after, PAGE)
            for entry in page:
                yield entry

    async def history(self, query: Query) -> list[HistoryEntry]:
        from awf.server.rows import history_entry

        if (service := self._existing()) is None:
            return []
        rows = await service.executions(msgspec.structs.replace(_filter(query), history=True))
        return [history_entry(row) for row in rows]

    async def statistics(self, query: Query) -> StatisticsSummary:
        from awf.journal.store import Statistics
        from awf.server.rows import statistics_summary

        service = self._existing()
        wanted = msgspec.structs.replace(_filter(query), history=True)
        return statistics_summary(Statistics() if service is None else await service.store.statistics(wanted))

    async def events(
        self,
        execution: str,
        *,
        after: int = 0,
        follow: bool = True,
        away: Away = note,  # noqa: ARG002 - the store here is never away
    ) -> AsyncGenerator[Event]:
        service, row = await self._row(execution)
        self._hear()
        async for event in journal_events(service.store, row, self._more if follow else None, after=after):
            yield event

    async def cancel(self, execution: str) -> None:
        if (service := self._existing()) is not None:
            await service.cancel(execution)
            with contextlib.suppress(ExecutionNotFound):
                await self._engine_if_unfinished(execution)

    async def resume(
        self, execution: str, *, from_step: str | None, overrides: dict[str, Any], latest: bool = False
    ) -> str:
        if (service := self._existing()) is None:
            raise NotResumable(execution)
        new = await service.resume(execution, from_step=from_step, overrides=overrides, latest=latest)
        await self._engine()
        return new

    async def respond(
        self, execution: str, response: str, *, comment: str = "", path: str | None = None
    ) -> None:
        service, _ = await self._row(execution)
        await service.respond(execution, response, comment=comment, path=path)
        await self._engine_if_unfinished(execution)

    def _catalog(self) -> Catalog:
        from awf.catalog import Catalog

        return Catalog(self._settings.root, os.environ, self._settings.storage)

    # The store

    def _existing(self) -> Service | None:
        """The service over the store, if there is a store."""
        if self._service is None and not has_store(self._settings):
            return None
        return self._opened()

    def _opened(self) -> Service:
        """The service over the store, which is made where there is none."""
        if self._service is None:
            from awf.compose import Layout, build_service, new_member, open_store, open_wakeups
            from awf.engine.clock import SystemClock

            store = open_store(self._settings)
            self._stack.push_async_callback(store.close)
            member = new_member(SystemClock(), Layout(self._settings.storage).servers)
            wakeups = open_wakeups(self._settings, member, "server")
            self._stack.callback(wakeups.close)
            self._service = build_service(self._settings, store, wakeups)
            self._listen = wakeups.listen
        return self._service

    async def _row(self, execution: str) -> tuple[Service, ExecutionRow]:
        service = self._existing()
        if service is None:
            raise ExecutionNotFound(execution)
        return service, await service.execution(execution)

    async def _engine(self) -> None:
        """See to it that an engine lives which takes on what was left to it."""
        from awf.compose import ensure_engine

        await asyncio.to_thread(ensure_engine, self._settings)

    async def _engine_if_unfinished(self, execution: str) -> None:
        """What waits without an owner needs an engine to hear what it was told."""
        _, row = await self._row(execution)
        if row.status == "pending" or (row.parked and row.completed_at is None):
            await self._engine()

    def _hear(self) -> None:
        """Be woken when a journal grows, from now on."""
        if self._listen is not None:
            self._listen(self._woken.set)

    async def _more(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TICK):
                await self._woken.wait()
        self._woken.clear()
        return True


async def journal_events(
    store: Store,
    row: ExecutionRow,
    more: Callable[[], Awaitable[bool]] | None,
    *,
    after: int = 0,
    outputs: bool = True,
) -> AsyncGenerator[Event]:
    """The events of an execution after a number, to its final one. ``more`` returns when its journal may have grown, False
    where that was for the last time; None: those that there are now. ``outputs``: with the output of a completed step in its event."""
    from awf.server.frames import Subject, event, output_wanted

    subject = Subject(row.id, row.workflow, row.started_at)
    grows, known = True, 0
    while True:
        while page := await store.journal(row.id, after=after, limit=PAGE):
            for entry in page:
                step = output_wanted(entry.fact) if outputs else None
                text = await store.step_text(row.id, step, "stdout", limit=OUTPUT) if step else None
                name, data = event(entry, subject, text)
                found = Event(name, entry.seq, msgspec.to_builtins(data))
                yield found
                if found.final:
                    return
            after = page[-1].seq
        if more is None or not grows:
            return
        if known == after and await store.execution(row.id) is None:
            raise ExecutionNotFound(row.id)
        known, grows = after, await more()


async def execution_record(service: Service, execution: str) -> ExecutionDetail:
    """One execution with its latest steps. Raises ExecutionNotFound."""
    from awf.server.rows import execution_detail

    row = await service.execution(execution)
    steps = await service.store.steps(execution, limit=STEPS, latest=True)
    return execution_detail(row, [await _step(service.store, execution, step) for step in steps])


async def _step(store: Store, execution: str, row: Any) -> Step:
    from awf.server.rows import step_summary

    return step_summary(row, await store.step_text(execution, row.step, "stdout", limit=OUTPUT))


def _filter(query: Query) -> ExecutionFilter:
    from awf.journal.store import ExecutionFilter
    from awf.server.rows import microseconds

    status: Any = None if query.status is None else _STATUSES.get(query.status, query.status)
    return ExecutionFilter(
        workflow=query.workflow,
        status=status,
        since=None if query.since is None else microseconds(query.since),
        until=None if query.until is None else microseconds(query.until),
        limit=query.limit,
    )
