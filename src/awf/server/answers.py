"""What every route can answer besides success, for the description of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody

from awf.server.problems import MEDIA_TYPE
from awf.server.schemas import Problem, RespondRequest, ResumeRequest, RunRequest

_MEANINGS = {
    400: "the request cannot be understood",
    403: "the Host or the Origin of the request is not let in",
    404: "there is no such thing",
    409: "nothing waits for an answer, or it has been answered",
    413: "the request body is too long",
    415: "the request body is not declared as JSON",
    422: "understood, but it cannot be run",
    500: "a bug; the server's log has the reference",
    503: "the server is shutting down, or nothing can be stored now; try again after Retry-After",
}
_EVERYWHERE = (400, 403, 413, 415, 500, 503)


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems a route answers with: ``statuses``, and those that any request can meet."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=_MEANINGS[status],
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status in sorted({*statuses, *_EVERYWHERE})
    }


@dataclass
class RunOperation(Operation):
    """An operation whose body is a RunRequest, or absent."""

    def __post_init__(self) -> None:
        self.request_body = _body(RunRequest)


@dataclass
class ResumeOperation(Operation):
    """An operation whose body is a ResumeRequest, or absent."""

    def __post_init__(self) -> None:
        self.request_body = _body(ResumeRequest)


@dataclass
class RespondOperation(Operation):
    """An operation whose body is a RespondRequest."""

    def __post_init__(self) -> None:
        self.request_body = _body(RespondRequest, required=True)


def _body(shape: type[msgspec.Struct], *, required: bool = False) -> RequestBody:
    schema: Any = msgspec.json.schema(shape)["$defs"][shape.__name__]
    return RequestBody(required=required, content={"application/json": OpenAPIMediaType(schema=schema)})
