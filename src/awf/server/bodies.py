"""Request bodies: bounded, JSON, an object; absent and empty ones count as ``{}``."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request

from awf.errors import ErrorEntry
from awf.server.problems import Refused, shortened

T = TypeVar("T", bound=msgspec.Struct)

_DEPTH = 100
_BODY = "body"
_KEPT = "document"
_LISTENED = 64 * 1024 * 1024
"""Bytes of a body that is too large which are read all the same: most clients look for an answer only when they have
sent everything, and lose it where the connection is closed before."""
_NUL_ESCAPE = b"\\u0000"


async def receive_body(request: Request[Any, Any, Any], *, limit: int) -> None:
    """Read the request's body, at most ``limit`` bytes, and keep it for :func:`fitted`.

    Raises Refused: 413 where it is longer, 415 where it is not declared as JSON, 400 where it is not a JSON object or
    holds what cannot be stored, or it never ends.
    """
    raw = await _read(request, limit)
    if not raw:
        return
    declared = request.headers.get("content-type", "")
    if declared.partition(";")[0].strip().lower() != "application/json":
        found = f"it is {shortened(declared)}" if declared else "it has no Content-Type"
        raise Refused(415, f"a request body must be application/json; {found}")
    request.state[_KEPT] = _decode(raw)


def fitted(request: Request[Any, Any, Any], shape: type[T]) -> T:
    """The request's body as a ``shape``. Raises Refused (400) naming the member that is unknown or of the wrong type."""
    try:
        return msgspec.convert(request.state.get(_KEPT, {}), shape)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        location = place.strip("`.") or _BODY
        raise Refused(
            400, f"invalid request body: {message} ({location})", entries=[ErrorEntry(location, message)]
        ) from error


async def _read(request: Request[Any, Any, Any], limit: int) -> bytes:
    declared = request.headers.get("content-length")
    chunked = "transfer-encoding" in request.headers
    if not chunked and (declared is None or declared == "0"):
        return b""
    too_large = Refused(413, f"the request body is over {limit} bytes", headers={"connection": "close"})
    if (
        declared is not None
        and declared.isdecimal()
        and int(declared) > limit
        and "expect" in request.headers
    ):
        raise too_large
    parts: list[bytes] = []
    size = 0
    while True:
        event = await request.receive()
        if event["type"] != "http.request":
            raise Refused(400, "the request ended before it was complete")
        size += len(event["body"])
        if size <= limit:
            parts.append(event["body"])
        if not event["more_body"] or size > limit + _LISTENED:
            break
    if size > limit:
        raise too_large
    return b"".join(parts)


def _decode(raw: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Refused(400, f"invalid JSON in the request body: {error}") from error
    if not isinstance(document, dict):
        raise Refused(400, "the request body must be a JSON object")
    if _NUL_ESCAPE in raw or raw.count(b"[") + raw.count(b"{") > _DEPTH:
        _check(document)
    return document


def _check(document: dict[str, Any]) -> None:
    """Refuse NUL characters and documents nested so deep that they could not be written again."""
    level: list[Any] = [document]
    for _ in range(_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str) and "\0" in value:
                raise Refused(400, "the request body holds a NUL character")
        if not below:
            return
        level = below
    raise Refused(400, f"the request body is nested more than {_DEPTH} deep")
