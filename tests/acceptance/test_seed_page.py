"""The page of the HTTP API, followed to the letter with the clients it names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import httpx
import yaml

from acceptance.facts import until, wait_gone
from acceptance.ports import free_port
from acceptance.server import Project, Server
from acceptance.snippets import snippet
from acceptance.sse import Event, outline, parse

REVIEW = [
    "step.started read",
    "step.completed read",
    "step.started analyze",
    "step.completed analyze",
    "step.started report",
    "step.completed report",
    "workflow.completed",
]
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def bash(project: Project, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script that comes by standard input, so that no process carries its text in its command line."""
    return subprocess.run(
        ["bash"],
        input=script,
        cwd=project.root,
        env=project.environ(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def documents(text: str) -> list[Any]:
    """JSON documents that follow each other without anything between."""
    found, decoder, position = [], json.JSONDecoder(), 0
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        found.append(document)
        position += len(text[position:]) - len(text[position:].lstrip())
    return found


def test_the_curl_example_runs_streams_and_reports(examples: Server) -> None:
    done = bash(examples.project, snippet("curl", examples.port))
    assert done.returncode == 0, done.stderr
    stream, final = done.stdout.split("\n\n{", 1)
    events = list(parse((stream + "\n\n").splitlines()))
    assert outline(events) == REVIEW
    body = json.loads("{" + final)["body"]
    assert UUID.fullmatch(body["execution_id"])
    assert (body["workflow_name"], body["status"]) == ("code-review", "completed")
    assert MOMENT.fullmatch(body["started_at"])
    assert MOMENT.fullmatch(body["updated_at"])


def test_events_have_the_fields_of_the_page(examples: Server) -> None:
    events = examples.events(examples.run("code-review", file="main.go", model="claude-opus-4-20250805"))
    by_name: dict[str, Event] = {event.name: event for event in events}
    assert {"step_name", "status", "started_at"} <= by_name["step.started"].data.keys()
    assert {"step_name", "status", "output", "completed_at"} <= by_name["step.completed"].data.keys()
    assert {"workflow_name", "status", "completed_at"} <= by_name["workflow.completed"].data.keys()
    assert {"step_name", "output"} <= by_name["output"].data.keys()
    read = next(event for event in events if event.name == "step.completed")
    assert read.data["output"] == (examples.project.root / "main.go").read_text()
    assert read.data["output"].startswith("package main")


def test_a_file_that_cannot_be_read_ends_in_workflow_failed(examples: Server) -> None:
    execution = examples.run("code-review", file="missing.go")
    events = examples.events(execution)
    assert outline(events) == ["step.started read", "step.failed read", "workflow.failed"]
    assert {"step_name", "status", "error", "completed_at"} <= events[-2].data.keys()
    assert {"workflow_name", "status", "error", "completed_at"} <= events[-1].data.keys()
    assert "missing.go" in events[-1].data["error"]
    assert examples.execution(execution)["status"] == "failed"


def test_the_openapi_lines(examples: Server) -> None:
    script = snippet("openapi", examples.port).replace("open http", "curl -sL http")
    done = bash(examples.project, script)
    assert done.returncode == 0, done.stderr
    document, end = json.JSONDecoder().raw_decode(done.stdout)
    text, _, page = done.stdout[end:].partition("<!doctype html>")
    assert document["openapi"].startswith("3.1")
    assert yaml.safe_load(text)["paths"].keys() == document["paths"].keys()
    assert "swagger" in page.lower()


def test_the_python_example_prints_every_event(examples: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", snippet("python", examples.port)],
        env=examples.project.environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = [line.removeprefix("Event: ") for line in done.stdout.splitlines()]
    assert [name for name in printed if name != "output"] == [line.split()[0] for line in REVIEW]
    assert "output" in printed


def test_the_javascript_example_in_node(examples: Server) -> None:
    done = subprocess.run(
        ["node", "--experimental-eventsource", "--input-type=module", "-"],
        input=snippet("javascript", examples.port),
        env=examples.project.environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r"Step started: .*?step_name: '(\w+)'", done.stdout, re.DOTALL) == [
        "read",
        "analyze",
        "report",
    ]
    assert done.stdout.count("Workflow done:") == 1
    assert re.search(r"Workflow done: .*?status: 'completed'", done.stdout, re.DOTALL)


def test_the_full_workflow_execution_flow(project: Project) -> None:
    project.take_examples()
    port = free_port()
    start, rest = snippet("flow", port).split("\n\n", 1)
    listening = (
        f"curl -s --retry 60 --retry-delay 1 --retry-connrefused -o /dev/null http://localhost:{port}/docs\n"
    )
    stop = (
        snippet("stop", port)
        .replace("awf serve", f"awf serve --port {port}")
        .replace("  # or", "; wait  # or")
    )
    done = bash(project, f"{start.replace(' &', ' >&2 &')}\n{listening}{rest}\n{stop}")
    assert done.returncode == 0, done.stderr
    before, _, after = done.stdout.partition("Execution ID: ")
    execution, _, after = after.partition("\n")
    listed, validated = documents(before)
    assert {"code-review", "deploy-app"} <= {item["name"] for item in listed["body"]["workflows"]}
    assert validated == {"body": {"errors": []}}
    stream, _, answers = after.rpartition("\n\n{")
    assert outline(parse((stream + "\n\n").splitlines())) == REVIEW
    status, history, statistics = documents("{" + answers)
    assert status == {"status": "completed", "current_step": "done"}
    assert [entry["id"] for entry in history["body"]["entries"]] == [execution]
    assert history["body"]["entries"][0]["status"] == "success"
    counts = statistics["body"]
    assert counts.pop("AvgDurationMs") == history["body"]["entries"][0]["duration_ms"]
    assert counts == {"TotalExecutions": 1, "SuccessCount": 1, "FailedCount": 0, "CancelledCount": 0}


def test_the_kill_line_stops_the_server(project: Project) -> None:
    server = project.serve("--port", free_port())
    found = bash(project, f'pgrep -f "awf serve --port {server.port}"').stdout.split()
    assert found == [str(server.process.pid)]
    bash(project, snippet("stop", server.port).replace("awf serve", f"awf serve --port {server.port}"))
    wait_gone(server.process.pid)
    assert server.process.wait() == 0


def test_the_github_actions_loop(examples: Server) -> None:
    done = bash(examples.project, snippet("actions", examples.port))
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["status"] == "completed"
    assert body["inputs"]["file"] == "src/main.go"


def test_the_troubleshooting_lines(examples: Server) -> None:
    lines = snippet("troubleshooting", examples.port)
    look, serve = lines.split("\n\n")
    assert f" {examples.process.pid} " in bash(examples.project, look).stdout
    done = bash(examples.project, serve)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert "--port" in done.stderr


def test_the_list_and_a_workflow_are_what_the_files_say(examples: Server) -> None:
    listed = {item["name"]: item for item in examples.body("/api/workflows")["workflows"]}
    assert list(listed) == sorted(listed)
    assert listed["code-review"] == {
        "name": "code-review",
        "version": "1.0.0",
        "description": "Review code for bugs and security issues",
    }
    assert listed["deploy-app"] == {
        "name": "deploy-app",
        "version": "2.1.0",
        "description": "Deploy application to production",
    }
    shown = examples.body("/api/workflows/code-review")
    assert shown["states"]["initial"] == "read"
    assert shown["states"]["read"]["type"] == "step"
    assert shown["states"]["read"]["command"] == "cat {{inputs.file}}"
    for name in listed:
        answer = examples.post(f"/api/workflows/{name}/validate")
        assert (answer.status_code, answer.json()) == (200, {"body": {"errors": []}})


def test_the_commands_that_the_page_names(examples: Server) -> None:
    listed = examples.project.awf("list")
    assert listed.returncode == 0
    assert "code-review" in listed.stdout
    valid = examples.project.awf("validate", "code-review")
    assert valid.returncode == 0
    assert "valid" in valid.stdout


def test_all_addresses_that_the_page_gives_answer(examples: Server) -> None:
    for path in (
        "/docs",
        "/openapi.json",
        "/openapi.yaml",
        "/api/workflows",
        "/api/executions",
        "/api/history",
    ):
        response = httpx.get(
            f"http://localhost:{examples.port}{path}", trust_env=False, follow_redirects=True
        )
        assert response.status_code == 200, path


def test_an_execution_in_the_list_has_the_members_of_the_page(examples: Server) -> None:
    execution = examples.run("triage", value=7)
    examples.wait(execution)
    found = until(
        lambda: [
            item
            for item in examples.body("/api/executions")["executions"]
            if item["execution_id"] == execution
        ],
        "the execution is listed",
    )[0]
    assert {
        "execution_id",
        "workflow_name",
        "status",
        "current_step",
        "started_at",
        "updated_at",
    } <= found.keys()
    assert found["workflow_name"] == "triage"
