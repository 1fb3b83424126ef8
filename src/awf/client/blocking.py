"""The client for code that waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
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


class Client:
    """A server of awf, for code that waits; threads may share one. Use it as a context manager, or ``close`` it.

    ``url``: where the server is; without one ``AWF_SERVER``, else ``http://127.0.0.1:2511``. ``timeout``: seconds that a
    server may be silent. ``headers`` go with every request (``Authorization`` for a proxy, say). ``retries``: how often what
    may be repeated is tried again where the server cannot be reached or says that it is busy; starting, resuming and
    answering are never repeated. ``patience``: seconds for which ``events`` and ``wait`` put up with a server that is away.

    Every method raises RemoteError for what the server refuses (also caught as the class of ``awf.errors`` with its code),
    ServerUnreachable and NotAnAwfServer.
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
        self._http = httpx.Client(**self._connection.options())
        self._closed = threading.Event()

    @property
    def url(self) -> str:
        """Where the server is, without a password."""
        return self._connection.shown

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._closed.set()
        self._http.close()

    def workflows(self) -> list[WorkflowSummary]:
        """The workflows that the server knows, by name; those of packs as ``pack/name``."""
        return self._do(operations.workflows())

    def workflow(self, name: str) -> dict[str, Any]:
        """A workflow as it was written. Raises WorkflowNotFound, WorkflowInvalid."""
        return self._do(operations.workflow(name))

    def validate(self, name: str) -> Validation:
        """What is wrong with a workflow. Raises WorkflowNotFound."""
        return self._do(operations.validate(name))

    def run(self, workflow: str, inputs: Mapping[str, Any] | None = None) -> str:
        """Start a workflow; the id of its execution, which is durable then. Raises WorkflowNotFound, WorkflowInvalid,
        InputsInvalid."""
        return self._do(operations.run(workflow, inputs))

    def wait(self, execution: str, timeout: float | None = None) -> ExecutionDetail:
        """Wait until an execution is over, at most ``timeout`` seconds. Raises StillRunning, ExecutionNotFound."""
        for _ in self.events(execution, timeout=timeout):
            pass
        return self.execution(execution)

    def events(
        self,
        execution: str,
        *,
        after: int = 0,
        everything: bool = False,
        follow: bool = True,
        timeout: float | None = None,
        away: Callable[[AwfError], None] | None = None,
    ) -> Generator[Event, None, None]:
        """The events of an execution, each once and in order, from the first (or the one behind the number ``after``) to
        the ``workflow.*`` that ends it. Connections that break and servers that restart are got over. ``everything``: also
        those that say more than the usual stream. Without ``follow``: those that there are now. ``away`` is called, once
        per absence, with why the server cannot be reached, while that is tried again. Raises ExecutionNotFound, StillRunning
        after ``timeout`` seconds."""
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
                with self._http.stream(
                    "GET",
                    viewer.target,
                    headers=viewer.request_headers,
                    timeout=self._connection.stream_timeout(quiet),
                ) as response:
                    if viewer.opened(self._connection.head(response)):
                        for chunk in response.iter_bytes():
                            yield from viewer.received(chunk)
                            if viewer.ended or viewer.overdue(quiet):
                                break
                        else:
                            viewer.closed()
                    elif not viewer.ended:
                        response.read()
                        viewer.refused(self._connection.answer(response))
            except httpx.HTTPError as error:
                viewer.lost(self._connection.unreachable(error))
            self._pause(viewer.pause)

    def cancel(self, execution: str) -> None:
        """Ask for an execution to end; that is durable then. It makes no difference where there is nothing to end."""
        return self._do(operations.cancel(execution))

    def resume(
        self,
        execution: str,
        *,
        from_step: str | None = None,
        input_overrides: Mapping[str, Any] | None = None,
        definition: Literal["pinned", "latest"] = "pinned",
    ) -> str:
        """Go on where a failed or cancelled execution ended; the id of the new one. ``from_step``: ``current``,
        ``previous``, a state or a path. Raises NotResumable, ResumePointInvalid, InputsInvalid, WorkflowInvalid."""
        return self._do(operations.resume(execution, input_overrides, from_step, definition))

    def respond(self, execution: str, response: str, *, comment: str = "", path: str | None = None) -> None:
        """Answer a step that waits for a person; ``path`` says which where several wait. Raises ExecutionNotFound,
        NotWaiting, AnswerInvalid."""
        return self._do(operations.respond(execution, response, comment, path))

    def executions(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Execution]:
        """Executions, running and finished ones, the newest first; 100 where ``limit`` says nothing, at most 1000."""
        return self._do(operations.executions(workflow, status, limit, cursor))

    def execution(self, execution: str) -> ExecutionDetail:
        """An execution with its latest steps. Raises ExecutionNotFound."""
        return self._do(operations.execution(execution))

    def steps(self, execution: str, *, cursor: str | None = None) -> Page[Step]:
        """The steps of an execution in order, 100 to a page. Raises ExecutionNotFound."""
        return self._do(operations.steps(execution, cursor))

    def step_output(
        self, execution: str, number: int, stream: Literal["stdout", "stderr"] = "stdout"
    ) -> StepOutput:
        """All that a step wrote to a stream. Raises ExecutionNotFound, RemoteError (404) for no such step."""
        return self._do(operations.step_output(execution, number, stream))

    def transcript(self, execution: str, *, cursor: str | None = None) -> Page[TranscriptEntry]:
        """What the execution's agents were asked and what was said, in order. Raises ExecutionNotFound."""
        return self._do(operations.transcript(execution, cursor))

    def history(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[HistoryEntry]:
        """Finished executions, the newest first; ``since`` and ``until`` are about their starts, both inclusive."""
        return self._do(operations.history(workflow, status, since, until, limit, cursor))

    def statistics(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> Statistics:
        """Counts over finished executions, as many as the filters leave."""
        return self._do(operations.statistics(workflow, status, since, until))

    def _do(self, operation: Operation[T]) -> T:
        tries = Tries(self._connection, operation)
        while True:
            try:
                response = self._http.request(
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
            self._pause(pause or 0.0)

    def _pause(self, seconds: float) -> None:
        if seconds:
            self._closed.wait(seconds)
