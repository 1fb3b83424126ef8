"""Many executions, many deaths, many cancels at once: the promises hold for each of them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx

from acceptance.facts import until
from acceptance.server import Project, Server
from faults.storm import Storm


def test_random_deaths_lose_nothing_repeat_nothing_and_leave_nothing_stuck(tmp_path: Path) -> None:
    storm = Storm(tmp_path, seed=1)
    try:
        totals = storm.rage(kills=14, executions=10)
    finally:
        storm.close()
    print(totals)
    assert totals.deaths.total() == 14
    assert totals.executions >= 10


def test_a_store_that_fails_now_and_then_costs_time_and_nothing_else(tmp_path: Path) -> None:
    """Also where it fails after it has committed, as one does whose connection is lost."""
    project = Project(tmp_path, ("-m", "awf.testing.serve"))
    try:
        project.steps("work", *(['echo "$AWF_ATTEMPT_ID" >>attempts'] * 3))
        plan = "seed=11 rate=0.15 verbs=append,claim when=either"
        server = project.serve(env={"AWF_TESTING_FAULTS": plan})
        executions = [server.run("work") for _ in range(12)]
        for execution in executions:
            server.wait(execution)
            ids = [event.id for event in server.events(execution, query="?events=all")]
            assert ids == list(range(1, len(ids) + 1))
        ran = sorted((tmp_path / "attempts").read_text().split())
        assert ran == sorted(f"{execution}.{step}.1" for execution in executions for step in (1, 2, 3))
        assert "injected after append" in (project.storage / "engine.log").read_text()
    finally:
        project.close()


def test_a_storm_of_cancels_leaves_every_execution_ended_and_nothing_running(project: Project) -> None:
    project.steps("sleeper", "setsid sleep 600 & sleep 600")
    project.steps("short", "true", "true", "true")
    server = project.serve(env={"AWF_SLOTS": "5", "AWF_GRACE": "1"})
    executions = []
    for number in range(40):
        executions.append(server.run("short" if number % 4 else "sleeper"))
        if number % 3 == 0:
            server.cancel(executions[number // 2])
    for execution in executions:
        server.cancel(execution)
    ends = Counter(final_status(server, execution) for execution in executions)
    assert ends.keys() <= {"cancelled", "completed"}
    assert ends["cancelled"] >= 10
    assert until(lambda: project.step_processes() == [], "no process of a step lives")
    counts = server.body("/api/history/stats")
    assert (counts["TotalExecutions"], counts["CancelledCount"]) == (40, ends["cancelled"])
    assert server.body("/api/executions?status=running")["executions"] == []


def final_status(server: Server, execution: str) -> str:
    """The status at the end, the same in stream, execution and history."""
    final = server.events(execution)[-1]
    assert final.name == ("workflow.completed" if final.data["status"] == "completed" else "workflow.failed")
    shown = server.execution(execution)
    assert shown["status"] == final.data["status"]
    return str(shown["status"])


def test_a_server_that_dies_while_it_accepts_keeps_what_it_has_confirmed(project: Project) -> None:
    project.steps("quick", 'echo "$AWF_EXECUTION_ID" >>ran')
    server = project.serve()
    confirmed = []
    with suppress(httpx.TransportError):
        for number in range(1000):
            if number == 30:
                # It dies while the next requests are on their way.
                os.kill(server.process.pid, signal.SIGKILL)
            confirmed.append(server.run("quick"))
    assert len(confirmed) >= 30
    new = project.serve()
    for execution in confirmed:
        new.wait(execution)
    assert set(confirmed) <= set((project.root / "ran").read_text().split())
