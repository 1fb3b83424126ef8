"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from awf.client import operations
from awf.client.connection import Connection, Tries
from awf.client.following import Following
from awf.client.operations import Moment, Operation
from awf.client.results import (
    Event,
    Execution,
    ExecutionDetail,
    HistoryEntry,
    Page,
    Statistics,
    Step,
    StepOutput,
    TranscriptEntry,
    Validation,
    WorkflowSummary,
)
from awf.errors import AwfError

T = TypeVar("T")


class AsyncClient:
    """As Client, for asyncio: the same methods and arguments, to be awaited, with ``aclose`` for ``close``.

    A caller that leaves ``events`` early closes it: ``async with contextlib.aclosing(client.events(id)) as events``.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: float = 30.0,
        headers: Mapping[str, str] | None = None,
        retries: int = 4,
        patience: float = 300.0,
    ) -> None:
        self._connection = Connection(url, timeout, headers, retries)
        self._patience = patience
        self._http = httpx.AsyncClient(**self._connection.options())

    @property
    def url(self) -> str:
        """Where the server is, without a password."""
        return self._connection.shown

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def workflows(self) -> list[WorkflowSummary]:
        return await self._do(operations.workflows())

    async def workflow(self, name: str) -> dict[str, Any]:
        return await self._do(operations.workflow(name))

    async def validate(self, name: str) -> Validation:
        return await self._do(operations.validate(name))

    async def run(self, workflow: str, inputs: Mapping[str, Any] | None = None) -> str:
        return await self._do(operations.run(workflow, inputs))

    async def wait(self, execution: str, timeout: float | None = None) -> ExecutionDetail:
        async for _ in self.events(execution, timeout=timeout):
            pass
        return await self.execution(execution)

    async def events(
        self,
        execution: str,
        *,
        after: int = 0,
        everything: bool = False,
        follow: bool = True,
        timeout: float | None = None,
        away: Callable[[AwfError], None] | None = None,
    ) -> AsyncGenerator[Event, None]:
        viewer = Following(
            execution,
            after=after,
            everything=everything,
            follow=follow,
            retries=self._connection.retries,
            patience=self._patience,
            limit=timeout,
            away=away,
        )
        while not viewer.ended:
            quiet = viewer.quiet
            try:
                async with self._http.stream(
                    "GET",
                    viewer.target,
                    headers=viewer.request_headers,
                    timeout=self._connection.stream_timeout(quiet),
                ) as response:
                    if viewer.opened(self._connection.head(response)):
                        async for chunk in response.aiter_bytes():
                            for event in viewer.received(chunk):
                                yield event
                            if viewer.ended or viewer.overdue(quiet):
                                break
                        else:
                            viewer.closed()
                    elif not viewer.ended:
                        await response.aread()
                        viewer.refused(self._connection.answer(response))
            except httpx.HTTPError as error:
                viewer.lost(self._connection.unreachable(error))
            await self._pause(viewer.pause)

    async def cancel(self, execution: str) -> None:
        return await self._do(operations.cancel(execution))

    async def resume(
        self,
        execution: str,
        *,
        from_step: str | None = None,
        input_overrides: Mapping[str, Any] | None = None,
        definition: Literal["pinned", "latest"] = "pinned",
    ) -> str:
        return await self._do(operations.resume(execution, input_overrides, from_step, definition))

    async def respond(
        self, execution: str, response: str, *, comment: str = "", path: str | None = None
    ) -> None:
        return await self._do(operations.respond(execution, response, comment, path))

    async def executions(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Execution]:
        return await self._do(operations.executions(workflow, status, limit, cursor))

    async def execution(self, execution: str) -> ExecutionDetail:
        return await self._do(operations.execution(execution))

    async def steps(self, execution: str, *, cursor: str | None = None) -> Page[Step]:
        return await self._do(operations.steps(execution, cursor))

    async def step_output(
        self, execution: str, number: int, stream: Literal["stdout", "stderr"] = "stdout"
    ) -> StepOutput:
        return await self._do(operations.step_output(execution, number, stream))

    async def transcript(self, execution: str, *, cursor: str | None = None) -> Page[TranscriptEntry]:
        return await self._do(operations.transcript(execution, cursor))

    async def history(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[HistoryEntry]:
        return await self._do(operations.history(workflow, status, since, until, limit, cursor))

    async def statistics(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> Statistics:
        return await self._do(operations.statistics(workflow, status, since, until))

    async def _do(self, operation: Operation[T]) -> T:
        tries = Tries(self._connection, operation)
        while True:
            try:
                response = await self._http.request(
                    operation.method,
                    operation.target,
                    content=operation.content,
                    headers=operation.headers,
                )
            except httpx.HTTPError as error:
                pause: float | None = tries.after_fault(error)
            else:
                answer = self._connection.answer(response)
                pause = tries.after_answer(answer)
                if pause is None:
                    return operation.result(answer)
            await self._pause(pause or 0.0)

    async def _pause(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)
