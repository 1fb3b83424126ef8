"""Every status code and every text of an error, over the wire."""

from __future__ import annotations

import socket
import sqlite3
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from acceptance.server import Project, Server

UNKNOWN = str(uuid.UUID(int=7))
TITLES = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}
LIMIT = 10 * 1024 * 1024
TYPED = {"Content-Type": "application/json"}


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem of an error response, which must have the form of RFC 7807 and the classic title."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == status
    assert found["title"] == (TITLES.get(status) or HTTPStatus(status).phrase)
    assert {"detail", "code"} <= found.keys()
    assert "Traceback" not in response.text
    return found


@pytest.mark.parametrize(
    ("method", "path", "detail"),
    [
        ("GET", "/api/workflows/nonexistent", "workflow not found: nonexistent"),
        ("POST", "/api/workflows/nonexistent/validate", "workflow not found: nonexistent"),
        ("POST", "/api/workflows/nonexistent/run", "workflow not found: nonexistent"),
        ("GET", "/api/workflows/.hidden", "workflow not found: .hidden"),
        ("GET", "/api/workflows/..%5C..%5Csecret", "workflow not found: ..\\..\\secret"),
        ("GET", "/api/workflows/%0A", "workflow not found: \n"),
        ("GET", f"/api/executions/{UNKNOWN}", f"execution not found: {UNKNOWN}"),
        ("GET", f"/api/executions/{UNKNOWN}/events", f"execution not found: {UNKNOWN}"),
        ("GET", f"/api/executions/{UNKNOWN}/steps", f"execution not found: {UNKNOWN}"),
        ("GET", f"/api/executions/{UNKNOWN}/steps/1/output", f"execution not found: {UNKNOWN}"),
        ("GET", "/api/executions/no-id-at-all", "execution not found: no-id-at-all"),
        ("POST", f"/api/executions/{UNKNOWN}/resume", f"execution not found or cannot be resumed: {UNKNOWN}"),
    ],
)
def test_what_does_not_exist_is_404(examples: Server, method: str, path: str, detail: str) -> None:
    assert problem(examples.client.request(method, path), 404)["detail"] == detail


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/nothing",
        "/docs/..%2Fsecret",
        "/api/workflows/a/b/c",
        "/api/workflows/..%2F..%2Fsecret",
    ],
)
def test_paths_without_a_handler_are_404_and_say_where_to_look(examples: Server, path: str) -> None:
    detail = problem(examples.get(path), 404)["detail"]
    if path in {"/", "/api"}:
        assert "/docs" in detail
        assert "/api/workflows" in detail


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/workflows", {"GET"}),
        ("DELETE", "/api/workflows/code-review", {"GET"}),
        ("GET", "/api/workflows/code-review/run", {"POST"}),
        ("PUT", f"/api/executions/{UNKNOWN}", {"GET", "DELETE"}),
        ("PATCH", f"/api/executions/{UNKNOWN}/events", {"GET"}),
        ("GET", f"/api/executions/{UNKNOWN}/resume", {"POST"}),
        ("POST", "/api/history", {"GET"}),
        ("DELETE", "/openapi.json", {"GET"}),
    ],
)
def test_a_wrong_method_is_405_with_the_right_ones(
    examples: Server, method: str, path: str, allowed: set[str]
) -> None:
    response = examples.client.request(method, path)
    problem(response, 405)
    named = {name.strip() for name in response.headers["allow"].split(",")}
    assert allowed <= named
    assert method not in named


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("run", b"{"),
        ("run", b"nonsense"),
        ("run", b"[]"),
        ("run", b'"text"'),
        ("run", b"null"),
        ("run", b'{"inputs": []}'),
        ("run", b'{"inputs": "main.go"}'),
        ("run", b'{"inputs": {"file": "a\\u0000b"}}'),
        ("run", b'{"inputs": {"file": "\\ud800"}}'),
        ("run", b'{"inputs": {"file": "\xff"}}'),
        ("run", b'{"inputs": {"file": NaN}}'),
        ("run", b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        ("resume", b"{"),
        ("resume", b'{"input_overrides": 7}'),
        ("resume", b'{"from_step": ["analyze"]}'),
    ],
    ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_a_body_that_cannot_be_understood_is_400(examples: Server, path: str, content: bytes) -> None:
    place = "/api/workflows/code-review/run" if path == "run" else f"/api/executions/{UNKNOWN}/resume"
    assert problem(examples.client.post(place, content=content, headers=TYPED), 400)["detail"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("/api/history?since=yesterday", "since"),
        ("/api/history?until=2026-13-01T00:00:00Z", "until"),
        ("/api/history?limit=-1", "limit"),
        ("/api/history?limit=many", "limit"),
        ("/api/history?status=running", "status"),
        ("/api/history/stats?status=unknown", "status"),
        ("/api/executions?status=success", "status"),
        ("/api/executions?limit=0", "limit"),
        ("/api/executions?cursor=x", "cursor"),
    ],
)
def test_a_bad_query_parameter_is_400_and_named(examples: Server, query: str, named: str) -> None:
    assert named in problem(examples.get(query), 400)["detail"]


