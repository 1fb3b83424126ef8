"""Access to a server elsewhere, by its HTTP API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import msgspec

from awf.cli.access import Away, Checked, Event, Query
from awf.cli.listing import Listed
from awf.cli.show import note
from awf.client import AsyncClient
from awf.domain.suggest import did_you_mean
from awf.domain.timestamps import duration_text
from awf.errors import AwfError, NotAnAwfServer, WorkflowNotFound

if TYPE_CHECKING:
    from awf.server.schemas import (
        Execution,
        ExecutionDetail,
        HistoryEntry,
        StatisticsSummary,
        Step,
        StepOutput,
        TranscriptEntry,
    )

T = TypeVar("T")

RETRIES = 2
"""A person waits: what may be asked again is, within half a second."""

PATIENCE = 300.0
"""Seconds for which a stream of events puts up with a server that is away."""


class RemoteAccess:
    """Access to the server at a URL."""

    def __init__(self, url: str) -> None:
        self._client = AsyncClient(url, retries=RETRIES, patience=PATIENCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def workflows(self) -> list[Listed]:
        return [self._as(Listed, found) for found in await self._client.workflows()]

    async def workflow(self, name: str) -> dict[str, Any]:
        """A workflow as it was written. Raises WorkflowNotFound, WorkflowInvalid."""
        return await self._client.workflow(name)

    async def validate(self, workflow: str) -> Checked:
        found = await self._client.validate(workflow)
        warnings = list(found.warnings)
        lines = [f"error: {text}" for text in found.errors] + [f"warning: {text}" for text in warnings]
        return Checked(workflow, list(found.errors), warnings, lines)

    async def run(self, workflow: str, inputs: dict[str, Any]) -> str:
        try:
            return await self._client.run(workflow, inputs)
        except WorkflowNotFound as error:
            known = [each.name for each in await self._client.workflows()]
            raise WorkflowNotFound(workflow, error.message + did_you_mean(workflow, known)) from None

    async def executions(self, query: Query) -> list[Execution]:
        from awf.server.schemas import Execution

        found = await self._client.executions(workflow=query.workflow, status=query.status, limit=query.limit)
        return [self._as(Execution, each) for each in found]

    async def execution(self, execution: str) -> ExecutionDetail:
        from awf.server.schemas import ExecutionDetail

        return self._as(ExecutionDetail, await self._client.execution(execution))

    async def steps(self, execution: str) -> list[Step]:
        from awf.server.schemas import Step

        page = await self._client.steps(execution)
        found = list(page)
        while page.cursor is not None:
            page = await self._client.steps(execution, cursor=page.cursor)
            found += page
        return [self._as(Step, each) for each in found]

    async def output(self, execution: str, step: int, stream: Literal["stdout", "stderr"]) -> StepOutput:
        from awf.server.schemas import StepOutput

        return self._as(StepOutput, await self._client.step_output(execution, step, stream))

    async def transcript(self, execution: str) -> AsyncGenerator[TranscriptEntry]:
        from awf.server.schemas import TranscriptEntry

        cursor: str | None = None
        while True:
            page = await self._client.transcript(execution, cursor=cursor)
            for entry in page:
                yield self._as(TranscriptEntry, entry)
            if (cursor := page.cursor) is None:
                return

    async def history(self, query: Query) -> list[HistoryEntry]:
        from awf.server.schemas import HistoryEntry

        found = await self._client.history(
            workflow=query.workflow,
            status=query.status,
            since=query.since,
            until=query.until,
            limit=query.limit,
        )
        return [self._as(HistoryEntry, each) for each in found]

    async def statistics(self, query: Query) -> StatisticsSummary:
        from awf.server.schemas import StatisticsSummary

        found = await self._client.statistics(
            workflow=query.workflow, status=query.status, since=query.since, until=query.until
        )
        return self._as(StatisticsSummary, found)

    async def events(
        self, execution: str, *, after: int = 0, follow: bool = True, away: Away = note
    ) -> AsyncGenerator[Event]:
        def lost(error: AwfError) -> None:
            away(f"{error.message}; tries again for {duration_text(PATIENCE)}")

        found = self._client.events(execution, after=after, everything=True, follow=follow, away=lost)
        async with aclosing(found) as events:
            async for event in events:
                yield Event(event.name, event.id, event.data)

    async def cancel(self, execution: str) -> None:
        await self._client.cancel(execution)

    async def resume(
        self, execution: str, *, from_step: str | None, overrides: dict[str, Any], latest: bool = False
    ) -> str:
        return await self._client.resume(
            execution,
            from_step=from_step,
            input_overrides=overrides,
            definition="latest" if latest else "pinned",
        )

    async def respond(
        self, execution: str, response: str, *, comment: str = "", path: str | None = None
    ) -> None:
        await self._client.respond(execution, response, comment=comment, path=path)

    def _as(self, shape: type[T], found: msgspec.Struct) -> T:
        """What the client read, in a shape of this version's API."""
        try:
            return msgspec.convert(msgspec.to_builtins(found), shape)
        except msgspec.ValidationError as error:
            raise NotAnAwfServer(
                f"the server at {self._client.url} says what this version of awf does not know: {error}"
            ) from None
