"""History and statistics."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from awf.domain.outcomes import Usage
from awf.testing.builders import (
    EPOCH,
    FINALS,
    SECOND,
    entries,
    finished,
    running,
    step_completed,
    step_started,
)
from unit.server.bench import Bench, scenario

START = "2026-02-02T02:40:00Z"
"""EPOCH on the wire."""


async def fill(bench: Bench) -> None:
    """Four that ended, ten seconds apart, and one that runs."""
    await finished(bench.store, "completed", "one", seconds=1)
    await finished(bench.store, "failed", "two", seconds=2, now=EPOCH + 10 * SECOND)
    await finished(bench.store, "cancelled", "three", seconds=3, now=EPOCH + 20 * SECOND, workflow="other")
    await finished(bench.store, "completed", "four", seconds=4, now=EPOCH + 30 * SECOND)
    bench.clock.advance(10**9)
    await bench.run()


async def ids(bench: Bench, query: str = "") -> list[str]:
    return [entry["id"] for entry in (await bench.get(f"/api/history{query}")).json()["body"]["entries"]]


@scenario
async def test_the_history_is_what_has_ended_newest_first(bench: Bench) -> None:
    await fill(bench)
    entries = (await bench.get("/api/history")).json()["body"]["entries"]
    assert [entry["id"] for entry in entries] == ["four", "three", "two", "one"]
    assert entries[-1] == {
        "id": "one",
        "workflow_name": "build-app",
        "status": "success",
        "started_at": START,
        "completed_at": "2026-02-02T02:40:01Z",
        "duration_ms": 1000,
        "exit_code": 0,
    }
    assert [entry["status"] for entry in entries] == ["success", "cancelled", "failed", "success"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?workflow=other", ["three"]),
        ("?workflow=nobody", []),
        ("?status=success", ["four", "one"]),
        ("?status=completed", ["four", "one"]),
        ("?status=failed", ["two"]),
        ("?status=cancelled", ["three"]),
        ("?limit=2", ["four", "three"]),
        ("?since=2026-02-02T02:40:10Z", ["four", "three", "two"]),
        ("?since=2026-02-02T02:40:10.000001Z", ["four", "three"]),
        ("?until=2026-02-02T02:40:10Z", ["two", "one"]),
        ("?until=2026-02-02T02:40:09.999999Z", ["one"]),
        (f"?since={quote('2026-02-02T03:40:10+01:00')}&until=2026-02-02t02:40:20z", ["three", "two"]),
        ("?since=2026-02-02T02:40:20Z&until=2026-02-02T02:40:10Z", []),
        ("?status=success&workflow=build-app&limit=1", ["four"]),
    ],
)
@scenario
async def test_filters(bench: Bench, query: str, expected: list[str]) -> None:
    await fill(bench)
    assert await ids(bench, query) == expected


@scenario
async def test_pages_lead_to_the_next(bench: Bench) -> None:
    await fill(bench)
    first = await bench.get("/api/history?limit=3&status=success&since=2026-01-01T00:00:00Z")
    assert "link" not in first.headers
    path, seen = "/api/history?limit=1&status=success&since=2026-01-01T00:00:00Z", []
    while path:
        response = await bench.get(path)
        seen += [entry["id"] for entry in response.json()["body"]["entries"]]
        path = response.headers["link"].partition(">")[0][1:] if "link" in response.headers else ""
    assert seen == ["four", "one"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (4, 2, 1, 1, 2500)),
        ("?workflow=build-app", (3, 2, 1, 0, 2333)),
        ("?status=success", (2, 2, 0, 0, 2500)),
        ("?since=2026-02-02T02:40:30Z", (1, 1, 0, 0, 4000)),
        ("?until=2026-02-02T02:39:59Z", (0, 0, 0, 0, 0)),
    ],
)
@scenario
async def test_statistics_cover_what_matches(bench: Bench, query: str, expected: tuple[int, ...]) -> None:
    await fill(bench)
    body: dict[str, Any] = (await bench.get(f"/api/history/stats{query}")).json()["body"]
    assert list(body) == ["TotalExecutions", "SuccessCount", "FailedCount", "CancelledCount", "AvgDurationMs"]
    assert tuple(body.values()) == expected
    assert all(type(value) is int for value in body.values())


@scenario
async def test_what_agents_cost_is_in_the_record_and_the_statistics(bench: Bench) -> None:
    claim = await running(bench.store, "a1")
    usage = Usage(input=100, output=10, cost=0.5)
    facts = (step_started(kind="agent"), step_completed(usage=usage), FINALS["completed"])
    await bench.store.append(claim.ownership, entries(2, *facts))
    tokens = {"tokens_used": 110, "tokens_input": 100, "tokens_output": 10, "cost_usd": 0.5}
    found = (await bench.get("/api/executions/a1")).json()["body"]
    assert found["usage"] == found["steps"][0]["usage"] == tokens
    assert (await bench.get("/api/history")).json()["body"]["entries"][0]["usage"] == tokens
    body = (await bench.get("/api/history/stats")).json()["body"]
    assert {name: body[name] for name in ("TokensUsed", "TokensInput", "TokensOutput", "CostUsd")} == {
        "TokensUsed": 110,
        "TokensInput": 100,
        "TokensOutput": 10,
        "CostUsd": 0.5,
    }


@pytest.mark.parametrize("path", ["/api/history", "/api/history/stats"])
@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday", "since=2026-02-02", "since=2026-02-02T10:00:00", "since=2026-13-01T00:00:00Z",
        "since=2026-02-30T00:00:00Z", "since=2026-02-02T25:00:00Z", "since=2026-02-02T10:00:00+01:00",
        "since=1770000000", "since=", "until=now", "until=0000-01-01T00:00:00Z", "status=running", "status=pending",
        "status=Success",
    ],
)  # fmt: skip
@scenario
async def test_bad_parameters_are_400_and_named(bench: Bench, path: str, query: str) -> None:
    problem = await bench.problem(400, "GET", f"{path}?{query}")
    assert problem["errors"][0]["location"] == f"query.{query.partition('=')[0]}"


@scenario
async def test_the_limits_of_the_history_are_those_of_the_executions(bench: Bench) -> None:
    await fill(bench)
    assert len(await ids(bench, "?limit=100000")) == 4
    for limit in ("-1", "0", "x"):
        await bench.problem(400, "GET", f"/api/history?limit={limit}")
