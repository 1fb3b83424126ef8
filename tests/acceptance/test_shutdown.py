"""Leaving in order: the server goes, executions go on."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from acceptance.facts import Gate, until, wait_gone
from acceptance.server import Project, Server, wait_exit
from acceptance.sse import outline


def begin(project: Project, *more: str) -> tuple[Server, str, Gate]:
    """A server, and an execution whose first step runs until the gate opens and leaves a line then."""
    gate = Gate(project.root / "gate")
    project.steps(
        "long", f"echo begun >>begun; echo waiting; {gate.wait}; echo ended >>ended; echo end", *more
    )
    server = project.serve()
    execution = server.run("long")
    server.wait_event(execution, "output", "s1")
    return server, execution, gate


def wait_draining(server: Server) -> httpx.Response:
    """Until it refuses new requests."""

    def refused() -> httpx.Response | None:
        response = server.get("/api/workflows")
        return response if response.status_code != 200 else None

    return until(refused, "the server refuses new requests")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_viewers_get_the_rest_while_new_requests_get_503(project: Project, number: signal.Signals) -> None:
    server, execution, gate = begin(project, "echo and on")
    with ThreadPoolExecutor() as pool, server.stream(execution) as first, server.stream(execution) as second:
        assert next(first) == next(second)
        server.signal(number)
        response = wait_draining(server)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        assert (problem["status"], problem["title"]) == (503, "Service Unavailable")
        assert server.post("/api/workflows/long/run").status_code == 503
        assert server.get("/nothing/here").status_code == 503
        assert server.process.poll() is None
        gate.open()
        rest = [pool.submit(list, events) for events in (first, second)]
        for events in rest:
            assert outline(events.result(timeout=30)) == [
                "step.completed s1",
                "step.started s2",
                "step.completed s2",
                "workflow.completed",
            ]
    assert wait_exit(server.process) == 0
    assert project.serve().execution(execution)["status"] == "completed"
    assert (project.root / "ended").read_text() == "ended\n"


def test_the_step_goes_on_without_the_server_and_a_new_one_shows_its_end(project: Project) -> None:
    server, execution, gate = begin(project)
    engine = project.engine()
    server.signal(signal.SIGTERM)
    assert wait_exit(server.process) == 0
    last = server.said().splitlines()[-1]
    assert execution in last
    assert "awf stop" in last
    assert project.engines() == [engine]
    gate.open()
    wait_gone(engine)
    assert (project.root / "ended").read_text() == "ended\n"
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)
    new = project.serve()
    assert new.execution(execution)["status"] == "completed"
    assert outline(new.events(execution)) == ["step.started s1", "step.completed s1", "workflow.completed"]
    assert (project.root / "begun").read_text() == "begun\n"


def test_an_idle_server_leaves_at_once_and_its_engine_follows(project: Project) -> None:
    server = project.serve()
    engine = project.engine()
    server.signal(signal.SIGTERM)
    assert wait_exit(server.process) == 0
    wait_gone(engine)
    assert project.processes() == []
    assert "no execution" in server.said().splitlines()[-1]


def test_a_second_signal_leaves_at_once(project: Project) -> None:
    server, execution, gate = begin(project)
    with server.stream(execution) as viewer:
        next(viewer)
        server.signal(signal.SIGTERM)
        wait_draining(server)
        assert server.process.poll() is None
        server.signal(signal.SIGTERM)
        wait_exit(server.process, limit=10)
    gate.open()
    assert project.serve().wait(execution)


def test_ctrl_c_reaches_neither_the_engine_nor_the_steps(project: Project) -> None:
    server, execution, gate = begin(project)
    engine = project.engine()
    assert os.getsid(engine) == engine
    os.killpg(server.process.pid, signal.SIGINT)
    assert wait_exit(server.process) == 0
    assert project.engines() == [engine]
    assert project.step_processes()
    gate.open()
    new = project.serve()
    assert new.wait(execution)
    assert (project.root / "begun").read_text() == "begun\n"


def test_steps_start_with_the_default_dispositions_of_signals(project: Project) -> None:
    project.steps("signals", "grep -E '^Sig(Ign|Blk)' /proc/self/status")
    ignoring = ("env", "--ignore-signal=INT,QUIT,HUP,TSTP")
    server = project.serve(prefix=ignoring)
    execution = server.run("signals")
    (step,) = server.wait(execution)["steps"]
    of_the_c_library = 0b11 << 31  # signals 32 and 33, which it blocks for moments of its own
    masks = [int(line.split()[1], 16) & ~of_the_c_library for line in step["output"].splitlines()]
    assert masks == [0, 0]


def test_stop_lets_the_step_finish_and_the_rest_goes_on_at_the_next_start(project: Project) -> None:
    server, execution, gate = begin(project, "echo two >>ended")
    engine = project.engine()
    with ThreadPoolExecutor() as pool:
        stopping = pool.submit(project.awf, "stop")
        assert wait_exit(server.process) == 0
        assert not stopping.done()
        assert project.engines() == [engine]
        gate.open()
        stopped = stopping.result(timeout=30)
    assert stopped.returncode == 0, stopped.stderr
    assert f"pid {engine}" in stopped.stdout
    assert project.processes() == []
    assert (project.root / "ended").read_text() == "ended\n"
    new = project.serve()
    new.wait(execution)
    assert (project.root / "begun").read_text() == "begun\n"
    assert (project.root / "ended").read_text() == "ended\ntwo\n"
    (recovered,) = (
        event for event in new.events(execution, query="?events=all") if event.name == "execution.recovered"
    )
    assert recovered.data["orderly"] is True


def test_stop_now_ends_the_step_and_it_runs_again_at_the_next_start(project: Project) -> None:
    server, execution, gate = begin(project)
    engine = project.engine()
    stopped = project.awf("stop", "--now")
    assert stopped.returncode == 0, stopped.stderr
    assert server.process.wait() is not None
    wait_gone(engine)
    assert project.processes() == []
    gate.open()
    new = project.serve()
    new.wait(execution)
    assert (project.root / "begun").read_text() == "begun\n" * 2
    assert outline(new.events(execution)) == [
        "step.started s1",
        "step.started s1",
        "step.completed s1",
        "workflow.completed",
    ]


def test_stop_says_when_nothing_runs(project: Project) -> None:
    stopped = project.awf("stop")
    assert stopped.returncode == 0
    assert "nothing runs" in stopped.stdout
