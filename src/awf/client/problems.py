"""What a server says when it does not do as it was asked, as exceptions of the error tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct, field

from awf.errors import (
    AwfError,
    ErrorEntry,
    ExecutionError,
    ExecutionNotFound,
    NotAnAwfServer,
    RequestInvalid,
    SystemFault,
    UserError,
    WorkflowError,
)

_LEVELS: dict[str, type[AwfError]] = {
    "USER": UserError,
    "WORKFLOW": WorkflowError,
    "EXECUTION": ExecutionError,
    "SYSTEM": SystemFault,
}
_REMEDIES = {
    "USER.FACADE.EXECUTION_NOT_FOUND": "`awf status` with the same server for its latest executions, or another "
    "server (`--server`, AWF_SERVER)",
    "SYSTEM.STORE.UNAVAILABLE": "again, or to look at the disk of the server's machine",
    "SYSTEM.STORE.INCOMPATIBLE": "another server (`--server`, AWF_SERVER), or a newer awf there",
}
"""What to try where it is not the same as on the server's own machine, by code."""

_SHOWN = 200


class Answer(Struct, frozen=True):
    """A whole response: what there is to know of it without an HTTP library. Names of ``headers`` are in small
    letters; ``url`` is where it came from, for people."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    url: str = ""


class RemoteError(AwfError):
    """A server answered with an error. It is also of the class that has its ``code`` in the error tree: ``except
    WorkflowNotFound`` works as well as ``except RemoteError``.

    ``status`` is that of HTTP, ``code`` is stable and for programs, ``detail`` is for people, ``errors`` are the single
    findings where there are several.
    """

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[ErrorEntry] = ()) -> None:
        AwfError.__init__(self, detail, entries=errors, remedy=_REMEDIES.get(code))
        self.status = status
        self.code = code

    @property
    def detail(self) -> str:
        """What is wrong, for people."""
        return self.message

    @property
    def errors(self) -> tuple[ErrorEntry, ...]:
        """The single findings."""
        return self.entries


class _Finding(msgspec.Struct):
    location: str
    message: str


class _Problem(msgspec.Struct):
    detail: str
    code: str
    errors: list[_Finding] = []


def error_of(answer: Answer) -> AwfError:
    """The exception that an answer with an error status stands for."""
    try:
        problem = msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.DecodeError:
        return foreign(answer)
    errors = [ErrorEntry(finding.location, finding.message) for finding in problem.errors]
    return _class_of(problem.code)(answer.status, problem.code, problem.detail, errors)


def no_execution(id: str) -> ExecutionNotFound:
    """The exception for an id that no execution of a server can have."""
    error = ExecutionNotFound(id)
    error.remedy = _REMEDIES[error.code]
    return error


def foreign(answer: Answer) -> NotAnAwfServer:
    """The exception for an answer that awf does not give."""
    try:
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    except ValueError:
        status = str(answer.status)
    said = " ".join(answer.content[: 4 * _SHOWN].decode("utf-8", "replace").split())[:_SHOWN]
    return NotAnAwfServer(
        f"{answer.url} answers, but not as an awf server does: {status}" + (f": {said}" if said else "")
    )


@cache
def _class_of(code: str) -> type[RemoteError]:
    """RemoteError and the class of the tree that has the code; of a code that is not known, the class of its level."""
    known = _known(AwfError) | {RequestInvalid.code: RequestInvalid}
    base: type[Any] = known.get(code) or _LEVELS.get(code.partition(".")[0], AwfError)
    name = f"Remote{base.__name__}"
    return type(name, (RemoteError, base), {"__doc__": base.__doc__, "__module__": __name__})


def _known(base: type[AwfError]) -> dict[str, type[AwfError]]:
    """The classes of the tree below ``base`` by the codes that they define themselves."""
    found: dict[str, type[AwfError]] = {}
    for below in base.__subclasses__():
        if issubclass(below, RemoteError):
            continue
        if "code" in vars(below):
            found[below.code] = below
        found |= _known(below)
    return found
