"""History and statistics: the same records as the executions, the finished ones only."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from acceptance.facts import Gate
from acceptance.server import Project, Server


class Past:
    """A server, and executions of known ends, oldest first; one more still runs."""

    def __init__(self, project: Project) -> None:
        gate = Gate(project.root / "gate")
        project.steps("good", "true")
        project.steps("bad", "exit 3")
        project.steps("sleeper", "echo ready; sleep 600")
        project.steps("held", gate.wait)
        self.server = project.serve()
        self.good = [self.end("good", "completed") for _ in range(3)]
        self.bad = [self.end("bad", "failed") for _ in range(2)]
        cancelled = self.server.run("sleeper")
        self.server.wait_event(cancelled, "output")
        self.server.cancel(cancelled)
        self.server.wait(cancelled, "cancelled")
        self.cancelled = [cancelled]
        self.running = self.server.run("held")
        self.server.wait_event(self.running, "step.started")
        self.all = [*self.good, *self.bad, *self.cancelled]

    def end(self, name: str, status: str) -> str:
        execution = self.server.run(name)
        self.server.wait(execution, status)
        return execution

    def ids(self, query: str = "") -> list[str]:
        return [entry["id"] for entry in self.server.history(query)]

    def started(self, execution: str) -> str:
        return quote(self.server.execution(execution)["started_at"])


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    project = Project(tmp_path_factory.mktemp("past"))
    try:
        yield Past(project)
    finally:
        project.close()


def test_history_has_what_has_ended_newest_first(past: Past) -> None:
    assert past.ids() == past.all[::-1]
    listed = past.server.body("/api/executions")["executions"]
    assert [item["execution_id"] for item in listed] == [past.running, *past.all[::-1]]
    for entry in past.server.history():
        shown = past.server.execution(entry["id"])
        assert {"id", "workflow_name", "status", "started_at", "completed_at", "duration_ms"} <= entry.keys()
        assert entry["workflow_name"] == shown["workflow_name"]
        assert entry["status"] == {"completed": "success"}.get(shown["status"], shown["status"])
        assert isinstance(entry["duration_ms"], int)


def test_filters(past: Past) -> None:
    assert past.ids("?status=success") == past.ids("?status=completed") == past.good[::-1]
    assert past.ids("?status=failed") == past.bad[::-1]
    assert past.ids("?status=cancelled") == past.cancelled
    assert past.ids("?workflow=bad") == past.bad[::-1]
    assert past.ids("?workflow=bad&status=success") == []
    assert past.ids("?workflow=nonexistent") == []
    assert past.ids("?limit=2") == past.all[::-1][:2]
    assert past.ids("?limit=1000000") == past.all[::-1]


def test_both_ends_of_a_span_are_in_it(past: Past) -> None:
    first, third, last = (past.started(past.all[index]) for index in (0, 2, -1))
    assert past.ids(f"?since={third}") == past.all[2:][::-1]
    assert past.ids(f"?until={third}") == past.all[:3][::-1]
    assert past.ids(f"?since={third}&until={third}") == [past.all[2]]
    assert past.ids(f"?since={first}&until={last}") == past.all[::-1]
    assert past.ids("?since=2100-01-01T00:00:00%2B02:00") == []


def counts(server: Server, query: str = "") -> tuple[int, ...]:
    found = server.body(f"/api/history/stats{query}")
    assert list(found) == [
        "TotalExecutions",
        "SuccessCount",
        "FailedCount",
        "CancelledCount",
        "AvgDurationMs",
    ]
    assert all(isinstance(value, int) for value in found.values())
    return tuple(found.values())


def test_statistics_count_what_matches(past: Past) -> None:
    assert counts(past.server)[:4] == (6, 3, 2, 1)
    assert counts(past.server, "?workflow=good")[:4] == (3, 3, 0, 0)
    assert counts(past.server, "?status=failed")[:4] == (2, 0, 2, 0)
    assert counts(past.server, f"?since={past.started(past.all[-1])}")[:4] == (1, 0, 0, 1)
    assert counts(past.server, "?workflow=nonexistent") == (0, 0, 0, 0, 0)
    durations = [entry["duration_ms"] for entry in past.server.history()]
    assert abs(counts(past.server)[4] - sum(durations) / len(durations)) <= 1


def test_executions_are_filtered_by_status_and_workflow(past: Past) -> None:
    def ids(query: str) -> list[str]:
        return [item["execution_id"] for item in past.server.body(f"/api/executions{query}")["executions"]]

    assert ids("?status=running") == [past.running]
    assert ids("?status=pending") == []
    assert ids("?status=completed") == past.good[::-1]
    assert ids("?workflow=sleeper") == past.cancelled
    assert ids("?limit=1") == [past.running]
