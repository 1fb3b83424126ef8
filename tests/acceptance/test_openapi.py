"""The description of the API is valid, and the server does what it says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import schemathesis
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from acceptance.server import Server

EXAMPLES = int(os.environ.get("AWF_OPENAPI_EXAMPLES", "20"))
ROUTES = {
    ("get", "/api/workflows"),
    ("get", "/api/workflows/{name}"),
    ("post", "/api/workflows/{name}/validate"),
    ("post", "/api/workflows/{name}/run"),
    ("get", "/api/workflows/{source}/{name}"),
    ("post", "/api/workflows/{source}/{name}/validate"),
    ("post", "/api/workflows/{source}/{name}/run"),
    ("get", "/api/executions"),
    ("get", "/api/executions/{id}"),
    ("delete", "/api/executions/{id}"),
    ("post", "/api/executions/{id}/resume"),
    ("post", "/api/executions/{id}/respond"),
    ("get", "/api/executions/{id}/events"),
    ("get", "/api/executions/{id}/steps"),
    ("get", "/api/executions/{id}/steps/{n}/output"),
    ("get", "/api/executions/{id}/transcript"),
    ("get", "/api/history"),
    ("get", "/api/history/stats"),
    ("get", "/openapi.json"),
    ("get", "/openapi.yaml"),
    ("get", "/docs"),
}


@pytest.fixture(scope="module")
def description(examples: Server) -> dict[str, Any]:
    return examples.get("/openapi.json").json()


def test_both_documents_are_valid_openapi_3_1_and_the_same(
    examples: Server, description: dict[str, Any]
) -> None:
    assert description["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(description).validate()
    response = examples.get("/openapi.yaml")
    other = yaml.safe_load(response.text)
    OpenAPIV31SpecValidator(other).validate()
    assert json.loads(json.dumps(other)) == description


def test_every_route_is_described_with_all_its_statuses(description: dict[str, Any]) -> None:
    described = {
        (method, path.rstrip("/")): operation["responses"]
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }
    assert described.keys() == ROUTES
    for (method, path), responses in described.items():
        success = "202" if path.endswith("/run") else "200"
        if method == "delete" or path.endswith("/respond"):
            success = "204"
        wanted = {success, "400", "403", "500", "503"}
        wanted |= {"404"} if "{" in path and method != "delete" else set()
        wanted |= {"422"} if path.endswith(("/run", "/resume", "/respond")) else set()
        wanted |= {"409"} if path.endswith("/respond") else set()
        assert wanted <= responses.keys(), (method, path)
        for status, response in responses.items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (method, path, status)


def test_the_problem_schema_names_what_the_seed_names(description: dict[str, Any]) -> None:
    problem = description["components"]["schemas"]["Problem"]
    assert {"status", "title", "detail"} <= set(problem["required"])


load_all_checks()
EXPECTATIONS = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
    ]
)


@pytest.mark.parametrize("known", [False, True], ids=["any", "known"])
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_no_request_finds_a_500_or_anything_that_is_not_described(
    examples: Server, description: dict[str, Any], mode: schemathesis.GenerationMode, known: bool
) -> None:
    done = examples.run("triage", value=5)
    failed = examples.run("flaky-release")
    examples.wait(done)
    examples.wait(failed, "failed")
    ids = {"done": done, "failed": failed}
    schema = schemathesis.openapi.from_dict(description)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == len(ROUTES)
    if mode is schemathesis.GenerationMode.NEGATIVE:
        operations = [operation for operation in operations if operation.query or operation.body]
    for operation in operations:
        probe(examples, operation, mode, ids if known else {})


def probe(server: Server, operation: Any, mode: schemathesis.GenerationMode, ids: dict[str, str]) -> None:
    """Send a bounded number of generated requests to an operation, the same in every run."""
    names = hypothesis.strategies.sampled_from(["triage", "flaky-release", "code-review"])
    executions = hypothesis.strategies.sampled_from(sorted(ids.values())) if ids else None

    @hypothesis.seed(20261123)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), data=hypothesis.strategies.data())
    def send(case: Any, data: Any) -> None:
        if executions is not None:
            for name, strategy in (("name", names), ("id", executions)):
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = data.draw(strategy)
        response = case.call(base_url=server.url)
        case.validate_response(response, checks=EXPECTATIONS)

    send()


def test_the_description_says_what_a_stream_is(description: dict[str, Any]) -> None:
    operation = description["paths"]["/api/executions/{id}/events"]["get"]
    assert "text/event-stream" in operation["responses"]["200"]["content"]
    assert "204" in operation["responses"]
    assert {"Last-Event-ID", "last_event_id"} <= {parameter["name"] for parameter in operation["parameters"]}


def pages(server: Server, path: str, pick: Callable[[Any], list[str]]) -> list[str]:
    """Ids of all pages of a list, following the Link headers."""
    found: list[str] = []
    while path:
        response = server.get(path)
        assert response.status_code == 200
        found += pick(response.json()["body"])
        path = response.links.get("next", {}).get("url", "")
    return found


def test_lists_are_paged_by_links(examples: Server) -> None:
    executions = [examples.run("triage", value=number) for number in range(7)]
    for execution in executions:
        examples.wait(execution)
    listed = pages(
        examples,
        "/api/executions?workflow=triage&limit=3",
        lambda body: [item["execution_id"] for item in body["executions"]],
    )
    history = pages(
        examples,
        "/api/history?workflow=triage&limit=2",
        lambda body: [item["id"] for item in body["entries"]],
    )
    assert listed[:7] == executions[::-1]
    assert history == listed
    assert len(set(listed)) == len(listed)
