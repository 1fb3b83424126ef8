"""Budgets over HTTP, with the stand-in of a real tool: who is asked, what an answer does, what is counted."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from acceptance.facts import Gate, wait_gone
from acceptance.server import Project, Server, wait_exit
from agents.tools import install

ONCE = {"tokens_used": 168, "tokens_input": 123, "tokens_output": 45, "tokens_cached": 3, "cost_usd": 0.25}
"""What the stand-in says of an answer."""

TWICE = {"tokens_used": 336, "tokens_input": 246, "tokens_output": 90, "tokens_cached": 6, "cost_usd": 0.5}


def write_fix(project: Project, **limits: Any) -> dict[str, str]:
    """Two agents, one after the other; the environment in which they are found."""
    agent = {"type": "agent", "provider": "claude", "prompt": "Mend it"}
    states: dict[str, Any] = {
        "initial": "first",
        "first": {**agent, "on_success": "second"},
        "second": {**agent, "on_success": "tell", "on_failure": "sorry"},
        "tell": {"type": "step", "command": "echo '{{.states.second.Output}}'", "on_success": "done"},
        "sorry": {"type": "step", "command": "echo '{{.states.second.Status}}'", "on_success": "done"},
        "done": {"type": "terminal"},
    }
    project.workflow("fix", json.dumps({"name": "fix", **limits, "states": states}))
    programs = install(project.root / "bin", "claude")
    return {"PATH": f"{programs}:{project.environ()['PATH']}"}


def asked(server: Server, execution: str) -> dict[str, Any]:
    """The question, once no engine has the execution in hand."""
    server.wait_event(execution, "execution.released", query="?events=all")
    shown = server.execution(execution)
    assert (shown["status"], shown["waiting_for"], shown["usage"]) == ("running", "person", ONCE)
    (question,) = shown["waiting"]
    return question


def respond(server: Server, execution: str, **answer: str) -> int:
    return server.post(f"/api/executions/{execution}/respond", answer).status_code


def steps(server: Server, execution: str) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in server.execution(execution)["steps"]}


def restarted(project: Project, server: Server, environ: dict[str, str]) -> Server:
    """The next server, after the end of this one and of every engine."""
    server.signal(signal.SIGTERM)
    assert wait_exit(server.process) == 0
    for engine in project.engines():
        os.kill(engine, signal.SIGKILL)
        wait_gone(engine)
    return project.serve(env=environ)


def test_a_person_grants_more_after_a_restart_and_everything_is_counted(project: Project) -> None:
    environ = write_fix(project, max_cost_usd=0.2)
    server = project.serve(env=environ)
    execution = server.run("fix")
    question = asked(server, execution)
    assert (question["kind"], question["path"]) == ("budget", "second")
    assert question["choices"] == ["continue", "stop"]
    assert question["prompt"].startswith(
        "the budget of $0.2 of workflow 'fix' is used up ($0.25 so far). Before step 'second' goes on"
    )
    server = restarted(project, server, environ)
    assert server.execution(execution)["waiting"] == [question]
    assert respond(server, execution, response="maybe") == 422
    assert respond(server, execution, response="continue", by="Ann") == 204
    ended = server.wait(execution)
    assert respond(server, execution, response="continue") == 409
    assert "waiting" not in ended
    found = steps(server, execution)
    assert found["tell"]["output"] == "You said: Mend it.\n"
    assert (found["first"]["attempt"], found["second"]["attempt"]) == (1, 2)
    assert found["first"]["usage"] == found["second"]["usage"] == ONCE
    assert ended["usage"] == server.history()[0]["usage"] == TWICE
    counted = server.body("/api/history/stats")
    names = ("TokensUsed", "TokensInput", "TokensOutput", "CostUsd")
    assert [counted[name] for name in names] == [336, 246, 90, 0.5]
    events = server.events(execution, query="?events=all")
    started = [event for event in events if event.name == "step.started" and event.step == "second"]
    assert [event.data.get("held", False) for event in started] == [True, False]
    assert [event.name for event in events].count("input.required") == 1
    entries = server.body(f"/api/executions/{execution}/transcript")["transcript"]
    requests = [(each["step_name"], each["attempt"]) for each in entries if each["type"] == "request"]
    assert requests == [("first", 1), ("second", 2)]


def test_a_person_stops_it_and_the_failure_is_routed(project: Project) -> None:
    environ = write_fix(project, max_tokens_total=168)
    server = project.serve(env=environ)
    execution = server.run("fix")
    assert asked(server, execution)["prompt"].startswith(
        "the budget of 168 tokens of workflow 'fix' is used up (168 tokens so far)"
    )
    server = restarted(project, server, environ)
    assert respond(server, execution, response="stop", comment="too dear") == 204
    assert server.wait(execution)["usage"] == ONCE
    found = steps(server, execution)
    assert found["second"]["error"] == "stopped by a person, because a budget is used up: too dear"
    assert "usage" not in found["second"]
    assert found["sorry"]["output"] == "failed\n"


def test_the_limit_of_the_server_fails_a_step_without_asking(project: Project) -> None:
    environ = write_fix(project)
    server = project.serve(env={**environ, "AWF_MAX_TOKENS_TOTAL": "100", "AWF_ON_BUDGET": "fail"})
    execution = server.run("fix")
    assert server.wait(execution)["usage"] == ONCE
    assert steps(server, execution)["second"]["error"] == (
        "the budget of 100 tokens that the server allows an execution is used up (168 tokens so far)"
    )


def test_people_are_asked_about_what_runs_and_the_question_outlives_the_engine(project: Project) -> None:
    gate = Gate(project.root / "gate")
    states = {
        "initial": "build",
        "build": {
            "type": "step",
            "command": f"{gate.wait}; echo built",
            "detach": True,
            "on_success": "done",
        },
        "done": {"type": "terminal"},
    }
    project.workflow("slow", json.dumps({"name": "slow", "max_duration": "300ms", "states": states}))
    server = project.serve()
    first, second = server.run("slow"), server.run("slow")
    questions = []
    for execution in (first, second):
        server.wait_event(execution, "input.required", query="?events=all")
        (question,) = server.execution(execution)["waiting"]
        questions.append(question)
    assert "Meanwhile step 'build' runs on" in questions[0]["prompt"]
    engine = project.engine()
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)
    for execution, question in zip((first, second), questions, strict=True):
        server.wait_event(execution, "step.adopted", query="?events=all")
        assert server.execution(execution)["waiting"] == [question]
    assert respond(server, second, response="stop", comment="too slow") == 204
    failed = server.wait(second, "failed")
    assert failed["steps"][0]["error"] == "stopped by a person, because a budget is used up: too slow"
    assert respond(server, second, response="continue") == 409
    assert respond(server, first, response="continue") == 204
    gate.open()
    ended = server.wait(first)
    assert (ended["steps"][0]["attempt"], ended["steps"][0]["output"]) == (1, "built\n")
