"""``awf status``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from awf.cli.candidates import executions
from awf.cli.controls import visible

if TYPE_CHECKING:
    from awf.server.schemas import ExecutionDetail, Step

LINES = 10
"""Lines of a step's output that are shown."""


@click.command()
@click.argument("execution", metavar="EXECUTION", required=False, shell_complete=executions())
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many to list."
)
def command(execution: str | None, limit: int) -> None:
    """Show an execution with its steps; without an id, the latest executions.

    \b
    Examples:
      awf status
      awf status 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
      awf status -q --limit 1        # the id of the latest one
    """
    asyncio.run(_list(limit) if execution is None else _show(execution))


async def _list(limit: int) -> None:
    from awf.cli.access import Query, open_access
    from awf.cli.show import show_rows, when

    async with open_access() as access:
        found = await access.executions(Query(limit=limit))
    rows = [
        (
            each.execution_id,
            each.workflow_name,
            _state(each.status, each.waiting_for),
            each.current_step,
            when(each.started_at),
        )
        for each in found
    ]
    show_rows(
        ("execution", "workflow", "status", "step", "started"), rows, found, empty="nothing has run yet"
    )


async def _show(execution: str) -> None:
    from awf.cli.access import open_access
    from awf.cli.options import again, current
    from awf.cli.show import show_record

    async with open_access() as access:
        found = await access.execution(execution)
    show_record(_pairs(found), found, name=found.status)
    if current().format in {"text", "table"}:
        _steps(found)
        for asked in found.waiting or ():
            choices = f" ({', '.join(asked.choices)})" if asked.choices else ""
            click.echo(visible(f"\n{asked.path} waits for an answer: {asked.prompt}{choices}"))
            click.echo(f"  {again()} respond {execution} {asked.choices[0] if asked.choices else 'ANSWER'}")


def _pairs(found: ExecutionDetail) -> dict[str, str]:
    import json

    from awf.cli.show import how_long, when

    took = ""
    if found.completed_at:
        took = how_long(round((found.completed_at - found.started_at).total_seconds() * 1000))
    return {
        "execution": found.execution_id,
        "workflow": found.workflow_name,
        "status": _state(found.status, found.waiting_for),
        "step": found.current_step,
        "started": when(found.started_at),
        "ended": when(found.completed_at),
        "took": took,
        "exit code": "" if not isinstance(found.exit_code, int) else str(found.exit_code),
        "resumed from": found.resumed_from or "",
        "error": found.error or "",
        "inputs": "\n".join(
            f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for name, value in found.inputs.items()
        ),
        "warnings": "\n".join(found.warnings or ()),
    }


def _steps(found: ExecutionDetail) -> None:
    from awf.cli.options import current
    from awf.cli.show import how_long, one_line, show_rows

    if not found.steps:
        return
    click.echo()
    rows = [
        (str(step.number), step.path, step.status, how_long(step.duration_ms), one_line(_said(step)))
        for step in found.steps
    ]
    show_rows(("n", "step", "status", "took", "result"), rows, found.steps)
    if current().verbose:
        for step in found.steps:
            if step.output:
                click.echo(f"\n{step.path}:")
                for line in step.output.splitlines()[-LINES:]:
                    click.echo(f"  {visible(line)}")


def _said(step: Step) -> str:
    """What there is to say of how a step ended."""
    if step.error:
        return step.error
    return step.note or (step.output.strip().splitlines() or [""])[-1]


def _state(status: str, waiting_for: object) -> str:
    return f"{status} (waits for a {waiting_for})" if waiting_for else status
