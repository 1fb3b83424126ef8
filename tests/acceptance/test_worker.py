"""``awf worker``: an engine that stays in the foreground."""

from __future__ import annotations

import signal
from pathlib import Path

from acceptance.facts import Gate, until
from acceptance.server import Project


def test_it_takes_on_what_is_accepted_and_leaves_when_it_is_told(project: Project, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    project.steps("two", f"echo begun >>effects; {gate.wait}; echo one >>effects", "echo two >>effects")
    worker = project.start("worker")
    until(lambda: project.engines() == [worker.pid], "the worker is the engine")
    execution = project.awf("run", "two", "--detach").stdout.strip()
    effects = project.root / "effects"
    until(effects.exists, "the step runs")
    server = project.serve()
    assert server.execution(execution)["status"] == "running"
    assert project.engines() == [worker.pid]
    worker.send_signal(signal.SIGINT)
    until(lambda: project.engines() != [worker.pid], "the server has started a successor")
    gate.open()
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert "awf worker: stopped" in out
    assert "a second Ctrl-C" in err
    server.wait(execution)
    assert effects.read_text().split() == ["begun", "one", "two"]


def test_it_stays_while_there_is_nothing_to_do_and_obeys_stop(project: Project) -> None:
    project.steps("hello", "echo hello")
    worker = project.start("worker")
    until(lambda: project.engines() == [worker.pid], "the worker is the engine")
    for _ in range(2):
        execution = project.awf("run", "hello", "--detach").stdout.strip()
        until(lambda: project.awf("status", "-q", execution).stdout == "completed\n", "it has run")  # noqa: B023
        assert project.engines() == [worker.pid]
    assert project.awf("stop").returncode == 0
    worker.communicate(timeout=30)
    assert worker.returncode == 0
