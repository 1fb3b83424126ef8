"""``awf resume``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from awf.cli.candidates import executions, files, inputs_of_execution, resume_points
from awf.cli.show import show_line
from awf.errors import RequestInvalid

if TYPE_CHECKING:
    from awf.cli.view import Shown


@click.command()
@click.argument(
    "execution", metavar="EXECUTION", required=False, shell_complete=executions("failed", "cancelled")
)
@click.option("-l", "--list", "listing", is_flag=True, help="List the executions that can be resumed.")
@click.option(
    "--from",
    "from_step",
    metavar="STEP",
    shell_complete=resume_points,
    help="Where to go on: current (the step that failed; the default), previous (the one before), a state, or a path such "
    "as loop[3]/step.",
)
@click.option(
    "-i",
    "--input",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=inputs_of_execution,
    help="Replace an input; repeatable.",
)
@click.option(
    "--inputs",
    "source",
    metavar="FILE|-",
    shell_complete=files,
    help="A file with a JSON object of inputs to replace.",
)
@click.option("--latest", is_flag=True, help="With the workflow file as it is now, not as it was then.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["streaming", "buffered", "silent"]),
    help="When steps' output is shown, as of `awf run`.",
)
@click.option("--detach", is_flag=True, help="Leave it to an engine in the background; print its id.")
def command(
    execution: str | None,
    from_step: str | None,
    pairs: tuple[str, ...],
    source: str | None,
    output: Shown | None,
    *,
    listing: bool,
    latest: bool,
    detach: bool,
) -> None:
    """Go on where a failed or cancelled execution ended, as a new execution, here in the foreground.

    Completed steps keep their results and do not run again.

    \b
    Examples:
      awf resume --list
      awf resume 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
      awf resume 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e --from build -i environment=staging
    """
    from awf.cli.given import collect_inputs
    from awf.cli.project import settings_of

    if listing:
        return asyncio.run(_list())
    if execution is None:
        raise RequestInvalid("name the execution to resume; `awf resume --list` shows those that can be")
    overrides = collect_inputs(pairs, source, settings_of().root)
    if detach:
        execution_id = asyncio.run(_detached(execution, from_step, overrides, latest=latest))
        show_line(execution_id, {"execution_id": execution_id}, name=execution_id)
        return None
    sys.exit(asyncio.run(_here(execution, from_step, overrides, output, latest=latest)))


async def _here(
    execution: str, from_step: str | None, overrides: dict[str, Any], output: Shown | None, *, latest: bool
) -> int:
    from awf.cli.breakpoints import Again
    from awf.cli.foreground import Manner, resume_here
    from awf.cli.options import chosen_server
    from awf.cli.project import settings_of
    from awf.compose import has_store, prepare_process
    from awf.errors import NotResumable

    if (server := chosen_server()) is not None:
        from awf.cli.afar import watch_there
        from awf.cli.remote import RemoteAccess

        async with RemoteAccess(server) as access:
            new = await access.resume(execution, from_step=from_step, overrides=overrides, latest=latest)
            return await watch_there(access, new, output)
    settings = settings_of()
    if not has_store(settings):
        raise NotResumable(execution)
    prepare_process()
    wanted = Again(from_step or "current", overrides)
    return await resume_here(settings, execution, wanted, Manner(output), latest=latest)


async def _detached(execution: str, from_step: str | None, overrides: dict[str, Any], *, latest: bool) -> str:
    from awf.cli.access import open_access

    async with open_access() as access:
        return await access.resume(execution, from_step=from_step, overrides=overrides, latest=latest)


async def _list() -> None:
    from awf.cli.access import Query, open_access
    from awf.cli.show import one_line, show_rows, when

    async with open_access() as access:
        found = [
            each
            for status in ("failed", "cancelled")
            for each in await access.executions(Query(status=status))
        ]
    found.sort(key=lambda each: each.started_at, reverse=True)
    rows = [
        (
            each.execution_id,
            each.workflow_name,
            each.status,
            each.current_step,
            when(each.started_at),
            one_line(each.error or ""),
        )
        for each in found
    ]
    columns = ("execution", "workflow", "status", "step", "started", "error")
    show_rows(columns, rows, found, empty="no execution can be resumed: none has failed or was cancelled")
