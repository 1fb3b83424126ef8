"""The commands, speaking to a server from a directory that has no project."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from acceptance.facts import Gate
from acceptance.ports import free_port
from acceptance.relay import Relay
from acceptance.server import Project, Server
from acceptance.terminal import Terminal

VARIABLE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[\d.]+m?s\b")
Far: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Project]:
    """Where a person sits whose server runs somewhere else."""
    other = Project(tmp_path / "elsewhere")
    yield other
    assert not other.storage.exists(), "a remote command has made a store"
    other.close()


@pytest.fixture
def near(tmp_path: Path) -> Iterator[Project]:
    """Where the server runs."""
    project = Project(tmp_path / "near")
    yield project
    project.close()


@pytest.fixture
def server(near: Project) -> Server:
    return near.serve()


@pytest.fixture
def far(server: Server, elsewhere: Project) -> Far:
    """Runs a command elsewhere that speaks to the server; it must end with ``status``."""

    def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = elsewhere.awf(*arguments, env={"AWF_SERVER": server.url})
        assert done.returncode == status, (done.stdout, done.stderr)
        return done

    return run


def read(done: subprocess.CompletedProcess[str]) -> Any:
    """What a command with ``-f json`` says."""
    return json.loads(done.stdout)


def test_what_is_shown_is_the_same_near_and_far(near: Project, server: Server, far: Far) -> None:
    near.steps("good", "echo one", "echo grüße")
    near.steps("bad", "echo wrong >&2; exit 7")
    near.workflow("broken", "name: broken\nversion: '1'\nstates: {initial: nowhere}\n")
    good, bad = server.run("good"), server.run("bad")
    server.wait(good)
    server.wait(bad, "failed")
    for command in (
        ("status", "-f", "json"),
        ("status", good, "-f", "json"),
        ("status", bad, "--verbose"),
        ("history", "-s", "failed", "-w", "bad", "--since", "1h"),
        ("history", "--stats", "-f", "json"),
        ("history", "-q", "-n", "1"),
    ):
        here, there = near.awf(*command), far(*command)
        assert (there.stdout, there.stderr) == (here.stdout, here.stderr), command
    # Where a workflow was found is known on the machine of its files.
    lists = [read(near.awf("list", "-f", "json")), read(far("list", "-f", "json"))]
    here, there = ([{**each, "source": ""} for each in listed] for listed in lists)
    assert there == here
    assert "cannot be run" in far("list").stdout


def test_a_run_is_cancelled_from_afar(near: Project, server: Server, far: Far) -> None:
    gate = Gate(near.root / "gate")
    near.steps("long", gate.wait)
    execution = server.run("long")
    server.wait_event(execution, "step.started")
    assert "cancel requested" in far("cancel", execution).stdout
    server.wait(execution, "cancelled")
    assert "has ended before: cancelled" in far("cancel", execution).stdout


FAILURES = {
    "unrouted": "s: {type: step, command: exit 7, on_success: end}, end: {type: terminal}",
    "inline": "s: {type: step, command: exit 7, on_failure: {message: no, status: 5}}",
    "terminal": "s: {type: step, command: exit 7, on_failure: bad}, bad: {type: terminal, status: failure}",
    "named": "s: {type: step, command: exit 7, on_failure: bad}, bad: {type: terminal, status: failure, exit_code: 6}",
    "good": "s: {type: step, command: 'echo out; echo err >&2', on_success: end}, end: {type: terminal, exit_code: 4}",
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_run_is_shown_and_ends_as_it_would_here(shared: Server, elsewhere: Project, name: str) -> None:
    shared.project.workflow(name, f"name: {name}\nversion: '1'\nstates: {{initial: s, {FAILURES[name]}}}\n")
    here = shared.project.awf("run", name)
    there = elsewhere.awf("run", name, "--server", shared.url)
    assert there.returncode == here.returncode
    assert there.stdout == here.stdout
    alike = [VARIABLE.sub("…", said.stderr) for said in (there, here)]
    assert alike[0] == alike[1]
    (_, _) = shared.project.awf("history", "-q", "-w", name).stdout.split()


def test_a_run_takes_inputs_and_can_be_left_alone(near: Project, server: Server, far: Far) -> None:
    near.workflow(
        "greet",
        "name: greet\nversion: '1'\ninputs: [{name: who, required: true}]\n"
        "states: {initial: s, s: {type: step, command: 'echo hello {{inputs.who}}', on_success: e}, e: {type: terminal}}\n",
    )
    assert far("run", "greet", "-i", "who=Jiří").stdout == "hello Jiří\n"
    execution = far("run", "greet", "-i", "who=x", "--detach").stdout.strip()
    server.wait(execution)
    assert far("logs", execution).stdout.endswith("hello x\n")
    names = [json.loads(line)["event"] for line in far("-f", "json", "events", execution).stdout.splitlines()]
    assert (names[0], names[-1]) == ("execution.accepted", "workflow.completed")
    refused = far("run", "greet", status=1)
    assert "who" in refused.stderr
    assert "not found" in far("run", "absent", status=1).stderr
    for option in ("--dry-run", "--step=s"):
        assert "works on this machine only" in far("run", "greet", option, status=1).stderr


def test_what_the_server_misses_is_asked_for(
    near: Project, server: Server, elsewhere: Project, far: Far
) -> None:
    near.workflow(
        "asks",
        "name: asks\ninputs:\n  - {name: env, required: true, validation: {enum: [dev, prod]}}\n"
        "  - {name: count, type: integer, required: true}\n"
        "states: {initial: s, s: {type: step, command: 'echo {{inputs.env}} {{inputs.count}} >said', on_success: e}, "
        "e: {type: terminal}}\n",
    )
    terminal = Terminal(elsewhere, "run", "asks", "-i", "count=3", env={"AWF_SERVER": server.url})
    terminal.expect("2) prod")
    terminal.answer("2")
    assert terminal.ended() == 0
    assert (near.root / "said").read_text() == "prod 3\n"
    shown = far("run", "asks", "--help").stdout
    assert "Inputs of asks:" in shown
    assert "[string; required; one of dev, prod]" in shown
    completing = {
        "_AWF_COMPLETE": "zsh_complete",
        "COMP_WORDS": "awf run asks -i env=p",
        "COMP_CWORD": "4",
        "AWF_SERVER": server.url,
    }
    assert elsewhere.awf(env=completing).stdout == "plain\nenv=prod\n_\n"
    assert "inputs.env: required but not provided" in far("run", "asks", status=1).stderr
    assert "(did you mean 'asks'?)" in far("run", "aks", status=1).stderr


def test_a_file_is_validated_where_the_server_is(near: Project, far: Far) -> None:
    near.steps("good", "true")
    near.workflow("broken", "name: broken\nversion: '1'\nstates: {initial: nowhere}\n")
    assert far("validate", "good").stdout == "good: valid\n"
    done = far("validate", "broken", status=2)
    assert "broken.yaml:3" in done.stdout
    assert done.stderr == "broken: 1 error\n"


def test_a_failed_run_is_resumed_from_afar(near: Project, server: Server, far: Far) -> None:
    near.steps("flaky", "echo once", "test -e ready && echo twice")
    failed = server.run("flaky")
    server.wait(failed, "failed")
    assert failed in far("resume", "--list").stdout
    (near.root / "ready").touch()
    done = far("resume", failed)
    assert done.stdout == "twice\n"
    assert server.history()[0]["status"] == "success"
    assert "cannot be resumed" in far("resume", server.history()[0]["id"], status=1).stderr


def test_ctrl_c_cancels_a_run_on_the_server(near: Project, server: Server, elsewhere: Project) -> None:
    gate = Gate(near.root / "gate")
    near.steps("long", f"echo begun; {gate.wait}")
    process = elsewhere.start("run", "long", "--server", server.url)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cancelling" in said
    assert server.history()[0]["status"] == "cancelled"


def test_watching_outlives_the_server(near: Project, server: Server, elsewhere: Project) -> None:
    gate = Gate(near.root / "gate")
    near.steps("long", f"echo begun; {gate.wait}", "echo ended")
    with Relay(server.port) as relay:
        process = elsewhere.start("run", "long", "--server", relay.url)
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        server.kill()
        assert process.stderr is not None
        while "tries again" not in (line := process.stderr.readline()):
            assert line, "it has not said that the server is away"
        assert line.startswith(f"awf: no server answers at {relay.url}: ")
        gate.open()
        relay.lead_to(near.serve().port)
        shown, said = process.communicate(timeout=60)
    assert (process.returncode, shown) == (0, "ended\n"), said
    assert "tries again" not in said


def test_programs_are_told_of_a_run_afar_what_they_are_told_here(near: Project, far: Far) -> None:
    near.steps("good", "echo one")
    ran = far("run", "good", "-f", "json")
    record = read(ran)
    assert (record["status"], record["steps"][0]["output"], ran.stderr) == ("completed", "one\n", "")
    assert far("resume", "--list", "-q").stdout == ""
    quiet = far("run", "good", "-q")
    assert quiet.stdout.split() == near.awf("history", "-q", "-n", "1").stdout.split()


def test_what_waits_for_a_person_is_answered_from_afar(near: Project, server: Server, far: Far) -> None:
    gate = Gate(near.root / "gate")
    near.workflow(
        "careful",
        "name: careful\nversion: '1'\nstates: {initial: s, "
        f's: {{type: step, command: "{gate.wait}", on_crash: ask, on_success: e}}, e: {{type: terminal}}}}\n',
    )
    execution = server.run("careful")
    server.wait_event(execution, "step.started")
    os.kill(near.engine(), signal.SIGKILL)
    server.wait_event(execution, "input.required", query="?events=all")
    assert f"  awf respond {execution} rerun" in far("status", execution).stdout
    named = near.awf("--server", server.url, "status", execution).stdout
    assert "waits for an answer" in named
    assert f"  awf --server {server.url} respond {execution} rerun" in named
    completing = {
        "_AWF_COMPLETE": "zsh_complete",
        "COMP_WORDS": f"awf --server {server.url} respond ",
        "COMP_CWORD": "4",
    }
    assert near.awf(env=completing).stdout == f"plain\n{execution}\ncareful (running)\n"
    far("respond", execution, "skip")
    server.wait(execution)


def test_what_the_server_refuses_is_one_paragraph(far: Far) -> None:
    missing = "00000000-0000-0000-0000-000000000000"
    text = far("status", missing, status=1).stderr
    assert text.startswith(f"awf: execution not found: {missing}; try `awf status`")
    assert len(text.splitlines()) == 1
    found = json.loads(far("status", missing, "-f", "json", status=1).stderr)["error"]
    assert found["code"] == "USER.FACADE.EXECUTION_NOT_FOUND"


def test_nobody_there_is_one_paragraph(elsewhere: Project) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for command in (("list",), ("status",), ("history", "--stats"), ("cancel", "x")):
        done = elsewhere.awf("--server", url, *command)
        assert done.returncode == 4
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"awf: no server answers at {url}: ")
        assert "try `awf serve` there, or another address" in line
    done = elsewhere.awf("list", "--server", url, "-f", "json")
    assert json.loads(done.stderr)["error"]["code"] == "SYSTEM.NET.UNREACHABLE"
