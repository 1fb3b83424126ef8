"""Agents through the real server and real processes, with a small stand-in of a tool that says what a test tells it to."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from acceptance.facts import Gate, until, wait_gone
from acceptance.server import Project, Server
from acceptance.sse import outline

KEY = "sk-very-secret-0123456789"
TOKEN = 'tok"en-98765\\43210'


def event(**members: Any) -> str:
    """A line of the tool's output."""
    return json.dumps({"session_id": "s1", **members})


def piece(text: str) -> str:
    """A piece of the answer."""
    delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}
    return event(type="stream_event", event=delta)


def said(*blocks: dict[str, Any], role: str = "assistant") -> str:
    """A whole message."""
    return event(type=role, message={"role": role, "content": list(blocks)})


def result(text: str, **more: Any) -> str:
    """The end."""
    usage = {"input_tokens": 10, "output_tokens": 5}
    return event(type="result", subtype="success", result=text, usage=usage, total_cost_usd=0.25, **more)


def tool(project: Project, script: str) -> dict[str, str]:
    """Install a tool ``claude``; the environment in which it is found."""
    place = project.root / "bin"
    place.mkdir(exist_ok=True)
    program = place / "claude"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(stat.S_IRWXU)
    return {"PATH": f"{place}:{project.environ()['PATH']}"}


def printing(*lines: str) -> str:
    """A script that prints these."""
    return "\n".join(f"cat <<'END'\n{line}\nEND" for line in lines)


def workflow(project: Project, **more: Any) -> None:
    ask = {"type": "agent", "provider": "claude", "prompt": "Look", "on_success": "done", **more}
    states = {"initial": "ask", "ask": ask, "done": {"type": "terminal"}}
    inputs = [{"name": "token", "default": "none"}]
    project.workflow("ask", json.dumps({"name": "ask", "inputs": inputs, "states": states}))


LS = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
LISTED = {"type": "tool_result", "tool_use_id": "t1", "content": "a.txt"}


def begin(project: Project, **more: Any) -> tuple[Server, str, Gate]:
    """An agent in the middle of its stream: it goes on when the gate opens."""
    gate = Gate(project.root / "gate")
    begun = {"type": "message_start", "message": {"usage": {"input_tokens": 9}}}
    first = printing(
        event(type="system", subtype="init"),
        event(type="stream_event", event=begun),
        piece("half "),
        said(LS),
        said(LISTED, role="user"),
    )
    last = printing(piece("whole"), said({"type": "text", "text": "whole"}), result("half whole"))
    env = tool(project, f"echo went >>went\n{first}\n{gate.wait}\n{last}")
    workflow(project, **more)
    server = project.serve(env=env)
    execution = server.run("ask")
    server.wait_event(execution, "agent.message", "ask", query="?events=all")
    return server, execution, gate


def text(server: Server, execution: str) -> str:
    """What its viewers have seen it say."""
    return "".join(each.data["output"] for each in server.events(execution) if each.name == "output")


def test_an_agent_outlives_its_engine_without_a_gap_or_a_repetition(project: Project) -> None:
    server, execution, gate = begin(project, on_crash="fail")
    for _ in range(2):
        engine = project.engine()
        os.kill(engine, signal.SIGKILL)
        wait_gone(engine)
        server.wait_event(execution, "step.adopted", query="?events=all")
        until(lambda dead=engine: dead not in project.engines() and project.engines(), "an engine runs it")
    gate.open()
    ended = server.wait(execution)
    (step,) = ended["steps"]
    assert (step["attempt"], step["output"]) == (1, "half whole")
    assert (project.root / "went").read_text() == "went\n"
    assert text(server, execution) == "half whole"
    assert outline(server.events(execution)) == [
        "step.started ask", "step.completed ask", "workflow.completed",
    ]  # fmt: skip
    messages = [entry for entry in transcript(server, execution) if entry["type"] == "message"]
    assert [entry["role"] for entry in messages] == ["user", "assistant", "tool", "assistant"]
    spent = {"tokens_used": 15, "tokens_input": 10, "tokens_output": 5, "cost_usd": 0.25}
    assert step["usage"] == ended["usage"] == spent
    assert server.body("/api/history/stats")["TokensUsed"] == 15
    assert until(lambda: not list((project.storage / "attempts").iterdir()), "its files are removed")


