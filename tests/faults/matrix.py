"""One death at each kind of place, on real processes: afterwards all is as if nothing had died.

Every case is a workflow of its own, so that its crash point is met by its execution alone. The cases of one matrix
run one after the other over one storage directory.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from acceptance.facts import until
from acceptance.ports import free_port
from acceptance.server import Project, Server
from faults import workflows
from faults.judge import Verdict, effects, judge
from faults.surroundings import Surroundings
from faults.viewer import Viewer

PROGRAM = ("-m", "awf.testing.serve")

KINDS = {
    "everything": workflows.everything,
    "failing": workflows.failing,
    "sleeping": workflows.sleeping,
    "released": workflows.held,
}

APART, AGENT, ASK = 14, 15, 16
"""How many processes and calls have been started with the detached step, the agent and the operation of ``everything``."""

EVERYTHING = (
    f"accept.before accept.after claim.after claim.after#2 add_intent.before add_intent.after start.before start.after#4 finish#5 finish#{AGENT} finish#{ASK} "
    + " ".join(
        f"append.{when}:{fact}"
        for when in ("before", "after")
        for fact in (
            "execution.started",
            "state.entered#2",
            "step.started#3",
            "step.output#2",
            "agent.message#2",
            "input.required",
            "execution.released",
            "input.received",
            "step.completed#4",
            "step.failed",
            "step.retrying",
            "loop.iterated#2",
            "block.ending",
            "hook.started#2",
            "hook.finished#2",
            "workflow.closing",
            "execution.completed",
        )
    )
).split()
"""Points of an execution that completes."""

ADOPTION = ["append.before:step.adopted", "append.after:step.adopted"]
"""Points of the engine that takes over a detached process from one that died."""

RECOVERY = [
    "append.before:execution.recovered",
    "append.after:execution.recovered",
    "leftovers.before",
    "leftovers.after",
]
"""Points of the engine that takes over from one that died after it had started a process."""

FAILING = [
    "append.before:execution.failed",
    "append.after:execution.failed",
    "append.before:step.reused",
    "append.after:step.reused",
]
"""Points of an execution that fails and is resumed."""

SLEEPING = [
    "add_intent.before",
    "add_intent.after",
    *(
        f"append.{when}:{fact}"
        for when in ("before", "after")
        for fact in ("cancel.requested", "step.failed", "execution.cancelled")
    ),
]
"""Points of an execution that is cancelled."""

RELEASED = ["append.before:execution.released", "append.after:execution.released"]
"""Points of an engine that leaves in order."""


@dataclass(frozen=True)
class Case:
    """A crash point (or several) and the kind of execution that meets it."""

    kind: str
    points: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}-{'+'.join(self.points)}"


CASES = [
    *(Case("everything", (point,)) for point in EVERYTHING),
    *(Case("everything", ("start.after#3", point)) for point in RECOVERY),
    *(Case("everything", (f"start.after#{start}", point)) for start in (APART, AGENT) for point in ADOPTION),
    *(Case("failing", (point,)) for point in FAILING),
    *(Case("sleeping", (point,)) for point in SLEEPING),
    *(Case("released", (point,)) for point in RELEASED),
]


class Matrix:
    """Plays cases over one storage directory. ``deaths`` counts those that came; ``strict``: all must."""

    def __init__(self, root: Path, cases: Iterable[Case], *, strict: bool = True) -> None:
        self._strict = strict
        self.project = Project(root, PROGRAM)
        self._surroundings = Surroundings(root)
        self.cases = {f"case{number}": case for number, case in enumerate(cases)}
        self.deaths = 0
        self._usual: dict[str, Verdict] = {}
        points = []
        for name, case in self.cases.items():
            self._write(name, case.kind)
            points += [f"{point}@{name}" for point in case.points]
        self.project.workflow("child", workflows.CHILD)
        self._environ = {
            **self._surroundings.environ(),
            "AWF_TESTING_CRASH": ",".join(points),
            "AWF_GRACE": "1",
            "AWF_DURABILITY": "fast",
        }
        self._port = free_port()
        self.server = self._next()

    def close(self) -> None:
        self.project.close()
        self._surroundings.close()

    def facts(self, kind: str) -> int:
        """How many facts an undisturbed execution has at most; it has no more appends."""
        self._write("counted", kind)
        return self._perform("counted", kind).facts

    def play(self) -> None:
        """All cases. Fails naming those that do not end as they would have."""
        failed = []
        for name, case in self.cases.items():
            try:
                self._case(name, case)
            except AssertionError as error:
                failed.append(f"{case}: {error}")
        assert not failed, "\n".join(failed)

    def _case(self, name: str, case: Case) -> None:
        if case.kind not in self._usual:
            undisturbed = f"undisturbed-{case.kind}"
            self._write(undisturbed, case.kind)
            self._usual[case.kind] = self._perform(undisturbed, case.kind)
        found = self._perform(name, case.kind)
        usual = self._usual[case.kind]
        fired = {path.name for path in (self.project.storage / "crashed").glob("*")}
        for point in case.points:
            marker = point if "#" in point else f"{point}#1"
            came = f"{marker}@{name}" in fired
            assert came or not self._strict, f"{point} was never reached: {sorted(fired)}"
            self.deaths += came
        assert found.result == usual.result, f"{found.result} != {usual.result}"
        assert found.runs - usual.runs <= 2 * len(case.points), (found, usual)

    def _write(self, name: str, kind: str) -> None:
        self.project.workflow(name, self._surroundings.placed(KINDS[kind](name)))

    def _perform(self, name: str, kind: str) -> Verdict:
        execution = self._run(name)
        viewer = Viewer(self.server.url, execution)
        if kind == "sleeping":
            self._event(viewer, "step.started", 4)
            self._ask("DELETE", f"/api/executions/{execution}")
        elif kind == "released":
            self._watch(self.project.sleepers, "the second step sleeps")
            (self.project.root / f"{name}-go").touch()
            for engine in self.project.engines():
                os.kill(engine, signal.SIGTERM)
        verdict = self._judged(execution, viewer)
        if kind == "failing":
            (self.project.root / f"{name}-mended").touch()
            resumed = self._ask("POST", f"/api/executions/{execution}/resume").json()["body"]["execution_id"]
            verdict = self._judged(resumed, Viewer(self.server.url, resumed))
        return verdict

    def _judged(self, execution: str, viewer: Viewer) -> Verdict:
        self._watch(lambda: not viewer.is_alive(), "the execution ends")
        seen = viewer.seen()
        return judge(self.server, execution, effects(self.project.root), seen)

    def _event(self, viewer: Viewer, name: str, count: int) -> None:
        self._watch(
            lambda: sum(event.name == name for event in viewer.events) >= count, f"{count} events {name}"
        )

    def _watch(self, fact, what: str) -> None:
        until(lambda: self._alive() and fact(), what, 60)

    def _alive(self) -> bool:
        """A server that has died has a successor on the same port."""
        if self.server.process.poll() is not None:
            self.server = self._next()
        return True

    def _next(self) -> Server:
        return self.project.serve("--port", self._port, env=self._environ)

    def _run(self, name: str) -> str:
        """Start the workflow. Where the server dies over it, it was accepted or it was not: what the next one shows is
        true."""
        try:
            return self.server.run(name)
        except httpx.TransportError:
            self.server.process.wait(10)
            self._alive()
        listed = self.server.body(f"/api/executions?workflow={name}")["executions"]
        assert len(listed) <= 1, listed
        return listed[0]["execution_id"] if listed else self.server.run(name)

    def _ask(self, method: str, path: str) -> httpx.Response:
        """A request that may be made twice."""
        try:
            response = self.server.client.request(method, path)
        except httpx.TransportError:
            self.server.process.wait(10)
            self._alive()
            response = self.server.client.request(method, path)
        assert response.status_code < 300, response.text
        return response
