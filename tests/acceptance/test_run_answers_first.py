"""``POST run`` answers when the execution is durable, before anything of it has started."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from acceptance.facts import Gate
from acceptance.server import Project

BUSY = 100


def test_run_answers_before_the_first_step_starts_while_a_hundred_executions_run(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("busy", gate.wait)
    project.steps("mark", "touch started-$AWF_EXECUTION_ID")
    server = project.serve(env={"AWF_SLOTS": str(BUSY)})
    running = [server.run("busy") for _ in range(BUSY)]
    for execution in running:
        server.wait_event(execution, "step.started", "s1")
    taken, answered = [], {}
    for _ in range(20):
        began = time.monotonic()
        execution = server.run("mark")
        taken.append(time.monotonic() - began)
        answered[execution] = datetime.now(UTC)
        assert server.execution(execution)["status"] == "pending"
        assert not (project.root / f"started-{execution}").exists()
    assert min(taken) < 0.1, taken
    assert max(taken) < 5, taken
    gate.open()
    for execution, moment in answered.items():
        found = server.wait(execution)
        assert datetime.fromisoformat(found["running_since"]) > moment
        assert (project.root / f"started-{execution}").exists()
    for execution in running:
        server.wait(execution)
