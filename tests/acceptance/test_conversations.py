"""A conversation with an agent over HTTP, through deaths of everything, with the stand-in of a real tool."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from acceptance.facts import wait_gone
from acceptance.server import Project, Server, wait_exit
from agents.tools import install


def write_talk(project: Project, **agent: Any) -> dict[str, str]:
    """The workflow, and the environment in which its agent is found."""
    states: dict[str, Any] = {
        "initial": "ask",
        "ask": {
            "type": "agent",
            "provider": "claude",
            "mode": "conversation",
            "prompt": "Good morning",
            "on_success": "tell",
            "on_failure": "sorry",
            **agent,
        },
        "tell": {
            "type": "step",
            "command": "echo '{{.states.ask.Response.turns}}: {{.states.ask.Output}}'",
            "on_success": "done",
        },
        "sorry": {"type": "step", "command": "echo sorry", "on_success": "done"},
        "done": {"type": "terminal"},
    }
    project.workflow("talk", json.dumps({"name": "talk", "states": states}))
    programs = install(project.root / "bin", "claude")
    return {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(project.root / "home")}


def word(server: Server, execution: str, after: int = 0) -> dict[str, Any]:
    """The question, once so many turns have been and no engine has the execution in hand."""
    seen = 0
    with server.stream(execution, query="?events=all") as events:
        for event in events:
            seen += event.name == "input.required"
            if event.name == "execution.released" and seen > after:
                break
    (question,) = server.execution(execution)["waiting"]
    assert question["kind"] == "conversation"
    return question


def say(server: Server, execution: str, text: str) -> None:
    answered = server.post(f"/api/executions/{execution}/respond", {"response": text})
    assert answered.status_code == 204, answered.text


def outputs(server: Server, execution: str) -> dict[str, str]:
    return {step["name"]: step["output"] for step in server.execution(execution)["steps"]}


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    wait_gone(process)


def test_a_conversation_survives_restarts_and_goes_on_with_its_session(project: Project) -> None:
    environ = write_talk(project)
    server = project.serve(env=environ)
    execution = server.run("talk")
    assert word(server, execution)["prompt"] == "You said: Good morning."
    server.signal(signal.SIGTERM)
    assert wait_exit(server.process) == 0
    server = project.serve(env=environ)
    say(server, execution, "How are you? 'é'")
    assert "Before: Good morning" in word(server, execution, 1)["prompt"]
    for engine in project.engines():
        kill(engine)
    say(server, execution, "And now?")
    word(server, execution, 2)
    say(server, execution, "quit")
    server.wait(execution)
    told = outputs(server, execution)["tell"]
    assert told == "3: You said: And now?. Before: Good morning, How are you? 'é'.\n"
    (step,) = [step for step in server.execution(execution)["steps"] if step["name"] == "ask"]
    assert (step["attempt"], step["usage"]["tokens_used"]) == (3, 3 * 168)
    assert step["usage"]["cost_usd"] == 0.75
    names = [(event.name, event.data.get("step_name")) for event in server.events(execution)]
    assert names.count(("step.completed", "ask")) == 1


def test_its_engine_is_killed_in_the_middle_of_a_turn(project: Project) -> None:
    environ = write_talk(project)
    server = project.serve(env=environ)
    execution = server.run("talk")
    word(server, execution)
    say(server, execution, "Think long [hang]")
    with server.stream(execution, query="?events=all") as events:
        turns = 0
        for event in events:
            turns += event.name == "step.started"
            if turns == 2 and event.name == "output":
                break
    kill(project.engine())
    with server.stream(execution, query="?events=all") as events:
        assert any(event.name in {"step.adopted", "execution.recovered"} for event in events)
    server.cancel(execution)
    server.wait(execution, "cancelled")
    resumed = server.post(f"/api/executions/{execution}/resume", {}).json()["body"]["execution_id"]
    server.wait_event(resumed, "output")  # the same turn again
    said = server.body(f"/api/executions/{resumed}/transcript")["transcript"]
    assert said[0]["session"]
    assert said[1]["blocks"] == [{"type": "text", "text": "Think long [hang]"}]
    server.cancel(resumed)
    server.wait(resumed, "cancelled")
    begun = server.post(f"/api/executions/{resumed}/resume", {"from_step": "ask"})
    resumed = begun.json()["body"]["execution_id"]
    word(server, resumed)
    say(server, resumed, "")
    server.wait(resumed)
    assert outputs(server, resumed)["tell"] == "1: You said: Good morning.\n"


def test_a_turn_that_takes_too_long_is_routed(project: Project) -> None:
    environ = write_talk(project, timeout="3s")
    server = project.serve(env=environ)
    execution = server.run("talk")
    word(server, execution)
    say(server, execution, "Think long [hang]")
    server.wait(execution)
    assert outputs(server, execution)["sorry"] == "sorry\n"
