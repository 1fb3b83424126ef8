"""An approval through a real server: it costs a row, survives everything, and goes on as a person says."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime
from typing import Any

from acceptance.facts import until, wait_gone
from acceptance.server import Project, Server, wait_exit


def write_release(project: Project, **approval: Any) -> None:
    """Build, ask, publish: each leaves a line."""
    states: dict[str, Any] = {
        "initial": "build",
        "build": {"type": "step", "command": "echo built >>lines; echo 3 changes", "on_success": "ok"},
        "ok": {
            "type": "approval",
            "message": "Publish?\n{{.states.build.Output}}",
            "on_approve": "publish",
            "on_reject": "keep",
            **approval,
        },
        "publish": {"type": "step", "command": "echo published >>lines", "on_success": "done"},
        "keep": {
            "type": "step",
            "command": 'echo "kept: {{.states.ok.Response.comment}}" >>lines',
            "on_success": "done",
        },
        "done": {"type": "terminal"},
    }
    project.workflow("release", json.dumps({"name": "release", "states": states}))


def lines(project: Project) -> list[str]:
    return (project.root / "lines").read_text().splitlines()


def asked(server: Server, execution: str) -> dict[str, Any]:
    """The question, once no engine has the execution in hand."""
    server.wait_event(execution, "execution.released", query="?events=all")
    shown = server.execution(execution)
    assert (shown["status"], shown["waiting_for"], shown["current_step"]) == ("running", "person", "ok")
    (question,) = shown["waiting"]
    return question


def respond(server: Server, execution: str, **answer: str) -> int:
    return server.post(f"/api/executions/{execution}/respond", answer).status_code


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    wait_gone(process)


def test_it_survives_the_death_of_engine_and_server_and_asks_once(project: Project) -> None:
    write_release(project)
    server = project.serve()
    execution = server.run("release")
    before = asked(server, execution)
    assert (before["kind"], before["choices"]) == ("approval", ["approve", "reject"])
    assert before["prompt"] == "Publish?\n3 changes\n"
    kill(project.engine())
    server.signal(signal.SIGKILL)
    server.process.wait()
    for engine in project.engines():
        kill(engine)
    server = project.serve()
    (listed,) = server.body("/api/executions?status=running")["executions"]
    assert listed["waiting"] == [before]
    assert respond(server, execution, response="yes") == 422
    assert respond(server, execution, response="approve", comment="fine", by="Ann") == 204
    server.wait(execution)
    assert lines(project) == ["built", "published"]
    assert respond(server, execution, response="reject") == 409
    events = server.events(execution, query="?events=all")
    (received,) = [event.data for event in events if event.name == "input.received"]
    assert (received["response"], received["comment"], received["by"]) == ("approve", "fine", "Ann")
    steps = {step["name"]: step for step in server.execution(execution)["steps"]}
    assert (steps["ok"]["status"], steps["ok"]["attempt"], steps["ok"]["output"]) == (
        "completed",
        1,
        "approve",
    )
    names = [(event.name, event.data.get("step_name")) for event in server.events(execution)]
    assert names.count(("step.started", "ok")) == names.count(("step.completed", "ok")) == 1


def test_a_rejection_with_its_comment_goes_its_own_way(project: Project) -> None:
    write_release(project)
    server = project.serve()
    execution = server.run("release")
    asked(server, execution)
    assert respond(server, execution, response="reject", comment="it's $(too) early") == 204
    server.wait(execution)
    assert lines(project) == ["built", "kept: it's $(too) early"]


def test_what_waits_keeps_no_engine_and_its_time_limit_is_kept_by_the_next(project: Project) -> None:
    write_release(project, timeout="6s", on_timeout="keep")
    server = project.serve()
    execution = server.run("release")
    question = asked(server, execution)
    server.signal(signal.SIGTERM)
    assert wait_exit(server.process) == 0
    until(lambda: not project.engines(), "the engine has no reason to live")
    server = project.serve()
    server.wait(execution)
    assert lines(project) == ["built", "kept: "]
    steps = {step["name"]: step for step in server.execution(execution)["steps"]}
    assert steps["ok"]["error"] == "nobody answered in time what step 'ok' asked"
    assert datetime.fromisoformat(steps["ok"]["completed_at"]) >= datetime.fromisoformat(question["deadline"])


def test_the_deadline_is_kept_to_the_moment(project: Project) -> None:
    write_release(project, timeout="300ms", on_timeout="keep")
    server = project.serve()
    execution = server.run("release")
    server.wait(execution)
    events = server.events(execution, query="?events=all")
    (deadline,) = [datetime.fromisoformat(e.data["deadline"]) for e in events if e.name == "input.required"]
    (ended,) = [datetime.fromisoformat(e.data["completed_at"]) for e in events if e.name == "step.failed"]
    assert 0 <= (ended - deadline).total_seconds() < 1


def test_a_cancel_takes_the_question_back_and_a_resume_asks_again(project: Project) -> None:
    write_release(project)
    server = project.serve()
    execution = server.run("release")
    asked(server, execution)
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert respond(server, execution, response="approve") == 409
    resumed = server.post(f"/api/executions/{execution}/resume", {}).json()["body"]["execution_id"]
    asked(server, resumed)
    assert respond(server, resumed, response="approve") == 204
    server.wait(resumed)
    assert lines(project) == ["built", "published"]
