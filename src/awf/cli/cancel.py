"""``awf cancel``."""

from __future__ import annotations

import asyncio

import click

from awf.cli import candidates


@click.command()
@click.argument(
    "executions",
    metavar="EXECUTION...",
    nargs=-1,
    required=True,
    shell_complete=candidates.executions("running", "pending"),
)
def command(executions: tuple[str, ...]) -> None:
    """Cancel executions: their running steps are ended, and they count as cancelled.

    It returns when the request is durable; `awf status` shows when the execution has ended.

    \b
    Example:
      awf cancel 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
    """
    asyncio.run(_cancel(executions))


async def _cancel(executions: tuple[str, ...]) -> None:
    from awf.cli.access import open_access
    from awf.cli.show import show_rows

    ended = {}
    async with open_access() as access:
        # All are looked up first, so that a wrong id among them cancels nothing.
        for execution in executions:
            ended[execution] = (await access.execution(execution)).status
        for execution in executions:
            await access.cancel(execution)
    rows = [
        (execution, f"has ended before: {status}" if status in _ENDED else "cancel requested")
        for execution, status in ended.items()
    ]
    value = [
        {"execution_id": execution, "requested": status not in _ENDED} for execution, status in ended.items()
    ]
    show_rows(("execution", "result"), rows, value)


_ENDED = {"completed", "failed", "cancelled"}
