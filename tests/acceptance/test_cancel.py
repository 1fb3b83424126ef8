"""DELETE ends an execution with every process of it, once, and everywhere it shows."""

from __future__ import annotations

import fcntl
import json
import os
import signal

import pytest

from acceptance.facts import Gate, until, wait_gone
from acceptance.server import Project, Server
from acceptance.sse import outline

FAMILY = {
    "children": "sleep 600 & sh -c 'sleep 600 & wait' & {ready}; wait",
    "a session of their own": "setsid sh -c 'sleep 600 & sleep 600' & {ready}; sleep 600",
    "orphans": "(setsid sleep 600 &) ; (sh -c 'sleep 600 &') ; {ready}; exec sleep 600",
    "no environment": "env -i sleep 600 & {ready}; wait",
    "nothing of their own but a parent": "env -i setsid sh -c 'sleep 600; true' & {ready}; wait",
    "a step without environment": "{ready}; exec env -i sh -c 'sleep 600; true'",
    "deaf to SIGTERM": "trap '' TERM; {ready}; sleep 600; sleep 600",
    "stopped": "sleep 600 & kill -STOP $!; {ready}; wait",
}


def assert_cancelled(server: Server, execution: str) -> None:
    """It is cancelled in the API, in the stream, in the history and in the statistics alike."""
    shown = server.execution(execution)
    assert shown["status"] == "cancelled"
    assert shown["error"] == "cancelled"
    final = server.events(execution)[-1]
    assert final.name == "workflow.failed"
    assert (final.data["status"], final.data["error"]) == ("cancelled", "cancelled")
    (entry,) = (entry for entry in server.history("?status=cancelled") if entry["id"] == execution)
    assert entry["status"] == "cancelled"
    listed = server.body("/api/executions?status=cancelled")["executions"]
    assert execution in {item["execution_id"] for item in listed}


@pytest.mark.parametrize("family", FAMILY)
def test_a_cancelled_step_is_gone_with_all_its_processes(project: Project, family: str) -> None:
    project.steps("sleeper", FAMILY[family].format(ready="echo ready"), "touch never")
    server = project.serve(env={"AWF_GRACE": "0.5"})
    execution = server.run("sleeper")
    server.wait_event(execution, "output", "s1")
    assert project.step_processes()
    server.cancel(execution)
    events = server.events(execution)
    assert outline(events) == ["step.started s1", "step.failed s1", "workflow.failed"]
    assert events[-2].data["error"] == "cancelled"
    assert project.step_processes() == []
    assert_cancelled(server, execution)
    assert not (project.root / "never").exists()
    counts = server.body("/api/history/stats")
    assert (counts["TotalExecutions"], counts["CancelledCount"]) == (1, 1)


def test_a_step_may_clean_up_when_it_is_cancelled(project: Project) -> None:
    project.steps("tidy", "trap 'echo tidied >tidied; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    server = project.serve()
    execution = server.run("tidy")
    server.wait_event(execution, "output", "s1")
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert (project.root / "tidied").read_text() == "tidied\n"


def test_what_is_pending_is_cancelled_without_ever_starting(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("first", gate.wait)
    project.steps("second", "touch never")
    server = project.serve(env={"AWF_SLOTS": "1"})
    first = server.run("first")
    server.wait_event(first, "step.started", "s1")
    second = server.run("second")
    assert server.execution(second)["status"] == "pending"
    server.cancel(second)
    assert outline(server.events(second)) == ["workflow.failed"]
    assert_cancelled(server, second)
    assert server.execution(first)["status"] == "running"
    gate.open()
    server.wait(first)
    assert not (project.root / "never").exists()


def test_cancelling_twice_or_after_the_end_changes_nothing(project: Project) -> None:
    project.steps("sleeper", "echo ready; sleep 600")
    project.steps("short", "true")
    server = project.serve()
    execution = server.run("sleeper")
    server.wait_event(execution, "output", "s1")
    server.cancel(execution)
    server.cancel(execution)
    before = server.wait(execution, "cancelled"), server.events(execution)
    server.cancel(execution)
    assert (server.execution(execution), server.events(execution)) == before
    done = server.run("short")
    finished = server.wait(done)
    server.cancel(done)
    assert server.execution(done) == finished
    assert [entry["status"] for entry in server.history()] == ["success", "cancelled"]


def test_a_cancel_is_obeyed_although_the_engine_dies_at_that_moment(project: Project) -> None:
    project.steps("sleeper", "echo ready; setsid sleep 600 & sleep 600")
    server = project.serve()
    execution = server.run("sleeper")
    server.wait_event(execution, "output", "s1")
    engine = project.engine()
    os.kill(engine, signal.SIGSTOP)
    server.cancel(execution)
    os.kill(engine, signal.SIGKILL)
    server.wait(execution, "cancelled")
    assert_cancelled(server, execution)
    assert until(lambda: project.step_processes() == [], "no process of the step lives")
    assert outline(server.events(execution)) == ["step.started s1", "step.failed s1", "workflow.failed"]


def test_a_cancel_during_recovery_is_obeyed(project: Project) -> None:
    project.steps("deaf", "trap '' TERM; echo ready; while :; do sleep 600; done")
    server = project.serve(env={"AWF_GRACE": "1.5"})
    execution = server.run("deaf")
    server.wait_event(execution, "output", "s1")
    before = project.engine()
    os.kill(before, signal.SIGKILL)
    until(lambda: set(project.engines()) - {before}, "the next engine ends what the dead one left")
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert_cancelled(server, execution)
    assert project.step_processes() == []


def test_a_cancel_while_no_engine_lives_is_obeyed_by_the_next(project: Project) -> None:
    project.steps("sleeper", "echo ready; env -i setsid sh -c 'sleep 600; true' & exec sleep 600")
    server = project.serve()
    execution = server.run("sleeper")
    server.wait_event(execution, "output", "s1")
    with (project.storage / "engines" / "spawn").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # Whoever wants to start an engine waits for this.
        engine = project.engine()
        os.kill(engine, signal.SIGKILL)
        wait_gone(engine)
        server.cancel(execution)
        assert server.execution(execution)["status"] == "pending"
    server.wait(execution, "cancelled")
    assert_cancelled(server, execution)
    assert project.step_processes() == []


@pytest.mark.parametrize("how", ["backoff", "between"])
def test_a_cancel_while_nothing_runs_is_obeyed_at_once(project: Project, how: str) -> None:
    retry = {"max_attempts": 3, "initial_delay": "10m"} if how == "backoff" else None
    again = "exit 1" if how == "backoff" else "true"
    first = {"type": "step", "command": again, "on_success": "s1", "on_failure": "done", "retry": retry}
    states = {"initial": "s1", "s1": first, "done": {"type": "terminal"}}
    project.workflow("w", json.dumps({"name": "w", "states": states}))
    server = project.serve()
    execution = server.run("w")
    name = "step.retrying" if how == "backoff" else "step.completed"
    server.wait_event(execution, name, "s1", query="?events=all")
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert_cancelled(server, execution)
