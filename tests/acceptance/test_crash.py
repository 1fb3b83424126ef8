"""``kill -9`` of the server, of the engine, of both: nothing is lost, nothing that was completed runs again."""

from __future__ import annotations

import fcntl
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from acceptance.facts import Gate, until, wait_gone
from acceptance.ports import free_port
from acceptance.server import Project, Server
from acceptance.sse import Event, outline


def write_lines(project: Project, gate: Gate) -> None:
    """A workflow whose steps leave a line each when they are through; the third waits for the gate before."""
    project.steps(
        "lines",
        "echo one >>lines",
        "echo two >>lines; echo second",
        f"echo begun >>lines; echo waiting; {gate.wait}; echo three >>lines",
        "echo four >>lines",
        "echo five >>lines",
    )


def lines(project: Project) -> Counter[str]:
    return Counter((project.root / "lines").read_text().split())


def kill_engine(project: Project) -> None:
    """As ``kill -9`` does, and wait for its end."""
    engine = project.engine()
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)


def assert_agreement(server: Server, execution: str) -> list[Event]:
    """The execution, the list, the history and the stream tell the same story; the stream."""
    shown = server.execution(execution)
    (listed,) = (
        item for item in server.body("/api/executions")["executions"] if item["execution_id"] == execution
    )
    assert listed.items() <= shown.items()
    (entry,) = (item for item in server.history() if item["id"] == execution)
    assert entry["status"] == {"completed": "success"}.get(shown["status"], shown["status"])
    assert (entry["started_at"], entry["completed_at"]) == (shown["started_at"], shown["completed_at"])
    events = server.events(execution)
    assert events[-1].data["completed_at"] == shown["completed_at"]
    assert events[-1].data["status"] == shown["status"]
    ended = {
        (event.step, event.data["attempt"])
        for event in events
        if event.name in {"step.completed", "step.failed"}
    }
    assert ended == {(step["name"], step["attempt"]) for step in shown["steps"]}
    ids = [event.id for event in server.events(execution, query="?events=all")]
    assert ids == list(range(1, len(ids) + 1))
    return events


COMPLETED = {"begun": 2, "one": 1, "two": 1, "three": 1, "four": 1, "five": 1}
RECOVERED = [
    "step.started s1",
    "step.completed s1",
    "step.started s2",
    "step.completed s2",
    "step.started s3",
    "step.started s3",
    "step.completed s3",
    "step.started s4",
    "step.completed s4",
    "step.started s5",
    "step.completed s5",
    "workflow.completed",
]


def test_a_killed_engine_is_replaced_and_its_execution_goes_on_for_a_viewer_who_stays(
    project: Project,
) -> None:
    gate = Gate(project.root / "gate")
    write_lines(project, gate)
    server = project.serve()
    execution = server.run("lines")
    with ThreadPoolExecutor() as pool:
        viewer = pool.submit(server.events, execution)
        server.wait_event(execution, "output", "s3")
        killed = project.engine()
        kill_engine(project)
        again = server.wait_event(execution, "execution.recovered", query="?events=all")
        assert project.engine() != killed
        assert again.data["orderly"] is False
        until(lambda: lines(project)["begun"] == 2, "the third step runs again")
        gate.open()
        seen = viewer.result(timeout=60)
    assert seen == assert_agreement(server, execution)
    assert outline(seen) == RECOVERED
    starts = [event.data for event in seen if event.name == "step.started" and event.step == "s3"]
    assert [(start["attempt"], start.get("recovered", False)) for start in starts] == [(1, False), (2, True)]
    assert lines(project) == COMPLETED
    assert server.execution(execution)["status"] == "completed"
    assert project.step_processes() == []


def test_a_killed_server_leaves_the_execution_running_and_a_new_one_shows_it(project: Project) -> None:
    gate = Gate(project.root / "gate")
    write_lines(project, gate)
    first = project.serve()
    execution = first.run("lines")
    first.wait_event(execution, "output", "s3")
    engine = project.engine()
    first.kill()
    second = project.serve()
    assert second.execution(execution)["status"] == "running"
    assert project.engine() == engine
    gate.open()
    second.wait(execution)
    assert lines(project) == {**COMPLETED, "begun": 1}
    assert outline(assert_agreement(second, execution)) == [
        line for i, line in enumerate(RECOVERED) if i != 5
    ]


def test_an_execution_ends_while_no_server_lives(project: Project) -> None:
    gate = Gate(project.root / "gate")
    write_lines(project, gate)
    first = project.serve()
    execution = first.run("lines")
    first.wait_event(execution, "output", "s3")
    engine = project.engine()
    first.kill()
    gate.open()
    until(lambda: lines(project)["five"], "the last step has run")
    wait_gone(engine)
    second = project.serve()
    assert second.execution(execution)["status"] == "completed"
    assert lines(project) == {**COMPLETED, "begun": 1}
    assert_agreement(second, execution)


def test_server_and_engine_killed_together_lose_nothing(project: Project) -> None:
    gate = Gate(project.root / "gate")
    write_lines(project, gate)
    project.steps("later", "echo later >>later")
    first = project.serve(env={"AWF_SLOTS": "1"})
    execution = first.run("lines")
    first.wait_event(execution, "output", "s3")
    waiting = [first.run("later") for _ in range(5)]
    engine = project.engine()
    before = first.events_so_far(execution)
    os.kill(engine, signal.SIGSTOP)
    first.kill()
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)
    second = project.serve(env={"AWF_SLOTS": "1"})
    until(lambda: lines(project)["begun"] == 2, "the third step runs again")
    gate.open()
    second.wait(execution)
    events = assert_agreement(second, execution)
    assert events[: len(before)] == before
    assert outline(events) == RECOVERED
    assert lines(project) == COMPLETED
    for accepted in waiting:
        second.wait(accepted)
    assert (project.root / "later").read_text() == "later\n" * 5
    assert [entry["id"] for entry in second.history()] == [*reversed(waiting), execution]


