"""The requests of the API and the readers of their answers, for any HTTP library. Does no I/O."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
from msgspec import Struct, field

from awf.client.problems import Answer, error_of, foreign, no_execution
from awf.client.results import (
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
from awf.errors import RequestInvalid, WorkflowNotFound

T = TypeVar("T")
R = TypeVar("R")

Moment: TypeAlias = datetime | str
"""A time: a datetime (one without a zone is local time), or a text in RFC 3339."""


class Operation(Struct, Generic[T], frozen=True):
    """A request, and how its answer is read. ``repeatable``: doing it twice is the same as doing it once."""

    method: str
    path: str
    read: Callable[[Answer], T]
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    repeatable: bool = True

    @property
    def target(self) -> str:
        """The path with the query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to it."""
        return {} if self.content is None else {"Content-Type": "application/json"}

    def result(self, answer: Answer) -> T:
        """What a whole answer says. Raises RemoteError, NotAnAwfServer."""
        if answer.status >= 400:
            raise error_of(answer)
        if answer.status not in {200, 202, 204}:
            raise foreign(answer)
        try:
            return self.read(answer)
        except msgspec.DecodeError:
            raise foreign(answer) from None


class _Body(msgspec.Struct, Generic[T]):
    body: T


class _Accepted(msgspec.Struct):
    execution_id: str


class _Workflows(msgspec.Struct):
    workflows: list[WorkflowSummary]


class _Executions(msgspec.Struct):
    executions: list[Execution]


class _Steps(msgspec.Struct):
    steps: list[Step]


class _Transcript(msgspec.Struct):
    transcript: list[TranscriptEntry]


class _Entries(msgspec.Struct):
    entries: list[HistoryEntry]


def workflows() -> Operation[list[WorkflowSummary]]:
    read = _reader(_Body[_Workflows])
    return Operation("GET", "/api/workflows", lambda answer: read(answer).body.workflows)


def workflow(name: str) -> Operation[dict[str, Any]]:
    read = _reader(_Body[dict[str, Any]])
    return Operation("GET", _workflow(name), lambda answer: read(answer).body)


def validate(name: str) -> Operation[Validation]:
    read = _reader(_Body[Validation])
    return Operation("POST", f"{_workflow(name)}/validate", lambda answer: read(answer).body)


def run(name: str, inputs: Mapping[str, Any] | None) -> Operation[str]:
    return Operation(
        "POST",
        f"{_workflow(name)}/run",
        _accepted,
        content=_encoded({"inputs": dict(inputs or {})}),
        repeatable=False,
    )


def executions(
    workflow: str | None, status: str | None, limit: int | None, cursor: str | None
) -> Operation[Page[Execution]]:
    read = _reader(_Body[_Executions])
    return Operation(
        "GET",
        "/api/executions",
        lambda answer: _page(answer, read(answer).body.executions),
        query=_query(workflow=workflow, status=status, limit=limit, cursor=cursor),
    )


def execution(id: str) -> Operation[ExecutionDetail]:
    read = _reader(_Body[ExecutionDetail])
    return Operation("GET", execution_path(id), lambda answer: read(answer).body)


def cancel(id: str) -> Operation[None]:
    return Operation("DELETE", execution_path(id), _nothing)


def resume(
    id: str,
    overrides: Mapping[str, Any] | None,
    from_step: str | None,
    definition: Literal["pinned", "latest"],
) -> Operation[str]:
    wanted: dict[str, Any] = {"input_overrides": dict(overrides or {}), "definition": definition}
    if from_step is not None:
        wanted["from_step"] = from_step
    return Operation(
        "POST", f"{execution_path(id)}/resume", _accepted, content=_encoded(wanted), repeatable=False
    )


def respond(id: str, response: str, comment: str, path: str | None) -> Operation[None]:
    wanted = {"response": response, "comment": comment, "path": path}
    return Operation(
        "POST", f"{execution_path(id)}/respond", _nothing, content=_encoded(wanted), repeatable=False
    )


def steps(id: str, cursor: str | None) -> Operation[Page[Step]]:
    read = _reader(_Body[_Steps])
    return Operation(
        "GET",
        f"{execution_path(id)}/steps",
        lambda answer: _page(answer, read(answer).body.steps),
        query=_query(cursor=cursor),
    )


def step_output(id: str, number: int, stream: Literal["stdout", "stderr"]) -> Operation[StepOutput]:
    read = _reader(_Body[StepOutput])
    return Operation(
        "GET",
        f"{execution_path(id)}/steps/{number:d}/output",
        lambda answer: read(answer).body,
        query=_query(stream=stream),
    )


def transcript(id: str, cursor: str | None) -> Operation[Page[TranscriptEntry]]:
    read = _reader(_Body[_Transcript])
    return Operation(
        "GET",
        f"{execution_path(id)}/transcript",
        lambda answer: _page(answer, read(answer).body.transcript),
        query=_query(cursor=cursor),
    )


def history(
    workflow: str | None,
    status: str | None,
    since: Moment | None,
    until: Moment | None,
    limit: int | None,
    cursor: str | None,
) -> Operation[Page[HistoryEntry]]:
    read = _reader(_Body[_Entries])
    return Operation(
        "GET",
        "/api/history",
        lambda answer: _page(answer, read(answer).body.entries),
        query=_query(
            workflow=workflow,
            status=status,
            since=_moment(since),
            until=_moment(until),
            limit=limit,
            cursor=cursor,
        ),
    )


def statistics(
    workflow: str | None, status: str | None, since: Moment | None, until: Moment | None
) -> Operation[Statistics]:
    read = _reader(_Body[Statistics])
    return Operation(
        "GET",
        "/api/history/stats",
        lambda answer: read(answer).body,
        query=_query(workflow=workflow, status=status, since=_moment(since), until=_moment(until)),
    )


def execution_path(id: str) -> str:
    """Where an execution is. Raises ExecutionNotFound where the id can be none."""
    if not id.strip("."):
        raise no_execution(id)
    return f"/api/executions/{_segment(id)}"


def _workflow(name: str) -> str:
    """Where a workflow is: ``name``, or ``source/name``. Raises WorkflowNotFound where it can be no name."""
    parts = name.split("/")
    if len(parts) > 2 or not all(part.strip(".") for part in parts):
        raise WorkflowNotFound(name)
    return "/".join(["/api/workflows", *map(_segment, parts)])


def _segment(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise RequestInvalid(f"not a text that can be sent: {text!r}") from None


def _query(**given: object) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


def _moment(given: Moment | None) -> str | None:
    if not isinstance(given, datetime):
        return given
    return (given if given.tzinfo else given.astimezone()).isoformat()


def _encoded(wanted: Mapping[str, Any]) -> bytes:
    # The encoder writes null for them: another value would arrive than was given.
    if not _finite(wanted):
        raise RequestInvalid("a number in the request cannot be sent: NaN and Infinity are no JSON values")
    try:
        return msgspec.json.encode(wanted)
    except UnicodeEncodeError as error:
        raise RequestInvalid(f"a text in the request cannot be sent: {error}") from None


def _finite(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _reader(shape: type[R]) -> Callable[[Answer], R]:
    return lambda answer: msgspec.json.decode(answer.content, type=shape)


def _accepted(answer: Answer) -> str:
    return msgspec.json.decode(answer.content, type=_Body[_Accepted]).body.execution_id


def _nothing(_: Answer) -> None:
    return None


def _page(answer: Answer, items: list[T]) -> Page[T]:
    """The items with the cursor of the ``Link`` to the next page."""
    link, _, relation = answer.headers.get("link", "").partition(";")
    if relation.strip() != 'rel="next"':
        return Page(items=items)
    query = parse_qs(urlsplit(link.strip(" <>")).query)
    return Page(items=items, cursor=query.get("cursor", [None])[-1])
