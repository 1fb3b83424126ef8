"""Query parameters: strict, each fault a 400 that names the parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from litestar import Request
from litestar.params import QueryParameter

from awf.errors import ErrorEntry, ExecutionNotFound
from awf.journal.events import Stream
from awf.journal.store import ExecutionStatus
from awf.server.problems import Refused, shortened
from awf.server.rows import microseconds

T = TypeVar("T")

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

_STATUSES: dict[str, ExecutionStatus] = {
    "pending": "pending",
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
_HISTORY_STATUSES: dict[str, ExecutionStatus] = {
    "success": "completed",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_CURSOR = "[0-9]{1,18}"
_ID = re.compile(r"[0-9a-fA-F-]{1,36}")
_DIGITS = re.compile("[0-9]+")


_TEXT: dict[str, object] = {"type": "string", "pattern": "^[^\\u0000]*$"}


def _parameter(description: str, schema: dict[str, object]) -> QueryParameter:
    return QueryParameter(description=description, schema_extra={"oneOf": None, **schema})


WorkflowName = Annotated[str | None, _parameter("only this workflow's", _TEXT)]
Status = Annotated[
    str | None, _parameter("only those with this status", {"type": "string", "enum": list(_STATUSES)})
]
HistoryStatusName = Annotated[
    str | None, _parameter("only those with this status", {"type": "string", "enum": list(_HISTORY_STATUSES)})
]
Since = Annotated[
    str | None,
    _parameter(
        "only those started at this time or later, RFC 3339", {"type": "string", "format": "date-time"}
    ),
]
Until = Annotated[
    str | None,
    _parameter(
        "only those started at this time or earlier, RFC 3339", {"type": "string", "format": "date-time"}
    ),
]
Limit = Annotated[
    str | None,
    _parameter(
        f"how many at most, clamped to {MAX_LIMIT}", {"type": "integer", "minimum": 1, "default": 100}
    ),
]
Cursor = Annotated[
    str | None,
    _parameter(
        "where to go on, from the Link header of the page before",
        {"type": "string", "pattern": f"^{_CURSOR}$"},
    ),
]
Events = Annotated[
    str | None,
    _parameter("which events", {"type": "string", "enum": ["default", "all"], "default": "default"}),
]
Follow = Annotated[
    str | None,
    _parameter(
        "whether to go on with what is yet to come",
        {"type": "string", "enum": ["true", "false"], "default": "true"},
    ),
]
LastEventIdQuery = Annotated[
    str | None, _parameter("continue after this event, where the header cannot be set", _TEXT)
]
StreamName = Annotated[
    str | None,
    _parameter(
        "which stream of the step", {"type": "string", "enum": ["stdout", "stderr"], "default": "stdout"}
    ),
]


def status(text: str | None) -> ExecutionStatus | None:
    """A status of an execution."""
    return _one_of("status", text, _STATUSES)


def history_status(text: str | None) -> ExecutionStatus | None:
    """A status of a finished execution, ``completed`` under its other name too."""
    return _one_of("status", text, _HISTORY_STATUSES)


def stream_name(text: str | None) -> Stream:
    """A stream of a step; standard output where none is named."""
    streams: dict[str, Stream] = {"stdout": "stdout", "stderr": "stderr"}
    return _one_of("stream", text, streams) or "stdout"


def events(text: str | None) -> bool:
    """Whether all events are wanted, not only those of the default stream."""
    return bool(_one_of("events", text, {"default": False, "all": True}))


def follow(text: str | None) -> bool:
    """Whether a stream goes on after the events that there are."""
    return _one_of("follow", text, {"true": True, "false": False}) is not False


def execution_id(text: str) -> str:
    """The text, where it can be the id of an execution. Raises ExecutionNotFound where not."""
    if not is_execution_id(text):
        raise ExecutionNotFound(text)
    return text


def is_execution_id(text: str) -> bool:
    """Whether the text can be the id of an execution."""
    return _ID.fullmatch(text) is not None


def instant(name: str, text: str | None) -> int | None:
    """An RFC 3339 date and time, in microseconds since the epoch."""
    if text is None:
        return None
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise _bad(
            name, "must be an RFC 3339 date and time such as 2026-05-17T20:39:00Z (in a URL, + is %2B)", text
        )
    day, clock, second, fraction, zone = found.groups()
    leap = second == "60"
    try:
        whole = datetime.fromisoformat(
            f"{day}T{clock}:{'59' if leap else second}{'+00:00' if zone in 'Zz' else zone}"
        )
    except ValueError as error:
        raise _bad(name, f"is not a time: {error}", text) from error
    return microseconds(whole) + leap * 1_000_000 + int(f"{fraction or '.'}000000"[1:7])


def limit(text: str | None) -> int:
    """How many results, at most MAX_LIMIT."""
    if text is None:
        return DEFAULT_LIMIT
    digits = text.lstrip("0") if _DIGITS.fullmatch(text) else ""
    if not digits:
        raise _bad("limit", "must be a whole number from 1", text)
    return MAX_LIMIT if len(digits) > len(str(MAX_LIMIT)) else min(int(digits), MAX_LIMIT)


def cursor(text: str | None) -> int | None:
    """Where to go on."""
    if text is None:
        return None
    if not re.fullmatch(_CURSOR, text):
        raise _bad("cursor", "must come from the Link header of the page before", text)
    return int(text)


def next_page(request: Request[Any, Any, Any], position: int) -> dict[str, str]:
    """The Link header to the page after this one: the same query from ``position``."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    query = urlencode([pair for pair in pairs if pair[0] != "cursor"] + [("cursor", str(position))])
    return {"link": f'<{request.scope["path"]}?{query}>; rel="next"'}


def _one_of(name: str, text: str | None, known: Mapping[str, T]) -> T | None:
    if text is None:
        return None
    if text not in known:
        raise _bad(name, f"must be one of {', '.join(known)}", text)
    return known[text]


def _bad(name: str, rule: str, text: str) -> Refused:
    message = f"{name} {rule}, not {shortened(text)!r}"
    return Refused(400, f"invalid query parameter: {message}", entries=[ErrorEntry(f"query.{name}", message)])
