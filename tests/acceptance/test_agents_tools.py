"""Engines that die in the middle of an operation that an agent has called: nothing is left behind, and the step comes to its end."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from acceptance.facts import Gate, until, wait_gone
from acceptance.server import Project, Server
from agents.chat_server import Exchange, chat_service, spoken
from agents.tools import install

NOTIFY = {"message": "hi", "backend": "desktop"}


def programs(project: Project) -> tuple[str, Gate]:
    """A PATH with a stand-in of Claude Code, and with a ``notify-send`` that ends when the gate opens."""
    gate, place = Gate(project.root / "gate"), install(project.root / "bin", "claude")
    (place / "notify-send").write_text(f"#!/bin/sh\necho $$ >>'{project.root}/notified'\nexec {gate.wait}\n")
    (place / "notify-send").chmod(0o755)
    return f"{place}:{project.environ()['PATH']}", gate


def workflow(project: Project, **how: Any) -> None:
    exposed = [{"plugin": "notify", "expose": ["send"]}]
    proxy = {"enable": True, "plugin_tools": exposed}
    ask = {"type": "agent", "mcp_proxy": proxy, "on_success": "done", **how}
    states = {"initial": "ask", "ask": ask, "done": {"type": "terminal"}}
    project.workflow("ask", json.dumps({"name": "ask", "states": states}))


def notified(project: Project, times: int) -> list[int]:
    """The processes of ``notify-send``, when so many have begun."""
    file = project.root / "notified"
    return until(
        lambda: (
            file.exists() and len(found := file.read_text().splitlines()) == times and list(map(int, found))
        ),
        f"the operation has been called {times} times",
    )


def mcp_servers(project: Project) -> list[int]:
    found = []
    for pid in project.processes():
        with suppress(OSError):
            if b"mcp-serve" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def kill_engine(project: Project, *others: int) -> None:
    engine = project.engine()
    os.kill(engine, signal.SIGSTOP)
    for pid in others:
        os.kill(pid, signal.SIGKILL)
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)


def ended(server: Server, execution: str) -> tuple[int, str]:
    (step,) = server.wait(execution)["steps"]
    return step["attempt"], step["output"]


def test_engines_that_die_while_a_tool_calls_an_operation(project: Project) -> None:
    """The tool goes on with its call under the next engine. Where it dies too, its server and what that has started end, and
    the step runs again."""
    path, gate = programs(project)
    wanted = json.dumps({"server": "awf", "tool": "notify.send", "arguments": NOTIFY})
    workflow(project, provider="claude", prompt=f"Do {wanted} [mcp]")
    server = project.serve(env={"PATH": path})
    execution = server.run("ask")
    (program,) = notified(project, 1)
    (mcp,) = mcp_servers(project)
    kill_engine(project)
    server.wait_event(execution, "step.adopted", query="?events=all")
    assert mcp_servers(project) == [mcp]
    kill_engine(project, *(pid for pid in project.step_processes() if pid not in {mcp, program}))
    notified(project, 2)
    wait_gone(mcp)
    wait_gone(program)
    assert len(mcp_servers(project)) == 1
    gate.open()
    attempt, said = ended(server, execution)
    assert attempt == 2
    assert json.loads(said.partition("It said: ")[2])["status"] == "sent"
    assert mcp_servers(project) == []
    assert until(lambda: not project.step_processes(), "nothing of the step is left")
    assert until(lambda: not list((project.storage / "attempts").iterdir()), "its files are removed")


def test_engines_that_die_while_they_perform_what_a_service_has_called(project: Project) -> None:
    """What an operation has started ends, and it is called again by the next attempt. What has answered is not."""
    path, gate = programs(project)
    workflow(project, provider="openai_compatible", prompt="Do it")

    async def answering(exchange: Exchange) -> None:
        if len(exchange.body["messages"]) == 1:
            spoken(exchange, "", ("call", "notify_send", json.dumps(NOTIFY)))
        elif len(exchanges) == 3:
            await exchange.closed.wait()
        else:
            spoken(exchange, "All told.")

    with chat_service(answering) as (url, exchanges):
        server = project.serve(env={"PATH": path, "OPENAI_BASE_URL": url, "OPENAI_MODEL": "m"})
        execution = server.run("ask")
        (program,) = notified(project, 1)
        kill_engine(project)
        notified(project, 2)
        wait_gone(program)
        gate.open()
        until(lambda: len(exchanges) == 3, "the service has been told the result")
        kill_engine(project)
        assert ended(server, execution) == (3, "All told.")
    assert [len(exchange.body["messages"]) for exchange in exchanges] == [1, 1, 3, 3]
    assert exchanges[3].body == exchanges[2].body
    notified(project, 2)
    assert project.step_processes() == []
