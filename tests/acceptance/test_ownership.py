"""Whose an execution is: servers, engines and ``awf run`` beside each other, and one who takes what is not free."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from acceptance.facts import Gate, until
from acceptance.server import Project, Server
from awf.engine.presence import Member, Presence
from awf.journal.store import Claim
from awf.stores.sqlite import SqliteStore


def effects(project: Project) -> Counter[str]:
    """How often each attempt has left a line."""
    return Counter((project.root / "ran").read_text().split())


def test_servers_engines_and_foreground_runs_over_one_storage_run_nothing_twice(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("held", f'echo "$AWF_ATTEMPT_ID" >>ran; echo begun; {gate.wait}', "true")
    project.steps("short", *['echo "$AWF_ATTEMPT_ID" >>ran'] * 3)
    first = project.serve()
    held = first.run("held")
    first.wait_event(held, "output", "s1")
    # Another environment makes a successor; the engine before it finishes what it runs.
    second = project.serve(env={"AWF_SLOTS": "3"})
    assert len(until(lambda: len(found := project.engines()) == 2 and found, "two engines live")) == 2

    foreground = [project.start("run", "short", "-o", "silent") for _ in range(3)]
    executions = [server.run("short") for _ in range(8) for server in (first, second)]
    for execution in executions:
        second.wait(execution)
    for process in foreground:
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0
    gate.open()
    second.wait(held)

    everything = [item["execution_id"] for item in first.body("/api/executions")["executions"]]
    assert len(everything) == 1 + 16 + 3
    expected = {
        f"{execution}.{step}.1" for execution in everything if execution != held for step in (1, 2, 3)
    }
    assert effects(project) == dict.fromkeys(expected | {f"{held}.1.1"}, 1)
    until(lambda: len(project.engines()) == 1, "the older engine has left")


class Thief:
    """Somebody who holds a presence of his own and claims, as where a lease has expired."""

    def __init__(self, project: Project) -> None:
        self._storage = project.storage
        member = Member(id="thief", pid=os.getpid(), version="0", started_at=1, foreground=True)
        self._presence = Presence(self._storage / "engines", member)

    def take(self, execution: str) -> None:
        """Take what an engine owns that lives."""

        async def taken() -> list[Claim]:
            store = SqliteStore.open(self._storage, create=False)
            try:
                return await store.claim("thief", free=await store.owners(), limit=1, only=[execution])
            finally:
                await store.close()

        assert len(asyncio.run(taken())) == 1

    def leave(self) -> None:
        """What is his is free."""
        self._presence.release()


@contextmanager
def stopped(engine: int) -> Iterator[None]:
    """While an engine is stopped and counts as alive."""
    os.kill(engine, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(engine, signal.SIGCONT)


def facts(server: Server, execution: str) -> list[str]:
    """The names of all events."""
    return [event.name for event in server.events(execution, query="?events=all")]


def test_an_engine_whose_execution_was_taken_while_it_slept_writes_nothing_and_ends_its_step(
    project: Project,
) -> None:
    gate = Gate(project.root / "gate")
    project.steps(
        "held", f'echo "$AWF_ATTEMPT_ID" >>ran; echo begun; {gate.wait}; echo "$AWF_ATTEMPT_ID" >>ended'
    )
    server = project.serve()
    execution = server.run("held")
    server.wait_event(execution, "output", "s1")
    engine = project.engine()
    (holder,) = until(project.step_processes, "the step runs")[:1]
    thief = Thief(project)
    with stopped(engine):
        thief.take(execution)
        before = server.execution(execution)["updated_at"]
    assert until(lambda: holder not in project.step_processes(), "its step has been ended")
    assert server.execution(execution)["updated_at"] == before
    until(
        lambda: (
            f"execution {execution} has another owner now" in (project.storage / "engine.log").read_text()
        ),
        "it has noticed",
    )
    assert project.engine() == engine

    thief.leave()
    gate.open()
    server.wait(execution)
    names = facts(server, execution)
    assert names.count("step.started") == 2
    assert names.count("execution.recovered") == 1
    assert effects(project) == {f"{execution}.1.1": 1, f"{execution}.1.2": 1}
    assert (project.root / "ended").read_text().split() == [f"{execution}.1.2"]