@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_of_another_type_is_415(examples: Server, declared: str | None) -> None:
    headers = {} if declared is None else {"Content-Type": declared}
    response = examples.client.post(
        "/api/workflows/code-review/run", content=b'{"inputs": {}}', headers=headers
    )
    problem(response, 415)


def test_an_empty_body_of_any_type_counts_as_absent(examples: Server) -> None:
    response = examples.client.post(
        "/api/workflows/deploy-app/run", content=b"", headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 202
    assert examples.wait(response.json()["body"]["execution_id"])["inputs"]["app"] == "hello"


def chunks(size: int) -> Iterator[bytes]:
    yield b'{"inputs": {"file": "'
    for _ in range(size // 65536 + 1):
        yield b"x" * 65536
    yield b'"}}'


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_10_mib_is_413(examples: Server, chunked: bool) -> None:
    content: Any = chunks(LIMIT) if chunked else b"".join(chunks(LIMIT))
    try:
        response = examples.client.post("/api/workflows/code-review/run", content=content, headers=TYPED)
    except httpx.WriteError:
        pytest.fail("the connection was cut before the answer could be read")
    problem(response, 413)


def test_a_body_just_under_10_mib_is_understood(examples: Server) -> None:
    content = b'{"inputs": {"file": "' + b"x" * (LIMIT - 100) + b'"}}'
    response = examples.client.post("/api/workflows/triage/run", content=content, headers=TYPED)
    assert "value" in problem(response, 422)["detail"]


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("code-review", {}, "file"),
        ("code-review", None, "file"),
        ("triage", {"inputs": {"value": "many"}}, "value"),
        ("triage", {"inputs": {"value": -1}}, "value"),
        ("deploy-app", {"inputs": {"environment": "moon", "app": "NO"}}, "environment"),
    ],
)
def test_a_run_that_cannot_start_is_422(examples: Server, name: str, body: Any, reason: str) -> None:
    found = problem(examples.post(f"/api/workflows/{name}/run", body), 422)
    assert found["detail"].startswith("failed to start execution: ")
    assert reason in found["detail"]


def test_all_bad_inputs_are_told_at_once(examples: Server) -> None:
    body = {"inputs": {"environment": "moon", "app": "NO"}}
    found = problem(examples.post("/api/workflows/deploy-app/run", body), 422)
    assert {entry["location"] for entry in found["errors"]} == {"inputs.environment", "inputs.app"}


def test_an_invalid_workflow_cannot_start_and_says_everything_that_is_wrong(project: Project) -> None:
    project.workflow(
        "broken",
        "name: broken\nstates:\n  initial: a\n  a: {type: step, command: 'true', on_success: nowhere}\n"
        "  b: {type: step, command: 'true', on_success: neither}\n",
    )
    server = project.serve()
    run = problem(server.post("/api/workflows/broken/run"), 422)
    assert run["detail"].startswith("failed to start execution: ")
    validated = server.post("/api/workflows/broken/validate")
    assert validated.status_code == 200
    errors = validated.json()["body"]["errors"]
    for text in (
        "state 'a' references undefined state 'nowhere' (.awf/workflows/broken.yaml:4:",
        "state 'b' references undefined state 'neither' (.awf/workflows/broken.yaml:5:",
    ):
        assert any(error.startswith(text) for error in errors), errors
        assert text.split(" (")[0] in run["detail"]
    assert server.get("/api/workflows/broken").status_code == 200
    assert server.body("/api/executions") == {"executions": []}


