"""Lists of executions and statistics: every combination of filters, against the plain meaning of the words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from awf.domain.outcomes import Usage
from awf.journal.events import StepRetrying
from awf.journal.store import ExecutionFilter, ExecutionRow, ExecutionStatus, Statistics, Store
from awf.testing.builders import (
    EPOCH,
    FINALS,
    SECOND,
    acceptance,
    entries,
    finished,
    running,
    step_completed,
    step_failed,
    step_started,
)
from awf.testing.contract.topic import OpenStores, Topic

_WORKFLOWS = ("build-app", "rare", "deploy app")
_STATUSES: tuple[ExecutionStatus, ...] = (
    "completed",
    "failed",
    "pending",
    "completed",
    "running",
    "cancelled",
    "completed",
)
_COUNT = 24


async def _fill(store: Store) -> None:
    """Executions of every status, two at a time at the same instant, a minute apart."""
    for number in range(_COUNT):
        now = EPOCH + number // 2 * 60 * SECOND
        workflow = "rare" if number == 11 else _WORKFLOWS[number % 5 % 2 * 2]
        status = _STATUSES[number % len(_STATUSES)]
        if status == "pending":
            await store.accept(acceptance(str(number), now=now, workflow=workflow))
        elif status == "running":
            await running(store, str(number), now=now, workflow=workflow)
        else:
            await finished(store, status, str(number), now=now, seconds=number + 0.25, workflow=workflow)


def _filters() -> Iterator[ExecutionFilter]:
    times = [EPOCH + minutes * 60 * SECOND for minutes in (-1, 0, 4, 11, 12)]
    spans = [(None, None), (times[2], None), (times[2] + 1, None), (None, times[2]), (None, times[2] - 1)]
    spans += [
        (times[1], times[3]),
        (times[2], times[2]),
        (times[3], times[2]),
        (times[4], None),
        (None, times[0]),
    ]
    for workflow, status, span, history in itertools.product(
        (None, *_WORKFLOWS, "unknown"),
        (None, "pending", "running", "completed", "failed", "cancelled"),
        spans,
        (False, True),
    ):
        yield ExecutionFilter(
            workflow=workflow,
            status=status,  # type: ignore[arg-type]
            since=span[0],
            until=span[1],
            history=history,
        )


def _matches(row: ExecutionRow, query: ExecutionFilter) -> bool:
    return (
        (query.workflow is None or row.workflow == query.workflow)
        and (query.status is None or row.status == query.status)
        and (query.since is None or row.started_at >= query.since)
        and (query.until is None or row.started_at <= query.until)
        and (not query.history or row.status in {"completed", "failed", "cancelled"})
    )


async def every_combination_of_filters_lists_what_matches(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _fill(store)
        rows = await other.executions(ExecutionFilter(limit=1000))
        assert [row.id for row in rows] == [str(number) for number in reversed(range(_COUNT))]
        for query in _filters():
            expected = [row for row in rows if _matches(row, query)]
            assert await other.executions(query) == expected, query


async def pages_continue_below_an_order(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _fill(store)
        for query in (
            ExecutionFilter(limit=5),
            ExecutionFilter(limit=1, status="completed"),
            ExecutionFilter(limit=2, workflow="build-app", history=True),
            ExecutionFilter(limit=3, since=EPOCH + 60 * SECOND, until=EPOCH + 600 * SECOND),
        ):
            whole = await other.executions(_with(query, limit=1000))
            assert len(whole) > query.limit
            pages: list[ExecutionRow] = []
            before: int | None = None
            while page := await other.executions(_with(query, limit=query.limit, before=before)):
                assert len(page) <= query.limit
                pages += page
                before = page[-1].order
            assert pages == whole


def _with(query: ExecutionFilter, *, limit: int, before: int | None = None) -> ExecutionFilter:
    return ExecutionFilter(
        workflow=query.workflow,
        status=query.status,
        since=query.since,
        until=query.until,
        history=query.history,
        limit=limit,
        before=before,
    )


async def statistics_count_what_has_finished_and_matches(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        await _fill(store)
        rows = await other.executions(ExecutionFilter(limit=1000, history=True))
        for query in _filters():
            matching = [row for row in rows if _matches(row, query)]
            spent = [row.completed_at - row.started_at for row in matching if row.completed_at is not None]
            expected = Statistics(
                total=len(matching),
                completed=sum(row.status == "completed" for row in matching),
                failed=sum(row.status == "failed" for row in matching),
                cancelled=sum(row.status == "cancelled" for row in matching),
                average_ms=sum(spent) // len(spent) // 1000 if spent else 0,
            )
            assert await other.statistics(query) == expected, query


async def what_agents_cost_is_kept_and_summed_up(open_stores: OpenStores) -> None:
    async with open_stores() as (store, other):
        cost = Usage(input=100, output=10, cached=40, cost=0.5)
        for name, workflow, final in (("a", "review", "completed"), ("b", "review", "failed")):
            claim = await running(store, name, workflow=workflow)
            retried = StepRetrying(
                step=1, state="build", path="build", attempt=1, exit_code=1, error="", delay=0, usage=cost
            )
            facts = (step_started(), retried, step_started(attempt=2), step_completed(usage=cost))
            more = (step_started(2), step_failed(2, usage=Usage(output=1, estimated=True)))
            await store.append(claim.ownership, entries(2, *facts))
            await store.append(claim.ownership, entries(6, *more, FINALS[final]))
        await finished(store, "completed", "c", workflow="build")
        both = cost + cost
        row = await other.execution("a")
        assert row is not None
        assert row.usage == both + Usage(output=1, estimated=True)
        assert [row.usage for row in await other.executions(ExecutionFilter(workflow="build"))] == [None]
        assert [step.usage for step in await other.steps("a")] == [both, Usage(output=1, estimated=True)]

        async def spent(**wanted: Any) -> Usage:
            return (await other.statistics(ExecutionFilter(**wanted))).usage

        assert await spent() == row.usage + row.usage
        assert await spent(workflow="review", status="failed") == row.usage
        assert await spent(workflow="build") == Usage()


async def an_empty_store_lists_nothing(open_stores: OpenStores) -> None:
    async with open_stores() as (store, _):
        assert await store.executions(ExecutionFilter()) == []
        assert await store.executions(ExecutionFilter(since=EPOCH, until=EPOCH, history=True)) == []
        assert await store.statistics(ExecutionFilter(since=EPOCH)) == Statistics()
        assert await store.owners() == set()
        assert await store.unfinished() == 0
        assert await store.intents() == []


TOPICS: tuple[Topic, ...] = (
    every_combination_of_filters_lists_what_matches,
    pages_continue_below_an_order,
    statistics_count_what_has_finished_and_matches,
    what_agents_cost_is_kept_and_summed_up,
    an_empty_store_lists_nothing,
)
