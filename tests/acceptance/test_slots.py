"""How many executions run at once, in which order, and under how many servers."""

from __future__ import annotations

import os
import signal
from collections import Counter

from acceptance.facts import Gate, wait_gone
from acceptance.server import Project, Server


def statuses(server: Server) -> list[str]:
    """The status of every execution, oldest first."""
    return [item["status"] for item in reversed(server.body("/api/executions")["executions"])]


def test_never_more_run_than_there_are_slots_and_in_order_of_arrival(project: Project) -> None:
    gates = [Gate(project.root / f"gate{number}") for number in range(6)]
    for number, gate in enumerate(gates):
        project.steps(f"held{number}", f"{gate.wait}; echo {number} >>ended")
    server = project.serve(env={"AWF_SLOTS": "2"})
    executions = [server.run(f"held{number}") for number in range(6)]
    for number, gate in enumerate(gates):
        for running in executions[number : number + 2]:
            server.wait_event(running, "step.started", "s1")
        expected = ["completed"] * number + ["running"] * 2 + ["pending"] * 4
        assert statuses(server) == expected[:6]
        for waiting in executions[number + 2 :]:
            shown = server.execution(waiting)
            assert (shown["current_step"], shown["steps"]) == ("s1", [])
            assert "running_since" not in shown
        gate.open()
        server.wait(executions[number])
    assert (project.root / "ended").read_text().split() == list("012345")


def test_many_short_executions_all_run_once(project: Project) -> None:
    project.steps("short", 'echo "$AWF_EXECUTION_ID" >>ran', "true")
    server = project.serve(env={"AWF_SLOTS": "4"})
    executions = [server.run("short") for _ in range(60)]
    for execution in executions:
        server.wait(execution)
    assert Counter((project.root / "ran").read_text().split()) == Counter(executions)
    assert server.body("/api/history/stats")["SuccessCount"] == 60


def test_two_servers_over_one_storage_run_nothing_twice(project: Project) -> None:
    project.steps("short", 'echo "$AWF_EXECUTION_ID" >>ran')
    servers = [project.serve(), project.serve()]
    executions = [servers[number % 2].run("short") for number in range(20)]
    for number, execution in enumerate(executions):
        servers[(number + 1) % 2].wait(execution)
    assert Counter((project.root / "ran").read_text().split()) == Counter(executions)
    lists = [server.body("/api/executions") for server in servers]
    assert lists[0] == lists[1]
    assert [item["execution_id"] for item in lists[0]["executions"]] == executions[::-1]
    assert len(project.engines()) == 1


def test_the_second_server_carries_on_when_the_first_dies_with_the_engine(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("held", f"echo begun; {gate.wait}; echo ended >>ended")
    first, second = project.serve(), project.serve()
    execution = first.run("held")
    second.wait_event(execution, "output", "s1")
    engine = project.engine()
    first.kill()
    os.kill(engine, signal.SIGKILL)
    wait_gone(engine)
    second.wait_event(execution, "execution.recovered", query="?events=all")
    gate.open()
    second.wait(execution)
    assert second.execution(execution)["steps"][0]["attempt"] == 2


def test_servers_that_start_at_the_same_moment_start_one_engine(project: Project) -> None:
    project.steps("short", 'echo "$AWF_EXECUTION_ID" >>ran')
    servers = project.serve_all(3)
    executions = [server.run("short") for server in servers]
    for execution in executions:
        servers[0].wait(execution)
    assert Counter((project.root / "ran").read_text().split()) == Counter(executions)
    assert len(project.engines()) == 1
