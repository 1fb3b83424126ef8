"""Any order of requests, restarts and deaths against a model of what the server then must say.

``AWF_MODEL_EXAMPLES`` sets how many long runs there are, each over a server and a storage of its own.
"""

from __future__ import annotations

import os
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test

from acceptance.facts import until, wait_gone
from acceptance.server import Project
from faults import workflows

EXAMPLES = int(os.environ.get("AWF_MODEL_EXAMPLES", "3"))
STEPS = 40
DEATHS = 3
"""So many engines may die in a row with the same step in flight; then its execution fails."""

ENDS = {"good": "completed", "bad": "failed", "hang": "running"}
STATUSES = ("completed", "failed", "cancelled", "running")


@dataclass
class Modelled:
    """An execution as it must be. ``first_reused``: its first step is taken over from the one that it resumes."""

    id: str
    workflow: str
    status: str
    error: str | None = None
    first_reused: bool = False
    deaths: int = 0

    def steps(self) -> list[tuple[str, str, bool]]:
        """Name, status and whether it was taken over, of each step."""
        second = {"completed": "completed", "running": "running"}.get(self.status, "failed")
        return [("one", "completed", self.first_reused), ("two", second, False)]


class Model(RuleBasedStateMachine):
    executions = Bundle("executions")

    def __init__(self) -> None:
        super().__init__()
        self._place = tempfile.TemporaryDirectory(prefix="awf-model-")
        self.project = Project(Path(self._place.name))
        commands = {"good": "echo two", "bad": 'test "$AWF_INPUT_MENDED" = yes', "hang": "exec sleep 600"}
        for name, command in commands.items():
            states = {
                "initial": "one",
                "one": workflows.step("echo one", "two"),
                "two": workflows.step(command),
                "done": {"type": "terminal"},
            }
            inputs = [
                {"name": "mended", "default": "no"},
                {"name": "number", "type": "integer", "default": 1},
            ]
            self.project.workflow(name, workflows.text(name, states, inputs=inputs))
        self.environ = {"AWF_GRACE": "1", "AWF_SLOTS": "64"}
        self.server = self.project.serve(env=self.environ)
        self.model: list[Modelled] = []

    def teardown(self) -> None:
        try:
            self.settle()
            self.compare_list(None, None, 3)
            for modelled in self.model:
                self.see(modelled)
            assert sorted(set(self.runs().values())) in ([], [1])
        finally:
            self.project.close()
            self._place.cleanup()

    def runs(self) -> dict[str, int]:
        path = self.project.root / "effects"
        lines = path.read_text().split() if path.exists() else []
        return {line: lines.count(line) for line in lines}

    def settle(self) -> None:
        """Until everything that ends has ended, and everything that hangs has its process."""
        for modelled in self.model:
            if modelled.status != "running":
                until(
                    lambda one=modelled: self.server.execution(one.id)["status"] == one.status,
                    f"{modelled} has come to that",
                )
        hanging = [modelled for modelled in self.model if modelled.status == "running"]
        until(
            lambda: (
                len(self.project.sleepers()) == len(hanging)
                # The process may be one that a dead engine left: the next engine's attempt must have begun.
                and all(self.hangs(one) for one in hanging)
            ),
            "what hangs has its process, and nothing else has one",
        )

    def hangs(self, modelled: Modelled) -> bool:
        shown = self.server.execution(modelled.id)
        attempts = [step["attempt"] for step in shown["steps"] if step["name"] == "two"]
        return shown["status"] == "running" and attempts == [modelled.deaths + 1]

    def accepted(self, id: str, workflow: str, status: str, **more: Any) -> Modelled:
        self.model.append(Modelled(id, workflow, status, **more))
        return self.model[-1]

    # What people ask

    @rule(target=executions, name=st.sampled_from(sorted(ENDS)))
    def run(self, name: str) -> Modelled:
        return self.accepted(self.server.run(name), name, ENDS[name])

    @rule(name=st.sampled_from(["none", "..", "good"]))
    def run_what_cannot_be_run(self, name: str) -> None:
        answer = self.server.post(f"/api/workflows/{name}/run", {"inputs": {"number": "many"}})
        assert answer.status_code == (422 if name == "good" else 404), answer.text

    @rule(modelled=executions)
    def cancel(self, modelled: Modelled) -> None:
        self.settle()
        self.server.cancel(modelled.id)
        if modelled.status == "running":
            modelled.status, modelled.error = "cancelled", "cancelled"

    @rule()
    def cancel_what_is_unknown(self) -> None:
        self.server.cancel(str(uuid4()))

    @rule(
        target=executions,
        modelled=executions,
        point=st.sampled_from([None, "current", "previous", "one", "two"]),
        mended=st.booleans(),
    )
    def resume(self, modelled: Modelled, point: str | None, mended: bool) -> Any:
        self.settle()
        body: dict[str, Any] = {"input_overrides": {"mended": "yes"}} if mended else {}
        if point is not None:
            body["from_step"] = point
        answer = self.server.post(f"/api/executions/{modelled.id}/resume", body)
        if modelled.status not in {"failed", "cancelled"}:
            assert answer.status_code == 404, answer.text
            return multiple()
        assert answer.status_code == 200, answer.text
        again = point in {"previous", "one"}
        status = "completed" if modelled.workflow == "bad" and mended else ENDS[modelled.workflow]
        new = answer.json()["body"]["execution_id"]
        return self.accepted(new, modelled.workflow, status, first_reused=not again)

    @rule(modelled=executions, point=st.sampled_from(["three", "one[0]/x", ""]))
    def resume_from_nowhere(self, modelled: Modelled, point: str) -> None:
        self.settle()
        answer = self.server.post(f"/api/executions/{modelled.id}/resume", {"from_step": point})
        assert answer.status_code == (422 if modelled.status in {"failed", "cancelled"} else 404), answer.text

    # What happens to processes

    @rule(how=st.sampled_from([signal.SIGKILL, signal.SIGTERM]))
    def restart_the_server(self, how: signal.Signals) -> None:
        self.server.signal(how)
        self.server.process.wait(40)
        self.server = self.project.serve(env=self.environ)

    @rule(times=st.integers(1, DEATHS))
    def kill_the_engine(self, times: int) -> None:
        for _ in range(times):
            self._kill_the_engine()

    def _kill_the_engine(self) -> None:
        self.settle()
        engine = self.project.engine()
        os.kill(engine, signal.SIGKILL)
        wait_gone(engine)
        for modelled in self.model:
            if modelled.status == "running":
                modelled.deaths += 1
                if modelled.deaths == DEATHS:
                    modelled.status = "failed"
                    modelled.error = f"step 'two' was running when its engine died, {DEATHS} times in a row"

    # What is told

    @rule(modelled=executions)
    def see(self, modelled: Modelled) -> None:
        self.settle()
        shown = self.server.execution(modelled.id)
        assert (shown["workflow_name"], shown["status"]) == (modelled.workflow, modelled.status)
        if modelled.error is not None:
            assert shown["error"] == modelled.error
        found = [(one["name"], one["status"], one.get("reused", False)) for one in shown["steps"]]
        assert found == modelled.steps()
        steps = self.server.body(f"/api/executions/{modelled.id}/steps")["steps"]
        assert steps == shown["steps"]

    @rule(modelled=executions)
    def watch(self, modelled: Modelled) -> None:
        self.settle()
        if modelled.status == "running":
            self.server.wait_event(modelled.id, "step.started", "two")
            return
        events = self.server.events(modelled.id, query="?events=all")
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        half = events[: len(events) // 2]
        assert half + self.server.events(modelled.id, half[-1].id, "?events=all") == events

    @rule(
        workflow=st.sampled_from([None, "good", "bad", "hang", "none"]),
        status=st.sampled_from([None, *STATUSES, "pending"]),
        limit=st.integers(1, 4),
    )
    def compare_list(self, workflow: str | None, status: str | None, limit: int) -> None:
        self.settle()
        wanted = [(one.id, one.workflow, one.status) for one in self.matching(workflow, status)]
        found = self.pages("/api/executions", "executions", workflow, status, limit)
        assert [(one["execution_id"], one["workflow_name"], one["status"]) for one in found] == wanted

    @rule(
        workflow=st.sampled_from([None, "good", "bad", "hang", "none"]),
        status=st.sampled_from([None, *STATUSES[:3]]),
        limit=st.integers(1, 4),
    )
    def compare_history(self, workflow: str | None, status: str | None, limit: int) -> None:
        self.settle()
        ended = [one for one in self.matching(workflow, status) if one.status != "running"]
        found = self.pages("/api/history", "entries", workflow, status, limit)
        assert [one["id"] for one in found] == [one.id for one in ended]
        assert [one["status"] for one in found] == [
            {"completed": "success"}.get(one.status, one.status) for one in ended
        ]

    @rule(workflow=st.sampled_from([None, "good", "bad", "hang", "none"]))
    def compare_statistics(self, workflow: str | None) -> None:
        self.settle()
        query = f"?workflow={workflow}" if workflow else ""
        stats = self.server.body(f"/api/history/stats{query}")
        counts = [len(self.matching(workflow, status)) for status in STATUSES[:3]]
        assert stats["TotalExecutions"] == sum(counts)
        assert [stats["SuccessCount"], stats["FailedCount"], stats["CancelledCount"]] == counts

    def matching(self, workflow: str | None, status: str | None) -> list[Modelled]:
        """Newest first."""
        return [
            one
            for one in self.model[::-1]
            if workflow in {None, one.workflow} and status in {None, one.status}
        ]

    def pages(
        self, path: str, name: str, workflow: str | None, status: str | None, limit: int
    ) -> list[dict[str, Any]]:
        """All pages of a list, by their links."""
        query = {"workflow": workflow, "status": status, "limit": limit}
        response = self.server.get(path, params={key: value for key, value in query.items() if value})
        found = []
        while True:
            assert response.status_code == 200, response.text
            page = response.json()["body"][name]
            assert len(page) <= limit
            found += page
            if "next" not in response.links:
                return found
            response = self.server.get(response.links["next"]["url"])


@pytest.mark.timeout(60 * (1 + EXAMPLES))
def test_the_server_says_what_the_model_says_in_any_order_of_events() -> None:
    run_state_machine_as_test(
        Model,
        _min_steps=STEPS - 1,  # without it, the simplest run is one of few
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
