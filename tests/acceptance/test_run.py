"""``awf run``: an execution in the foreground, in the same store as everybody's."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from acceptance.facts import Gate, until
from acceptance.server import Project, Server


def only_execution(server: Server) -> str:
    """The id of the one execution that the server knows, once there is one."""
    (found,) = until(lambda: server.body("/api/executions")["executions"], "there is an execution")
    execution: str = found["execution_id"]
    return execution


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a process that is about to end."""
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def test_it_shows_what_happens_and_leaves_a_record(project: Project) -> None:
    project.steps("hello", "echo out; echo err >&2", "echo more")
    ran = project.awf("run", "hello")
    assert (ran.returncode, ran.stdout) == (0, "out\nmore\n")
    lines = ran.stderr.splitlines()
    assert "err" in lines
    assert [line for line in lines if "started" in line] == ["awf: s1 started", "awf: s2 started"]
    assert project.engines() == []
    server = project.serve()
    (entry,) = server.history()
    assert (entry["workflow_name"], entry["status"]) == ("hello", "success")
    assert server.events(entry["id"])[-1].name == "workflow.completed"


@pytest.mark.parametrize("options", [(), ("-o", "buffered"), ("-f", "json"), ("-q",)])
def test_a_run_goes_on_where_nobody_reads_it(project: Project, options: tuple[str, ...]) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", f"echo one; {gate.wait}", "echo two; echo three >&2", "exit 7")
    process = project.start("run", "long", *options)
    assert process.stdout is not None
    process.stdout.close()
    gate.open()
    status, _, said = ended(process)
    assert status == 3
    if "-o" in options or not options:
        assert "awf: s2 completed" in said
        assert "three\n" in said
    assert said.splitlines()[-1].startswith("awf: failed: ")
    assert [each["status"] for each in project.serve().history()] == ["failed"]


def test_a_run_goes_on_where_nobody_reads_anything_of_it(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", f"echo one; {gate.wait}", "echo two; echo three >&2")
    process = project.start("run", "long")
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    gate.open()
    assert process.wait(30) == 0
    assert [each["status"] for each in project.serve().history()] == ["success"]


@pytest.mark.parametrize("command", ["events", "logs"])
def test_what_only_shows_ends_where_nobody_reads_it(project: Project, command: str) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", "echo one", gate.wait, "echo two")
    server = project.serve()
    execution = server.run("long")
    process = project.start(command, "-f", execution)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    gate.open()
    status, _, said = ended(process)
    assert (status, "awf:" in said) == (141, False)
    server.wait(execution)


def test_how_output_is_shown(project: Project) -> None:
    project.steps("hello", "echo out")
    assert project.awf("run", "hello", "-o", "silent").stderr == ""
    silent, buffered = (project.awf("run", "hello", "-o", mode).stdout for mode in ("silent", "buffered"))
    assert (silent, buffered) == ("", "out\n")


def test_inputs_and_a_file_by_path(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.yaml"
    file.write_text(
        "name: elsewhere\n"
        "inputs: [{name: n, type: integer, required: true}, {name: who, type: string, default: you}]\n"
        "states: {initial: a, a: {type: step, command: 'echo {{inputs.n}} {{inputs.who}}', on_success: b}, "
        "b: {type: terminal}}\n"
    )
    assert project.awf("run", str(file), "-i", "n=3", "--input", "who = me ").stdout == "3 me\n"
    (tmp_path / "inputs.json").write_text('{"n": 7, "who": "them"}')
    assert project.awf("run", str(file), "--inputs", "inputs.json", "-i", "n=8").stdout == "8 them\n"


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("nothing",), 1, "workflow not found: nothing"),
        (("hello", "-i", "x"), 1, "--input x: give KEY=VALUE"),
        (("hello", "--inputs", "missing.json"), 1, "--inputs missing.json: No such file or directory"),
        (("needs",), 1, "inputs.n: required but not provided"),
        (("broken",), 2, "references undefined state 'nowhere'"),
    ],
)
def test_what_cannot_be_started_says_why(
    project: Project, arguments: tuple[str, ...], status: int, text: str
) -> None:
    project.steps("hello", "true")
    project.workflow(
        "broken", "name: broken\nstates: {initial: a, a: {type: step, command: x, on_success: nowhere}}"
    )
    project.workflow(
        "needs",
        "name: needs\ninputs: [{name: n, type: integer, required: true}]\n"
        "states: {initial: a, a: {type: step, command: 'true', on_success: b}, b: {type: terminal}}",
    )
    ran = project.awf("run", *arguments)
    assert (ran.returncode, ran.stdout) == (status, "")
    assert text in ran.stderr


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ("", 3),
        ("on_failure: bad", 3),
        ("on_failure: worse", 9),
        ("on_failure: {message: no, status: 7}", 7),
        ("on_failure: fine", 4),
    ],
)
def test_the_exit_status_of_a_failure(project: Project, failure: str, status: int) -> None:
    project.workflow(
        "fails",
        "name: fails\nstates:\n  initial: a\n"
        f"  a:\n    type: step\n    command: exit 2\n    on_success: fine\n    {failure}\n"
        "  fine: {type: terminal, exit_code: 4}\n"
        "  bad: {type: terminal, status: failure}\n"
        "  worse: {type: terminal, status: failure, exit_code: 9}\n",
    )
    assert project.awf("run", "fails").returncode == status


