"""A detached step outlives its engine: the next one takes it over, without a gap and without a repetition."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from acceptance.facts import Gate, until, wait_gone
from acceptance.server import Project, Server, wait_exit
from acceptance.sse import outline

ADOPTED = ["step.started s1", "step.completed s1", "workflow.completed"]


def detached(project: Project, name: str, command: str, **more: Any) -> None:
    """A workflow of one detached step."""
    first = {"type": "step", "command": command, "detach": True, "on_success": "done", **more}
    states = {"initial": "s1", "s1": first, "done": {"type": "terminal"}}
    project.workflow(name, json.dumps({"name": name, "states": states}))


def kill_engine(project: Project) -> None:
    engine = project.engine()
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)


def wait_adopted(server: Server, execution: str) -> None:
    server.wait_event(execution, "step.adopted", query="?events=all")


def attempts(project: Project) -> list[Path]:
    """What is kept of detached attempts."""
    place = project.storage / "attempts"
    return list(place.iterdir()) if place.exists() else []


def output(server: Server, execution: str, stream: str = "stdout") -> str:
    """What the stream's frames say that the step wrote."""
    return "".join(
        event.data["output"]
        for event in server.events(execution)
        if event.name == "output" and event.data["stream"] == stream
    )


def begin(project: Project, **more: Any) -> tuple[Server, str, Gate]:
    """A server, and an execution whose detached step runs until the gate opens."""
    gate = Gate(project.root / "gate")
    command = (
        f"echo begun >>begun; echo before; echo complaint >&2; {gate.wait}; echo after; echo ended >>ended"
    )
    detached(project, "long", command, **more)
    server = project.serve()
    execution = server.run("long")
    server.wait_event(execution, "output", "s1")
    return server, execution, gate


def assert_taken_over(project: Project, server: Server, execution: str) -> None:
    """It ran once, and its record is as if its engine had lived."""
    (step,) = server.wait(execution)["steps"]
    assert (step["attempt"], step["exit_code"]) == (1, 0)
    assert outline(server.events(execution)) == ADOPTED
    assert output(server, execution) == "before\nafter\n"
    assert output(server, execution, "stderr") == "complaint\n"
    assert (project.root / "begun").read_text() == "begun\n"
    assert (project.root / "ended").read_text() == "ended\n"
    assert until(lambda: not attempts(project), "its files are removed")


def test_a_step_goes_on_while_its_engine_is_replaced(project: Project) -> None:
    server, execution, gate = begin(project)
    for _ in range(4):
        kill_engine(project)
        until(
            lambda: server.execution(execution)["status"] == "running" and project.engines(),
            "an engine runs it",
        )
    gate.open()
    assert_taken_over(project, server, execution)


def test_a_step_that_ends_while_no_engine_lives_has_ended(project: Project) -> None:
    server, execution, gate = begin(project)
    engine = project.engine()
    server.kill()
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)
    gate.open()
    until(lambda: not project.step_processes(), "the step has ended")
    assert_taken_over(project, project.serve(), execution)


def test_a_failure_meanwhile_is_a_failure(project: Project) -> None:
    gate = Gate(project.root / "gate")
    detached(project, "bad", f"echo ready; {gate.wait}; echo why >&2; exit 7")
    server = project.serve()
    execution = server.run("bad")
    server.wait_event(execution, "output", "s1")
    engine = project.engine()
    server.kill()
    os.kill(engine, signal.SIGKILL)
    gate.open()
    until(lambda: not project.step_processes(), "the step has ended")
    (step,) = project.serve().wait(execution, "failed")["steps"]
    assert (step["attempt"], step["exit_code"], step["error"]) == (1, 7, "why")


@pytest.mark.parametrize("how", [(), ("SIGTERM",)])
def test_stopping_the_engine_leaves_the_step_to_the_next(project: Project, how: tuple[str, ...]) -> None:
    server, execution, gate = begin(project)
    engine = project.engine()
    if how:
        server.kill()
        os.kill(engine, signal.SIGTERM)
        wait_gone(engine)
    else:
        stopped = project.awf("stop")
        assert stopped.returncode == 0, stopped.stderr
        assert wait_exit(server.process) == 0
    assert project.engines() == []
    assert project.step_processes()
    second = project.serve()
    wait_adopted(second, execution)
    gate.open()
    assert_taken_over(project, second, execution)


