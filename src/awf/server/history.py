"""``/api/history``: finished executions and counts over them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get

from awf.journal.store import ExecutionFilter
from awf.server import queries
from awf.server.answers import problems
from awf.server.injected import TheService
from awf.server.rows import history_entry, statistics_summary
from awf.server.schemas import HistoryBody, HistoryList, StatisticsBody


@get("/", operation_id="listHistory", summary="List historical executions", responses=problems())
async def list_history(
    request: Request[Any, Any, Any],
    service: TheService,
    workflow: queries.WorkflowName = None,
    status: queries.HistoryStatusName = None,
    since: queries.Since = None,
    until: queries.Until = None,
    limit: queries.Limit = None,
    cursor: queries.Cursor = None,
) -> Response[HistoryBody]:
    wanted = queries.limit(limit)
    rows = await service.executions(
        ExecutionFilter(
            workflow=workflow,
            status=queries.history_status(status),
            since=queries.instant("since", since),
            until=queries.instant("until", until),
            history=True,
            before=queries.cursor(cursor),
            limit=wanted + 1,
        )
    )
    headers = queries.next_page(request, rows[wanted - 1].order) if len(rows) > wanted else {}
    entries = [history_entry(row) for row in rows[:wanted]]
    return Response(HistoryBody(HistoryList(entries)), headers=headers)


@get("/stats", operation_id="getStatistics", summary="Get execution statistics", responses=problems())
async def get_statistics(
    service: TheService,
    workflow: queries.WorkflowName = None,
    status: queries.HistoryStatusName = None,
    since: queries.Since = None,
    until: queries.Until = None,
) -> StatisticsBody:
    counts = await service.store.statistics(
        ExecutionFilter(
            workflow=workflow,
            status=queries.history_status(status),
            since=queries.instant("since", since),
            until=queries.instant("until", until),
            history=True,
        )
    )
    return StatisticsBody(statistics_summary(counts))


history = Router("/api/history", route_handlers=[list_history, get_statistics], tags=["history"])
