"""Finished executions that are too many go, beside those that run, and are then as if they had never been."""

from __future__ import annotations

from acceptance.facts import Gate, until
from acceptance.server import Project


def test_what_is_more_than_is_to_be_kept_goes_and_a_resumed_one_does_not_need_it(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("short", "echo one >>lines", "test -e allowed")
    project.steps("gated", gate.wait)
    with project.serve() as server:
        failed = [server.run("short") for _ in range(3)]
        for execution in failed:
            server.wait(execution, "failed")
        running = server.run("gated")
        server.wait_event(running, "step.started", "s1")
    assert project.awf("stop", "--now").returncode == 0

    (project.root / "allowed").touch()
    server = project.serve(env={"AWF_RETENTION_RECORDS": "2"})
    until(lambda: len(server.history()) == 2, "the oldest has gone")
    gone = failed[0]
    assert gone not in {entry["id"] for entry in server.history()}
    assert server.body("/api/history/stats")["TotalExecutions"] == 2
    for path in ("", "/steps", "/events"):
        assert server.get(f"/api/executions/{gone}{path}").status_code == 404
    assert server.post(f"/api/executions/{gone}/resume", {}).status_code == 404

    resumed = server.post(f"/api/executions/{failed[1]}/resume", {})
    assert resumed.status_code == 200, resumed.text
    heir = resumed.json()["body"]["execution_id"]
    server.wait(heir)
    assert (project.root / "lines").read_text() == "one\n" * 3
    gate.open()
    server.wait(running)
    server.close()
    assert project.awf("stop").returncode == 0

    # The original goes; what took its results over stays whole.
    server = project.serve(env={"AWF_RETENTION_RECORDS": "1"})
    until(lambda: len(server.history()) == 1, "only the latest is left")
    assert server.get(f"/api/executions/{failed[1]}").status_code == 404
    shown = server.execution(heir)
    assert shown["status"] == "completed"
    assert [step["name"] for step in shown["steps"]] == ["s1", "s2"]
    assert project.awf("db", "check").returncode == 0