def test_stop_now_ends_it_and_it_runs_again(project: Project) -> None:
    _, execution, gate = begin(project)
    stopped = project.awf("stop", "--now")
    assert stopped.returncode == 0, stopped.stderr
    assert project.processes() == []
    gate.open()
    second = project.serve()
    second.wait(execution)
    assert (project.root / "begun").read_text() == "begun\n" * 2
    assert until(lambda: not attempts(project), "its files are removed")


@pytest.mark.parametrize("when", ["own", "adopted", "orphaned"])
def test_a_cancel_ends_it_wherever_its_engine_is(project: Project, when: str) -> None:
    server, execution, _ = begin(project)
    if when == "adopted":
        kill_engine(project)
        wait_adopted(server, execution)
    elif when == "orphaned":
        engine = project.engine()
        os.kill(engine, signal.SIGSTOP)
        server.cancel(execution)
        os.kill(engine, signal.SIGKILL)
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert outline(server.events(execution)) == ["step.started s1", "step.failed s1", "workflow.failed"]
    assert until(lambda: not project.step_processes(), "nothing of it lives")
    assert until(lambda: not attempts(project), "its files are removed")
    assert not (project.root / "ended").exists()


def test_an_adopted_step_has_the_time_limit_that_it_had(project: Project) -> None:
    server, execution, _ = begin(project, timeout="3s")
    kill_engine(project)
    wait_adopted(server, execution)
    (step,) = server.wait(execution, "failed")["steps"]
    assert (step["error"], step["exit_code"], step["attempt"]) == ("timeout exceeded (3s)", 124, 1)
    failed = next(event for event in server.events(execution) if event.name == "step.failed")
    assert 2900 <= failed.data["duration_ms"] < 10_000  # Wall clock up to the takeover, monotonic after.
    assert project.step_processes() == []


def test_nobody_else_can_read_what_is_kept(project: Project) -> None:
    server, execution, gate = begin(project)
    (directory,) = attempts(project)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    gate.open()
    assert_taken_over(project, server, execution)


def test_a_killed_wrapper_takes_its_step_with_it(project: Project) -> None:
    server, execution, _ = begin(project)
    (directory,) = attempts(project)
    wrapper = int((directory / "record").read_text().splitlines()[1].split()[0])
    os.kill(wrapper, signal.SIGKILL)
    (step,) = server.wait(execution, "failed")["steps"]
    assert step["exit_code"] == 137
    assert project.step_processes() == []


def test_a_long_output_is_cut_alike_across_engines(project: Project) -> None:
    gate = Gate(project.root / "gate")
    line = "0123456789abcdef" * 64
    command = f"yes {line} | head -c 3000000; echo; echo one; {gate.wait}; yes {line} | head -c 9000000; echo; echo last"
    detached(project, "loud", command, capture={"max_size": "4MB"})
    server = project.serve()
    execution = server.run("loud")
    until(
        lambda: (project.root / "gate").is_fifo() and len(server.execution(execution)["steps"]) == 1, "begun"
    )
    kill_engine(project)
    wait_adopted(server, execution)
    gate.open()
    server.wait(execution)
    events = [event for event in server.events(execution) if event.name == "output"]
    assert [event.data.get("truncated", False) for event in events].count(True) == 1
    text = "".join(event.data["output"] for event in events)
    assert text == (f"{line}\n" * 3000)[: 2 * 1024 * 1024]
    whole = server.body(f"/api/executions/{execution}/steps/1/output")
    assert whole["output"].endswith("\nlast\n")
    assert whole["omitted_bytes"] > 0


def test_a_detached_branch_lives_on_beside_one_that_runs_again(project: Project) -> None:
    gate = Gate(project.root / "gate")
    states = {
        "initial": "both",
        "both": {"type": "parallel", "parallel": ["kept", "plain"], "on_success": "done"},
        "kept": {
            "type": "step",
            "command": f"echo kept >>ran; {gate.wait}",
            "detach": True,
            "on_success": "done",
        },
        "plain": {"type": "step", "command": f"echo plain >>ran; {gate.wait}", "on_success": "done"},
        "done": {"type": "terminal"},
    }
    project.workflow("w", json.dumps({"name": "w", "states": states}))
    server = project.serve()
    execution = server.run("w")
    ran = project.root / "ran"
    until(lambda: ran.exists() and len(ran.read_text().split()) == 2, "both branches run")
    kill_engine(project)
    until(lambda: ran.read_text().split().count("plain") == 2, "the plain branch runs again")
    gate.open()
    steps = {step["name"]: step["attempt"] for step in server.wait(execution)["steps"]}
    assert (steps["kept"], steps["plain"]) == (1, 2)
    assert sorted(ran.read_text().split()) == ["kept", "plain", "plain"]
