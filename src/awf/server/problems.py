"""Errors as ``application/problem+json``: every error, whatever raised it, leaves the server in this one shape.

========================  ======  ====================================
raised                    status  code
========================  ======  ====================================
an AwfError               its own its own
Refused (guard, parsing)  its own by status, see ``_CODES``
Litestar's HTTPException  its own by status, see ``_CODES``
anything else: a bug      500     SYSTEM.INTERNAL.UNMAPPED
========================  ======  ====================================

A 500 has a reference that the log has too, with what happened; of a bug it shows no more.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from traceback import extract_tb
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Struct, field

from awf.errors import AwfError, ErrorEntry, ServerDraining
from awf.server.asgi import Send
from awf.server.schemas import Finding, Problem

MEDIA_TYPE = "application/problem+json"

_LOG = logging.getLogger("awf.server")

_CODES = {
    400: "USER.REQUEST.INVALID",
    403: "USER.REQUEST.FORBIDDEN",
    404: "USER.REQUEST.NOT_FOUND",
    405: "USER.REQUEST.METHOD_NOT_ALLOWED",
    413: "USER.REQUEST.TOO_LARGE",
    415: "USER.REQUEST.UNSUPPORTED_MEDIA_TYPE",
}
_TITLES = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}
_RETRY_AFTER = {"retry-after": "5"}
_SHOWN_FRAMES = 6
_SHOWN_CHARACTERS = 200


class _Repeated:
    """What many requests run into is told once a minute: clients try again, and the log is on a disk too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = ""
        self._again = 0.0

    def tell(self, text: str, method: str, path: str) -> None:
        """Log it where it is another than the last one, or that is a minute ago."""
        now = self._clock()
        if text != self._told or now >= self._again:
            self._told, self._again = text, now + 60.0
            _LOG.warning("%s %r: %s", method, path, text)


_UNAVAILABLE = _Repeated()


class Refused(Exception):
    """A request that HTTP itself says no to: ``status``, the text, and headers that belong to the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        entries: Sequence[ErrorEntry] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.entries = tuple(entries)
        self.headers = dict(headers or {})


class Answer(Struct, frozen=True):
    """A problem ready to be sent."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """All its headers, as they are sent."""
        headers = {
            "content-type": MEDIA_TYPE,
            "content-length": str(len(self.body)),
            "cache-control": "no-store",
            **self.headers,
        }
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def send(self, send: Send) -> None:
        """Send it as a whole response."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.raw_headers()})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def title(status: int) -> str:
    """The classic reason phrase of a status."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def answer(error: Exception, *, method: str, path: str) -> Answer:
    """What to tell the client of an error. Logs it where the fault is not the client's."""
    if isinstance(error, Refused):
        return _render(error.status, error.detail, _CODES[error.status], error.entries, error.headers)
    if isinstance(error, AwfError):
        return _of_awf_error(error, method, path)
    if isinstance(error, HTTPException) and error.status_code in _CODES:
        return _of_framework(error, method, path)
    reference = log_bug(error, method, path)
    return _render(500, f"internal error; the server's log has it as {reference}", AwfError.code)


def log_bug(error: BaseException, method: str, path: str) -> str:
    """Write one line about a bug to the log (with its traceback at level DEBUG) and return its reference."""
    reference = secrets.token_hex(4)
    places = " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in reversed(extract_tb(error.__traceback__)[-_SHOWN_FRAMES:])
    )
    _LOG.error("[%s] %s %r: %s: %r in %s", reference, method, path, type(error).__name__, str(error), places)
    _LOG.debug("[%s]", reference, exc_info=error)
    return reference


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the application."""
    made = answer(error, method=request.method, path=request.scope["path"])
    headers = {"cache-control": "no-store", **made.headers}
    return Response(made.body, status_code=made.status, headers=headers, media_type=MEDIA_TYPE)


def shortened(text: str) -> str:
    """What a client sent, cut to a length that is fit to be repeated to it."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _of_awf_error(error: AwfError, method: str, path: str) -> Answer:
    status = error.http_status
    if status == 503:
        if not isinstance(error, ServerDraining):
            _UNAVAILABLE.tell(f"{error.code}: {error.message}", method, path)
        leaving = {"connection": "close"} if isinstance(error, ServerDraining) else {}
        return _render(status, error.message, error.code, error.entries, {**_RETRY_AFTER, **leaving})
    if status >= 500:
        reference = log_bug(error, method, path)
        detail = f"{error.message}; the server's log has it as {reference}"
        return _render(status, detail, error.code, error.entries)
    return _render(status, error.message, error.code, error.entries)


def _of_framework(error: HTTPException, method: str, path: str) -> Answer:
    status = error.status_code
    headers = dict(error.headers or {})
    if status == 404:
        detail = (
            f"nothing is at {shortened(path)}; see /docs for the API and /api/workflows for the workflows"
        )
    elif status == 405:
        allowed = {*headers["allow"].split(", ")}
        headers["allow"] = ", ".join(sorted(allowed | {"HEAD"} if "GET" in allowed else allowed))
        detail = f"{method} is not a method of {shortened(path)}"
    else:
        detail = error.detail
    return _render(status, detail, _CODES[status], (), headers)


def _render(
    status: int,
    detail: str,
    code: str,
    entries: Sequence[ErrorEntry] = (),
    headers: Mapping[str, str] | None = None,
) -> Answer:
    findings = [Finding(_clean(entry.location), _clean(entry.message)) for entry in entries]
    problem = Problem(
        status=status,
        title=title(status),
        detail=_clean(detail),
        code=code,
        errors=findings or msgspec.UNSET,
    )
    return Answer(status, msgspec.json.encode(problem), dict(headers or {}))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
