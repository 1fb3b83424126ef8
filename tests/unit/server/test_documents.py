"""The description of the API, and its page."""

from __future__ import annotations

import re

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from unit.server.bench import Bench, scenario

ROUTES = {
    "/api/workflows": {"get"},
    "/api/workflows/{name}": {"get"},
    "/api/workflows/{name}/validate": {"post"},
    "/api/workflows/{name}/run": {"post"},
    "/api/workflows/{source}/{name}": {"get"},
    "/api/workflows/{source}/{name}/validate": {"post"},
    "/api/workflows/{source}/{name}/run": {"post"},
    "/api/executions": {"get"},
    "/api/executions/{id}": {"get", "delete"},
    "/api/executions/{id}/resume": {"post"},
    "/api/executions/{id}/respond": {"post"},
    "/api/executions/{id}/events": {"get"},
    "/api/executions/{id}/steps": {"get"},
    "/api/executions/{id}/steps/{n}/output": {"get"},
    "/api/executions/{id}/transcript": {"get"},
    "/api/history": {"get"},
    "/api/history/stats": {"get"},
    "/openapi.json": {"get"},
    "/openapi.yaml": {"get"},
    "/docs": {"get"},
}


@scenario
async def test_the_description_is_valid_openapi_3_1_and_the_same_as_yaml(bench: Bench) -> None:
    response = await bench.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()
    text = await bench.get("/openapi.yaml")
    assert text.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(text.text) == document


@scenario
async def test_every_route_and_every_status_is_described(bench: Bench) -> None:
    paths = (await bench.get("/openapi.json")).json()["paths"]
    assert {path: set(item) for path, item in paths.items()} == ROUTES
    success = {
        "runWorkflow": "202",
        "runScopedWorkflow": "202",
        "cancelExecution": "204",
        "respondToExecution": "204",
    }
    for item in paths.values():
        for operation in item.values():
            statuses = set(operation["responses"])
            assert {
                success.get(operation["operationId"], "200"),
                "400",
                "403",
                "413",
                "415",
                "500",
                "503",
            } <= statuses
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    (kind, content), *others = response["content"].items()
                    assert not others
                    assert kind == "application/problem+json"
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert {"404", "422"} <= set(paths["/api/workflows/{name}/run"]["post"]["responses"])
    assert {"404", "422"} <= set(paths["/api/executions/{id}/resume"]["post"]["responses"])
    assert {"404", "409", "422"} <= set(paths["/api/executions/{id}/respond"]["post"]["responses"])
    assert {"204", "404"} <= set(paths["/api/executions/{id}/events"]["get"]["responses"])


@scenario
async def test_bodies_are_optional_and_described(bench: Bench) -> None:
    paths = (await bench.get("/openapi.json")).json()["paths"]
    body = paths["/api/executions/{id}/resume"]["post"]["requestBody"]
    assert body["required"] is False
    schema = body["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"input_overrides", "from_step", "definition"}
    assert schema["additionalProperties"] is False


@scenario
async def test_query_parameters_are_described_as_they_are_read(bench: Bench) -> None:
    paths = (await bench.get("/openapi.json")).json()["paths"]
    found = {item["name"]: item for item in paths["/api/history"]["get"]["parameters"]}
    assert set(found) == {"workflow", "status", "since", "until", "limit", "cursor"}
    assert not any(item["required"] for item in found.values())
    assert found["since"]["schema"]["format"] == "date-time"
    assert (found["limit"]["schema"]["type"], found["limit"]["schema"]["minimum"]) == ("integer", 1)
    assert found["status"]["schema"]["enum"] == ["success", "completed", "failed", "cancelled"]
    stream = {item["name"] for item in paths["/api/executions/{id}/events"]["get"]["parameters"]}
    assert stream == {"id", "Last-Event-ID", "last_event_id", "events", "follow"}


@scenario
async def test_the_page_needs_nothing_from_elsewhere(bench: Bench) -> None:
    page = await bench.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"https?://|//cdn", page.text)
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(references) == 4
    for reference in references:
        response = await bench.get(reference)
        assert response.status_code == 200, reference
        assert response.headers["x-content-type-options"] == "nosniff"
    assert (await bench.get("/docs/")).content == page.content
    assert "/openapi.json" in (await bench.get("/docs/start.js")).text


@pytest.mark.parametrize(
    ("name", "kind", "size"),
    [
        ("swagger-ui.css", "text/css; charset=utf-8", 100_000),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", 1_000_000),
        ("favicon-32x32.png", "image/png", 500),
        ("LICENSE", "text/plain; charset=utf-8", 10_000),
    ],
)
@scenario
async def test_the_files_of_the_page(bench: Bench, name: str, kind: str, size: int) -> None:
    response = await bench.get(f"/docs/{name}")
    assert response.headers["content-type"] == kind
    assert len(response.content) > size


@pytest.mark.parametrize("name", ["index.html", "..%2Fapp.py", "%2E%2E", "NOTICE", "x" * 300])
@scenario
async def test_no_other_file_is_served(bench: Bench, name: str) -> None:
    await bench.problem(404, "GET", f"/docs/{name}")
