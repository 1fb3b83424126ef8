"""The description of the API, and Swagger UI from files that ship with awf."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import yaml
from litestar import Litestar, Response, get
from litestar.di import NamedDependency
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License
from litestar.params import FromPath, SkipValidation

import awf
from awf.server.answers import problems
from awf.server.problems import Refused

_ASSETS = Path(__file__).parent / "assets"
_MEDIA_TYPES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "LICENSE": "text/plain",
}
_PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Description:
    """The OpenAPI document of an application, made when it is first asked for. ``describing`` builds an application
    with the same routes and the given configuration."""

    def __init__(self, describing: Callable[[OpenAPIConfig], Litestar]) -> None:
        self._describing = describing

    @cached_property
    def document(self) -> dict[str, Any]:
        """As data."""
        config = OpenAPIConfig(
            title="awf",
            version=awf.__version__,
            summary="Discover, run and watch workflows",
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            path="/description",
        )
        return self._describing(config).openapi_schema.to_schema()

    @cached_property
    def json(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self.document)

    @cached_property
    def yaml(self) -> bytes:
        """As YAML."""
        plain = msgspec.json.decode(self.json)
        return yaml.dump(plain, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True).encode()


TheDescription: TypeAlias = NamedDependency[SkipValidation[Description]]


@get(
    "/openapi.json",
    operation_id="getOpenApiJson",
    summary="This description",
    responses=problems(),
    tags=["documents"],
)
async def openapi_json(description: TheDescription) -> Response[dict[str, Any]]:
    return Response(description.json, media_type="application/json")  # type: ignore[arg-type]


@get(
    "/openapi.yaml",
    media_type="application/yaml",
    operation_id="getOpenApiYaml",
    summary="This description",
    responses=problems(),
    tags=["documents"],
)
async def openapi_yaml(description: TheDescription) -> Response[dict[str, Any]]:
    return Response(description.yaml, media_type="application/yaml")  # type: ignore[arg-type]


@get(
    "/docs",
    media_type="text/html",
    operation_id="getDocs",
    summary="Swagger UI",
    responses=problems(),
    tags=["documents"],
)
async def docs() -> Response[bytes]:
    page = await asyncio.to_thread((_ASSETS / "index.html").read_bytes)
    return Response(page, headers={**_PAGE_HEADERS, "cache-control": "no-store"})


@get("/docs/{file:str}", include_in_schema=False)
async def docs_file(file: FromPath[str]) -> Response[bytes]:
    if file not in _MEDIA_TYPES:
        raise Refused(
            404, f"nothing is at /docs/{file}; see /docs for the API and /api/workflows for the workflows"
        )
    content = await asyncio.to_thread((_ASSETS / file).read_bytes)
    headers = {"cache-control": "max-age=3600", "x-content-type-options": "nosniff"}
    return Response(content, media_type=_MEDIA_TYPES[file], headers=headers)


documents = [openapi_json, openapi_yaml, docs, docs_file]
