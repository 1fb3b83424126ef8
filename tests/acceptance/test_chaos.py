"""Many executions, many deaths, many cancels at once: the promises hold for each of them."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from contextlib import suppress

import httpx
import pytest

from acceptance.facts import until
from acceptance.server import Project, Server
from acceptance.sse import outline

STEPS = 6
EXECUTIONS = 24


def written(project: Project) -> Counter[str]:
    """How often each attempt has left its id."""
    path = project.root / "attempts"
    return Counter(path.read_text().split()) if path.exists() else Counter()


def kill_engines(project: Project) -> None:
    for engine in project.engines():
        with suppress(ProcessLookupError):
            os.kill(engine, signal.SIGKILL)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_attempt_runs_at_most_once_and_every_step_completes_once(project: Project, seed: int) -> None:
    chance = random.Random(seed)
    project.steps("work", *(['echo "$AWF_ATTEMPT_ID" >>attempts; sleep 0.0$(($$ % 5))'] * STEPS))
    server = project.serve(env={"AWF_SLOTS": "6"})
    executions = [server.run("work") for _ in range(EXECUTIONS)]
    for death in range(5):
        goal = (death + 1) * EXECUTIONS * STEPS // 7
        until(lambda goal=goal: written(project).total() >= goal, f"{goal} attempts have run")
        if chance.random() < 0.4:
            server.kill()
            kill_engines(project)
            server = project.serve(env={"AWF_SLOTS": "6"})
        else:
            kill_engines(project)
    for execution in executions:
        server.wait(execution)
    runs = written(project)
    assert set(runs.values()) == {1}
    for execution in executions:
        steps = server.execution(execution)["steps"]
        assert [step["name"] for step in steps] == [f"s{number}" for number in range(1, STEPS + 1)]
        for step in steps:
            # Only an attempt whose engine died may have left nothing.
            assert runs[f"{execution}.{step['number']}.{step['attempt']}"] == 1
        completed = [line for line in outline(server.events(execution)) if line.startswith("step.completed")]
        assert completed == [f"step.completed s{number}" for number in range(1, STEPS + 1)]
    assert [entry["id"] for entry in server.history()[::-1] if entry["status"] == "success"] == executions
    assert until(lambda: project.step_processes() == [], "no process of a step lives")


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