def test_a_server_shows_it_at_once_and_can_cancel_it(project: Project, server: Server) -> None:
    project.steps("long", "echo begun; sleep 600")
    process = project.start("run", "long")
    execution = only_execution(server)
    server.wait_event(execution, "output")
    assert server.execution(execution)["status"] == "running"
    server.cancel(execution)
    status, out, err = ended(process)
    assert (status, out) == (130, "begun\n")
    assert "cancelled" in err
    assert server.execution(execution)["status"] == "cancelled"
    assert [entry["id"] for entry in server.history()] == [execution]
    assert project.sleepers() == []


def test_ctrl_c_cancels_and_a_second_one_does_not_wait(project: Project, server: Server) -> None:
    project.steps("stubborn", "trap '' TERM; echo begun; while :; do sleep 600; done")
    process = project.start("run", "stubborn")
    execution = only_execution(server)
    server.wait_event(execution, "output")
    process.send_signal(signal.SIGINT)
    until(lambda: project.sleepers() == [] or None, "the first sleep has been ended")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    status, _, _ = ended(process)
    assert status == 130
    shown = server.execution(execution)
    assert shown["status"] == "cancelled"
    assert shown["steps"][0]["exit_code"] == 137


def test_when_it_is_killed_an_engine_takes_over(project: Project, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    project.steps("two", "echo one >>effects", f"echo begun; {gate.wait}; echo two >>effects")
    process = project.start("run", "two")
    server = project.serve()
    execution = only_execution(server)
    server.wait_event(execution, "output")
    os.kill(process.pid, signal.SIGKILL)
    ended(process)
    until(lambda: server.execution(execution)["steps"][1]["attempt"] == 2, "the step in flight runs again")
    gate.open()
    server.wait(execution)
    assert (project.root / "effects").read_text().split() == ["one", "two"]


def test_detached_it_is_left_to_an_engine(project: Project) -> None:
    project.steps("hello", "echo done >>effects")
    execution = project.awf("run", "hello", "--detach").stdout.strip()
    until((project.root / "effects").exists, "the step ran")
    server = project.serve()
    assert server.wait(execution)["workflow_name"] == "hello"


def test_servers_engines_and_foreground_runs_over_one_storage_run_nothing_twice(project: Project) -> None:
    """Two servers, an engine that is replaced by kill -9 now and then, and foreground runs, all at the same time."""
    project.steps("counted", *(f'echo "$AWF_EXECUTION_ID {number}" >>effects' for number in range(4)))
    first, second = project.serve_all(2)
    foreground = [project.start("run", "counted", "-o", "silent") for _ in range(6)]
    posted = [server.run("counted") for _ in range(20) for server in (first, second)]
    assert [ended(process)[0] for process in foreground] == [0] * 6
    for execution in posted:
        second.wait(execution)
    found = {entry["id"] for entry in first.history("?limit=1000")}
    assert found >= set(posted)
    assert len(found) == 46
    effects = Counter((project.root / "effects").read_text().splitlines())
    assert effects == Counter(f"{execution} {number}" for execution in found for number in range(4))
