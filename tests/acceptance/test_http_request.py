"""``http.request`` through the real server: its record, its retries, and what nobody may see."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.server import Project, Server
from services.web import Call, Service, service

SECRET = 's3cr3t-välue-\\w1th "a11"\''


@pytest.fixture
def web() -> Iterator[Service]:
    with service() as running:
        yield running


def operation(
    project: Project, name: str, inputs: dict[str, Any], more: dict[str, Any] | None = None
) -> None:
    states = {
        "initial": "call",
        "call": {
            "type": "operation",
            "operation": "http.request",
            "inputs": {"method": "GET", **inputs},
            "on_success": "done",
            **(more or {}),
        },
        "done": {"type": "terminal", "message": "{{states.call.Response.json.n}}"},
    }
    declared = [{"name": "token", "type": "string"}, {"name": "body", "type": "string"}]
    project.workflow(name, json.dumps({"name": name, "inputs": declared, "states": states}))


def test_a_request_is_a_step(project: Project, server: Server, web: Service) -> None:
    web.on("/", lambda call: call.answer(201, {"n": call.json["n"]}))
    operation(project, "ask", {"url": web.url, "method": "post", "body": {"n": "{{inputs.body}}"}})
    found = server.wait(server.run("ask", body="5 €"))
    assert json.loads(web.calls[0].body) == {"n": "5 €"}
    assert server.events(found["execution_id"])[-1].data["message"] == "5 €"
    (step,) = found["steps"]
    output = json.loads(step["output"])
    assert (output["status_code"], output["json"]) == (201, {"n": "5 €"})


def test_retryable_statuses_are_tried_again_when_the_service_says(
    project: Project, server: Server, web: Service
) -> None:
    answers = iter([(503, {"Retry-After": "1"}), (429, {}), (200, {})])

    def act(call: Call) -> None:
        status, headers = next(answers)
        call.answer(status, {"n": 1}, headers)

    web.on("/", act)
    retry = {"max_attempts": 3, "initial_delay": "1ms"}
    operation(project, "ask", {"url": web.url, "retryable_status_codes": [503, 429]}, {"retry": retry})
    execution = server.run("ask")
    server.wait(execution)
    retrying = [
        event.data for event in server.events(execution, query="?events=all") if event.name == "step.retrying"
    ]
    assert [each["error"] for each in retrying] == [
        "http.request: retryable status code 503",
        "http.request: retryable status code 429",
    ]
    assert [each["delay_ms"] for each in retrying] == [1000, 1]


def test_the_largest_body_passes(project: Project, server: Server, web: Service) -> None:
    web.answers("/", 200, b"\xff\x00" * (6 * 1024 * 1024))
    operation(project, "ask", {"url": web.url})
    (step,) = server.wait(server.run("ask"))["steps"]
    assert step["output_truncated"]
    assert step["output"].endswith('"body_truncated":true}')


def test_a_cancel_closes_the_connection(project: Project, server: Server, web: Service) -> None:
    web.on("/", Call.wait_hung_up)
    operation(project, "ask", {"url": web.url})
    execution = server.run("ask")
    call = web.wait_call()
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert call.hung_up.wait(30)


def test_a_failure_goes_where_the_state_says(project: Project, server: Server, web: Service) -> None:
    web.close()
    operation(
        project,
        "ask",
        {"url": web.url},
        {"on_failure": {"message": "no: {{states.call.Status}}", "status": 7}},
    )
    found = server.wait(server.run("ask"), "failed")
    assert (found["exit_code"], "Connection refused" in found["steps"][0]["error"]) == (7, True)


def test_secrets_reach_the_service_and_nobody_else(project: Project, server: Server, web: Service) -> None:
    """The service answers with the secret in every place that it has."""

    def echo(call: Call) -> None:
        said = call.headers["X-Auth"].encode("latin-1").decode()
        call.answer(
            200,
            {said: said, "in": [f"<{said}>"]},
            {"X-Echo": call.headers["X-Auth"], "Content-Type": "application/json"},
        )

    web.on("/", echo)
    headers = {"X-Auth": "Bearer {{inputs.token}}"}
    operation(
        project, "ask", {"url": web.url, "headers": headers, "body": "{{inputs.token}}", "method": "PUT"}
    )
    states = {"url": f"{web.url}/{{{{inputs.token}}}}?{{{{inputs.token}}}}"}
    operation(project, "broken", states)
    web.otherwise(lambda call: call.answer(404, {"path": call.path}))
    for name, end in (("ask", "completed"), ("broken", "completed")):
        execution = server.run(name, token=SECRET)
        server.wait(execution, end)
        served = server.get(f"/api/executions/{execution}").text + "".join(map(str, server.events(execution)))
        assert_hidden(served.encode())
    assert web.calls[0].body.decode() == SECRET
    assert "s3cr3t-v%C3%A4lue" in web.calls[1].path
    assert_hidden((project.storage / "engine.log").read_bytes())
    assert_hidden(server.said().encode())
    with contextlib.closing(sqlite3.connect(project.storage / "journal.db")) as journal:
        tables = [name for (name,) in journal.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            rows = journal.execute(f'select * from "{table}"').fetchall()
            if table == "events":
                assert len(rows) > 10
            if table != "secrets":
                assert_hidden(repr(rows).encode())


def assert_hidden(data: bytes) -> None:
    """No spelling of the secret: plain, in JSON, in JSON in JSON, in a URL."""
    for part in (b"s3cr3t-v", b"lue-", b"w1th", b"a11"):
        assert part not in data.replace(b"\\", b"")


def test_hosts_that_are_not_allowed(project: Project, web: Service) -> None:
    web.answers("/", 200, {"é": 1})
    (project.root / ".awf" / "config.yaml").write_text("http: {allow_host: [api.example.com]}\n")
    operation(project, "ask", {"url": web.url})
    server = project.serve()
    found = server.wait(server.run("ask"), "failed")
    assert "host '127.0.0.1' is not in http.allow_host (api.example.com)" in json.dumps(found)
    assert web.calls == []
    assert project.awf("stop").returncode == 0
    allowing = project.serve(env={"AWF_HTTP_ALLOW_HOST": "127.0.0.1"})
    allowing.wait(allowing.run("ask"))
