"""``awf transcript``."""

from __future__ import annotations

import asyncio

import click

from awf.cli.candidates import executions, steps_of_execution


@click.command()
@click.argument("execution", metavar="EXECUTION", shell_complete=executions())
@click.option(
    "-s",
    "--step",
    "steps",
    multiple=True,
    metavar="STEP",
    shell_complete=steps_of_execution,
    help="Only of this step; repeatable.",
)
def command(execution: str, steps: tuple[str, ...]) -> None:
    """Show what the agents of an execution were asked and what they, and their tools, said: one JSON object per line.

    \b
    Examples:
      awf transcript 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
      awf transcript 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e --step review | jq 'select(.type == "result").usage'
    """
    asyncio.run(_transcript(execution, frozenset(steps)))


async def _transcript(execution: str, steps: frozenset[str]) -> None:
    import contextlib

    import msgspec

    from awf.cli.access import open_access

    async with (
        open_access() as access,
        contextlib.aclosing(access.transcript(execution)) as entries,
    ):
        async for entry in entries:
            if not steps or steps.intersection((entry.path, entry.step_name)):
                click.echo(msgspec.json.encode(entry))