def test_nobody_is_shown_as_running_when_nobody_runs_it(project: Project) -> None:
    gate = Gate(project.root / "gate")
    write_lines(project, gate)
    server = project.serve()
    execution = server.run("lines")
    server.wait_event(execution, "output", "s3")
    with (project.storage / "engines" / "spawn").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # Whoever wants to start an engine waits for this.
        kill_engine(project)
        assert server.execution(execution)["status"] == "pending"
        assert [item["status"] for item in server.body("/api/executions")["executions"]] == ["pending"]
        assert server.history() == []
    until(lambda: lines(project)["begun"] == 2, "the third step runs again")
    gate.open()
    server.wait(execution)
    assert lines(project) == COMPLETED


def test_a_stopped_engine_is_not_declared_dead(project: Project) -> None:
    gate = Gate(project.root / "gate")
    write_lines(project, gate)
    server = project.serve()
    execution = server.run("lines")
    server.wait_event(execution, "output", "s3")
    engine = project.engine()
    os.kill(engine, signal.SIGSTOP)
    second = project.serve()
    gate.open()
    until(lambda: lines(project)["three"], "the step has ended by itself")
    assert second.execution(execution)["status"] == "running"
    assert project.engines() == [engine]
    os.kill(engine, signal.SIGCONT)
    second.wait(execution)
    assert lines(project) == {**COMPLETED, "begun": 1}


@pytest.mark.parametrize("who", ["engine", "both"])
def test_steps_never_run_again_once_completed_however_often_the_engine_dies(
    project: Project, who: str
) -> None:
    names = [f"s{number}" for number in range(1, 21)]
    project.steps("many", *(f"echo {name} >>lines; echo said" for name in names))
    server = project.serve()
    execution = server.run("many")
    kept: dict[str, int] = {}
    for deadly in ("s2", "s7", "s8", "s15"):
        server.wait_event(execution, "step.completed", deadly)
        steps, ran = server.execution(execution)["steps"], lines(project)
        kept |= {step["name"]: ran[step["name"]] for step in steps if step["status"] == "completed"}
        engines = project.engines()
        if who == "both":
            server.kill()
        for engine in engines:
            os.kill(engine, signal.SIGKILL)
            wait_gone(engine)
        if who == "both":
            server = project.serve()
    server.wait(execution)
    assert_agreement(server, execution)
    attempts = {step["name"]: step["attempt"] for step in server.execution(execution)["steps"]}
    found = lines(project)
    assert list(attempts) == names
    assert {"s1", "s2", "s7", "s8", "s15"} <= kept.keys()
    assert {name: found[name] for name in kept} == kept
    for name, attempt in attempts.items():
        assert 1 <= found[name] <= attempt, (name, attempt, found)
    assert sum(attempts.values()) <= len(names) + 4


def test_a_step_that_kills_its_engine_three_times_fails_the_execution(project: Project) -> None:
    project.steps("poison", "echo sip >>lines; kill -9 $PPID; sleep 600", "touch never")
    project.steps("other", "true")
    server = project.serve()
    execution = server.run("poison")
    shown = server.wait(execution, "failed")
    assert "s1" in shown["error"]
    assert lines(project) == {"sip": 3}
    assert not (project.root / "never").exists()
    assert_agreement(server, execution)
    assert until(lambda: project.step_processes() == [], "no process of the step lives")
    assert server.wait(server.run("other"))


def test_what_was_accepted_is_there_after_a_kill_at_once(project: Project) -> None:
    project.steps("quick", "echo ran >>lines")
    first = project.serve()
    accepted = []
    for _ in range(20):
        accepted.append(first.run("quick"))
    engines = project.engines()
    first.kill()
    for engine in engines:
        os.kill(engine, signal.SIGKILL)
        wait_gone(engine)
    second = project.serve()
    for execution in accepted:
        second.wait(execution)
    listed = [item["execution_id"] for item in second.body("/api/executions")["executions"]]
    assert listed == accepted[::-1]
    attempts = sum(second.execution(execution)["steps"][0]["attempt"] for execution in accepted)
    assert len(accepted) <= lines(project)["ran"] <= attempts


def test_a_viewer_who_comes_back_to_the_next_server_misses_nothing(project: Project) -> None:
    gate = Gate(project.root / "gate")
    write_lines(project, gate)
    first = project.serve("--port", free_port())
    execution = first.run("lines")
    seen: list[Event] = []
    with first.stream(execution) as events:
        while not seen or (seen[-1].name, seen[-1].step) != ("output", "s3"):
            seen.append(next(events))
        first.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            next(events)
    second = project.serve("--port", first.port)
    gate.open()
    seen += second.events(execution, seen[-1].id)
    assert seen == assert_agreement(second, execution)


def test_a_step_that_hides_from_its_dead_engine_is_ended_before_it_runs_again(project: Project) -> None:
    project.steps("hidden", "echo begun; exec env -i sh -c 'echo hidden; sleep 600; true'")
    server = project.serve()
    execution = server.run("hidden")
    until(lambda: len(project.step_processes()) == 2, "the shell and its sleep")
    before = set(project.step_processes())
    kill_engine(project)
    server.wait_event(execution, "execution.recovered", query="?events=all")
    until(lambda: len(set(project.step_processes()) - before) == 2, "the step runs again")
    assert not before & set(project.step_processes())
    server.cancel(execution)
    server.wait(execution, "cancelled")
    assert project.step_processes() == []
