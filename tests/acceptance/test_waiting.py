"""Steps that wait for a person after the engine was killed: no engine needed, an answer by HTTP, no step twice."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from acceptance.facts import Gate, until, wait_gone
from acceptance.server import Project, Server, wait_exit


def write_deploy(project: Project, gate: Gate) -> None:
    """A workflow whose second step, which must not run twice by itself, waits for the gate."""
    deploy = f"echo begun >>lines; echo half; {gate.wait}; echo deployed >>lines"
    states: dict[str, Any] = {
        "initial": "build",
        "build": {"type": "step", "command": "echo built >>lines", "on_success": "deploy"},
        "deploy": {
            "type": "step",
            "command": deploy,
            "on_crash": "ask",
            "on_success": "tell",
            "on_failure": "undo",
        },
        "tell": {"type": "step", "command": "echo told >>lines", "on_success": "done"},
        "undo": {"type": "step", "command": "echo undone >>lines", "on_success": "done"},
        "done": {"type": "terminal"},
    }
    project.workflow("deploy", json.dumps({"name": "deploy", "states": states}))


def kill_engine(project: Project) -> None:
    engine = project.engine()
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)


def lines(project: Project) -> list[str]:
    return (project.root / "lines").read_text().split()


def waiting(server: Server, execution: str) -> dict[str, Any]:
    """The execution, once it waits and no engine has it in hand."""
    server.wait_event(execution, "execution.released", query="?events=all")
    shown = server.execution(execution)
    assert (shown["status"], shown["waiting_for"]) == ("running", "person")
    return shown


def begin(project: Project) -> tuple[Server, str, Gate]:
    """An execution whose engine was killed in the step that asks."""
    gate = Gate(project.root / "gate")
    write_deploy(project, gate)
    server = project.serve()
    execution = server.run("deploy")
    server.wait_event(execution, "output", "deploy")
    kill_engine(project)
    return server, execution, gate


@pytest.mark.parametrize(
    ("response", "after"),
    [
        ("rerun", ["built", "begun", "begun", "deployed", "told"]),
        ("skip", ["built", "begun", "told"]),
        ("fail", ["built", "begun", "undone"]),
    ],
)
def test_a_person_decides_what_becomes_of_the_step(project: Project, response: str, after: list[str]) -> None:
    server, execution, gate = begin(project)
    shown = waiting(server, execution)
    (asked,) = shown["waiting"]
    assert (asked["path"], asked["kind"], asked["choices"]) == ("deploy", "crash", ["rerun", "skip", "fail"])
    assert "step 'deploy' was running when its engine died, in workflow 'deploy'" in asked["prompt"]
    assert asked["prompt"].endswith("The end of its stdout:\nhalf")
    refused = server.post(f"/api/executions/{execution}/respond", {"response": "reru"})
    assert refused.status_code == 422
    assert "rerun, skip, fail (did you mean 'rerun'?)" in refused.json()["detail"]
    gate.open()
    answered = server.post(
        f"/api/executions/{execution}/respond", {"response": response, "comment": "by Ann"}
    )
    assert (answered.status_code, answered.content) == (204, b"")
    ended = server.wait(execution)
    assert "waiting_for" not in ended
    assert lines(project) == after
    (received,) = [e for e in server.events(execution, query="?events=all") if e.name == "input.received"]
    assert (received.data["response"], received.data["comment"]) == (response, "by Ann")
    assert not [e for e in server.events(execution) if e.name.startswith("input.")]
    assert server.post(f"/api/executions/{execution}/respond", {"response": response}).status_code == 409


def test_what_waits_needs_no_engine_and_survives_everything(project: Project) -> None:
    server, execution, gate = begin(project)
    before = waiting(server, execution)
    server.signal(signal.SIGTERM)
    assert wait_exit(server.process) == 0
    until(lambda: not project.engines(), "the engine has no reason to live")
    server = project.serve()
    kill_engine(project)
    assert server.execution(execution)["waiting"] == before["waiting"]
    (listed,) = server.body("/api/executions?status=running")["executions"]
    assert listed["waiting"] == before["waiting"]
    project.engine()
    assert [e.name for e in server_events(server, execution)].count("execution.recovered") == 1
    gate.open()
    assert server.post(f"/api/executions/{execution}/respond", {"response": "rerun"}).status_code == 204
    server.wait(execution)
    assert lines(project) == ["built", "begun", "begun", "deployed", "told"]
    recovered = [
        e.data["orderly"] for e in server_events(server, execution) if e.name == "execution.recovered"
    ]
    assert recovered == [False, True]


def server_events(server: Server, execution: str) -> list[Any]:
    """What has happened so far, or everything where it has ended."""
    last = server.execution(execution)
    found = []
    with server.stream(execution, query="?events=all") as events:
        for event in events:
            found.append(event)
            if event.name == "execution.released" and last["status"] == "running":
                break
    return found


def test_of_many_answers_at_once_one_gets_through(project: Project) -> None:
    server, execution, gate = begin(project)
    waiting(server, execution)
    gate.open()
    with ThreadPoolExecutor(8) as pool:
        answers = [
            pool.submit(server.post, f"/api/executions/{execution}/respond", {"response": choice})
            for choice in ["rerun", "skip", "fail"] * 4
        ]
        statuses = sorted(answer.result().status_code for answer in answers)
    assert statuses == [204] + [409] * 11
    server.wait(execution)
    received = [e for e in server.events(execution, query="?events=all") if e.name == "input.received"]
    assert len(received) == 1


def test_a_waiting_execution_can_be_cancelled_and_resumed(project: Project) -> None:
    server, execution, gate = begin(project)
    waiting(server, execution)
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert server.post(f"/api/executions/{execution}/respond", {"response": "skip"}).status_code == 409
    gate.open()
    resumed = server.post(f"/api/executions/{execution}/resume", {"from_step": "deploy"})
    server.wait(resumed.json()["body"]["execution_id"])
    assert lines(project) == ["built", "begun", "begun", "deployed", "told"]


def test_nothing_waits(project: Project) -> None:
    server = project.serve()
    project.steps("short", "true")
    execution = server.run("short")
    server.wait(execution)
    assert server.post(f"/api/executions/{execution}/respond", {"response": "x"}).status_code == 409
    unknown = server.post("/api/executions/00000000-0000-0000-0000-000000000000/respond", {"response": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "USER.FACADE.EXECUTION_NOT_FOUND")
    assert server.post(f"/api/executions/{execution}/respond", {"response": 5}).status_code == 400
    assert server.post(f"/api/executions/{execution}/respond").status_code == 400