def transcript(server: Server, execution: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.body(f"/api/executions/{execution}/transcript")["transcript"]
    return found


def test_an_agent_whose_tool_died_with_the_engine_runs_again(project: Project) -> None:
    server, execution, gate = begin(project)
    engine = project.engine()
    os.kill(engine, signal.SIGSTOP)
    for process in project.step_processes():
        os.kill(process, signal.SIGKILL)
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)
    until(lambda: (project.root / "went").read_text() == "went\nwent\n", "it runs again")
    gate.open()
    ended = server.wait(execution)
    (step,) = ended["steps"]
    assert (step["attempt"], step["output"]) == (2, "half whole")
    spent = {"tokens_used": 24, "tokens_input": 19, "tokens_output": 5, "cost_usd": 0.25}
    assert step["usage"] == ended["usage"] == spent


def test_a_cancel_ends_everything_that_the_tool_has_started(project: Project) -> None:
    server, execution, _ = begin(project)
    assert project.step_processes()
    server.cancel(execution)
    ended = server.wait(execution, "cancelled")
    assert project.step_processes() == []
    assert ended["steps"][0]["output"] == "half "
    spent = {"tokens_used": 9, "tokens_input": 9, "tokens_output": 0}
    assert ended["usage"] == spent
    assert server.body("/api/history/stats")["TokensUsed"] == 9
    last = transcript(server, execution)[-1]
    assert (last["error"], last["usage"]) == ("cancelled", spent)


def test_the_command_line_has_the_transcript(project: Project) -> None:
    server, execution, gate = begin(project)
    gate.open()
    server.wait(execution)
    for where in ([], ["--server", server.url]):
        lines = project.awf("transcript", execution, *where).stdout.splitlines()
        assert [json.loads(line) for line in lines] == transcript(server, execution)


def answers(server: Server, execution: str) -> str:
    """Everything that people get to see of an execution."""
    place = f"/api/executions/{execution}"
    paths = [
        place, f"{place}/steps", f"{place}/transcript", f"{place}/events?events=all", f"{place}/steps/1/output",
        f"{place}/steps/1/output?stream=stderr", "/api/history", "/api/executions", "/openapi.json",
    ]  # fmt: skip
    return "\n".join(server.get(path).text for path in paths)


def written(project: Project) -> bytes:
    """Everything that is in the storage, but for the one column that has the real values of secret inputs."""
    files = [path for path in project.storage.rglob("*") if path.is_file()]
    found = b"".join(path.read_bytes() for path in files if not path.name.startswith("journal.db"))
    with sqlite3.connect(f"file:{project.storage}/journal.db?mode=ro", uri=True) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            if table != "secrets":
                found += repr(db.execute(f"SELECT * FROM {table}").fetchall()).encode()
    return found


@pytest.mark.parametrize("ends", ["completed", "failed"])
def test_secrets_are_written_and_shown_nowhere(project: Project, ends: str) -> None:
    """The tool gets them, and says them in every way that it has."""
    both = f"{KEY} and {TOKEN}"
    lines = [
        piece(f"I know {KEY[:9]}"),
        piece(f"{KEY[9:]}, and {TOKEN[:5]}"),
        piece(f"{TOKEN[5:]}."),
        said({"type": "text", "text": both}, {**LS, "name": KEY, "input": {TOKEN: [both]}}),
        said({**LISTED, "content": [{"type": "text", "text": both}]}, role="user"),
        f"no event: {both}",
        result(json.dumps({"key": both, TOKEN: 1}), is_error=ends == "failed"),
    ]
    script = f"printf %s \"$2 $4\" >told\n{printing(*lines)}\ncat >&2 <<'END'\n{both}\nEND\nexit {ends == 'failed':d}"
    env = {**tool(project, script), "THE_API_KEY": KEY}
    more = {"on_failure": "done"} if ends == "failed" else {"output_format": "json"}
    workflow(
        project,
        **{**more, "prompt": "Use {{.inputs.token}} and {{.env.THE_API_KEY}}"},
        system_prompt="{{.inputs.token}}",
        env={"MORE": "{{.inputs.token}}"},
        conversation={},
    )
    server = project.serve(env=env)
    execution = server.run("ask", token=TOKEN, note=f"[{TOKEN}]")
    ended = server.wait(execution)
    (step,) = ended["steps"]
    assert step["status"] == ends
    assert both in (project.root / "told").read_text().replace("Use ", "").replace(f"{TOKEN} and {KEY}", both)
    shown = answers(server, execution)
    assert "***" in shown
    assert until(lambda: not list((project.storage / "attempts").iterdir()), "its files are removed")
    kept = written(project)
    for secret in (KEY, TOKEN):
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret)[1:-1])[1:-1]):
            assert form not in shown
            assert form.encode() not in kept
            assert repr(form).strip("'\"").encode() not in kept
    assert KEY.encode() not in b"".join(
        path.read_bytes() for path in Path(project.storage).rglob("*") if path.is_file()
    )
