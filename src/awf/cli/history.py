"""``awf history``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from awf.cli.candidates import workflow_names

if TYPE_CHECKING:
    from awf.cli.access import Query


@click.command()
@click.option(
    "-w",
    "--workflow",
    metavar="NAME",
    shell_complete=workflow_names,
    help="Only executions of this workflow.",
)
@click.option(
    "-s",
    "--status",
    type=click.Choice(["success", "completed", "failed", "cancelled"]),
    help="Only those that ended so (completed is success).",
)
@click.option(
    "--since",
    metavar="TIME",
    help="Only those that started then or later: 2026-05-17, 2026-05-17T20:39Z, 2h.",
)
@click.option("--until", metavar="TIME", help="Only those that started then or earlier.")
@click.option(
    "-n", "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many to list."
)
@click.option("--stats", is_flag=True, help="Counts and the average duration of all that match, not a list.")
def command(
    workflow: str | None,
    status: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    *,
    stats: bool,
) -> None:
    """List finished executions, the newest first.

    A TIME is a date, a date and time (in your time zone where it names none), or how long ago: 30m, 2h, 7d.

    \b
    Examples:
      awf history
      awf history -w deploy-app -s failed --since 7d
      awf history --stats -f json
    """
    from awf.cli.access import Query
    from awf.cli.times import moment_of

    query = Query(
        workflow=workflow,
        status=status,
        since=moment_of("--since", since),
        until=moment_of("--until", until),
        limit=limit,
    )
    asyncio.run(_statistics(query) if stats else _list(query))


async def _list(query: Query) -> None:
    from awf.cli.access import open_access
    from awf.cli.show import how_long, one_line, show_rows, when

    async with open_access() as access:
        found = await access.history(query)
    rows = [
        (
            each.id,
            each.workflow_name,
            each.status,
            when(each.started_at),
            how_long(each.duration_ms),
            one_line(each.error),
        )
        for each in found
    ]
    columns = ("execution", "workflow", "status", "started", "took", "error")
    show_rows(columns, rows, found, empty="no finished execution matches")


async def _statistics(query: Query) -> None:
    from awf.cli.access import open_access
    from awf.cli.show import how_long, show_record

    async with open_access() as access:
        found = await access.statistics(query)
    pairs = {
        "executions": str(found.total_executions),
        "success": str(found.success_count),
        "failed": str(found.failed_count),
        "cancelled": str(found.cancelled_count),
        "average": how_long(found.avg_duration_ms),
    }
    show_record(pairs, found, name=str(found.total_executions))