def test_delete_is_204_for_any_id(examples: Server) -> None:
    for name in (UNKNOWN, "no-id-at-all", "x" * 300):
        examples.cancel(name)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:2511", "localhost.evil.example", "192.168.1.1"]
)
def test_a_foreign_host_is_403(examples: Server, host: str) -> None:
    response = examples.get("/api/workflows", headers={"Host": host})
    assert "--allow-host" in problem(response, 403)["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.8.8.8:80", "[::1]:2511"])
def test_every_loopback_host_is_let_in(examples: Server, host: str) -> None:
    assert examples.get("/api/workflows", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null", "https://127.0.0.1"])
def test_a_foreign_origin_is_403_and_starts_nothing(examples: Server, origin: str) -> None:
    before = examples.body("/api/executions?limit=1000")
    response = examples.post(
        "/api/workflows/triage/run", {"inputs": {"value": 1}}, headers={"Origin": origin}
    )
    assert "--allow-origin" in problem(response, 403)["detail"]
    assert "access-control-allow-origin" not in response.headers
    assert examples.body("/api/executions?limit=1000") == before


def test_the_own_origin_is_let_in(examples: Server) -> None:
    response = examples.get("/api/workflows", headers={"Origin": examples.url})
    assert response.status_code == 200


def test_allowed_hosts_and_origins_are_let_in(project: Project) -> None:
    server = project.serve(
        "--allow-host",
        "proxy.example",
        "--allow-host",
        "other.example",
        "--allow-origin",
        "https://board.example",
    )
    for host in ("proxy.example", "other.example:8443", "localhost"):
        assert server.get("/api/workflows", headers={"Host": host}).status_code == 200
    problem(server.get("/api/workflows", headers={"Host": "third.example"}), 403)
    origin = {"Origin": "https://board.example"}
    response = server.get("/api/executions", headers=origin)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "https://board.example"
    preflight = server.client.options(
        "/api/workflows/x/run",
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert preflight.status_code in {200, 204}
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
    refused = server.client.options(
        "/api/workflows/x/run",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    problem(refused, 403)
    problem(server.get("/api/executions", headers={"Origin": "https://board.example.evil.example"}), 403)


def test_a_damaged_record_is_500_with_a_reference_that_the_log_has(project: Project) -> None:
    project.take_examples()
    server = project.serve()
    execution = server.run("triage", value=5)
    server.wait(execution)
    with sqlite3.connect(project.storage / "journal.db") as database:
        changed = database.execute(
            "UPDATE events SET body = 'what the record says' WHERE seq = 1"
            " AND ordinal = (SELECT ordinal FROM executions WHERE id = ?)",
            (execution,),
        )
        assert changed.rowcount == 1
    database.close()
    found = problem(server.get(f"/api/executions/{execution}"), 500)
    reference = found["detail"].split()[-1]
    assert reference in server.said()
    assert "is damaged" in found["detail"]
    assert "awf db check" in found["detail"]
    assert "what the record says" not in found["detail"]


def test_a_request_that_is_no_http_is_answered_with_400(examples: Server) -> None:
    with socket.create_connection(("127.0.0.1", int(examples.port)), timeout=10) as connection:
        connection.sendall(b"this is no request\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("path", ["/api/workflows/plain%2Frun", "/api%2fworkflows", "/api//workflows"])
def test_a_path_that_can_be_understood_in_two_ways_is_404(project: Project, path: str) -> None:
    project.steps("plain", "true")
    server = project.serve()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 404 ")
    assert server.body("/api/executions")["executions"] == []


def test_the_head_of_a_request_is_bounded(project: Project) -> None:
    server = project.serve()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /api/workflows HTTP/1.1\r\nHost: localhost\r\nX-Large: " + b"x" * 80_000)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400 ")
