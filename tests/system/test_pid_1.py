"""A container: the server is process 1, stops what it started, and buries orphans."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from acceptance.facts import Gate, until
from acceptance.server import Project, Server, wait_exit
from acceptance.sse import outline

CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def first_process(server: Server) -> int:
    """Process 1 of the container, by its number outside."""
    shell = server.process.pid
    (child,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    return int(child)


def zombies(parent: int) -> list[str]:
    """Children that have ended and that nobody has buried."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    found = []
    for child in children:
        status = Path(f"/proc/{child}/stat").read_text()
        if status[status.rindex(")") + 2] == "Z":
            found.append(child)
    return found


def test_process_1_stops_its_engine_and_the_execution_goes_on_at_the_next_start(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("gated", f"echo begun >>begun; echo waiting; {gate.wait}", "echo two >>two")
    server = project.serve(prefix=CONTAINER)
    execution = server.run("gated")
    server.wait_event(execution, "output", "s1")
    os.kill(first_process(server), signal.SIGTERM)
    assert wait_exit(server.process) == 0
    assert (
        server.said()
        .rstrip()
        .endswith(f"1 execution is unfinished: gated {execution} (running). The next server here goes on")
    )
    assert until(lambda: project.processes() == [], "nothing of the container lives")
    gate.open()
    new = project.serve(prefix=CONTAINER)
    new.wait(execution)
    assert (project.root / "begun").read_text() == "begun\n" * 2
    assert outline(new.events(execution)) == [
        "step.started s1",
        "step.started s1",
        "step.completed s1",
        "step.started s2",
        "step.completed s2",
        "workflow.completed",
    ]
    (recovered,) = (
        event for event in new.events(execution, query="?events=all") if event.name == "execution.recovered"
    )
    assert recovered.data["orderly"] is True


def test_process_1_buries_the_orphans_of_steps(project: Project) -> None:
    project.steps("orphans", "for i in 1 2 3 4 5; do (setsid sleep 0.1 &); done", "sleep 0.3")
    server = project.serve(prefix=CONTAINER)
    server.wait(server.run("orphans"))
    first = first_process(server)
    assert until(lambda: not zombies(first), "process 1 has buried the orphans")
    assert server.wait(server.run("orphans"))
