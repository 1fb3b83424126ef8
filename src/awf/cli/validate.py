"""``awf validate``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from awf.cli import candidates
from awf.errors import RequestInvalid, WorkflowInvalid, WorkflowNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awf.cli.access import Checked


@click.command()
@click.argument(
    "workflows", metavar="[NAME|PACK/NAME|PATH]...", nargs=-1, shell_complete=candidates.workflows
)
@click.option("-a", "--all", "everything", is_flag=True, help="Every workflow; so does naming none.")
def command(workflows: tuple[str, ...], *, everything: bool) -> None:
    """Check workflows and show everything that is wrong with them.

    The exit status is 2 where one has errors; warnings alone are 0.

    \b
    Examples:
      awf validate deploy-app
      awf validate my-pack/deploy-app ./drafts/release.yaml
      awf validate --all -f json
    """
    if everything and workflows:
        raise RequestInvalid("--all and names do not go together")
    sys.exit(WorkflowInvalid.exit_status if asyncio.run(_validate(workflows)) else 0)


async def _validate(names: tuple[str, ...]) -> bool:
    """Show what is wrong; whether there is an error. Names that lead nowhere come last."""
    from awf.cli.access import open_access

    async with open_access() as access:
        wanted = names or tuple(each.name for each in await access.workflows())
        found, missing = [], []
        for name in wanted:
            try:
                found.append(await access.validate(name))
            except WorkflowNotFound as error:
                missing.append(error)
    if found or not missing:
        _show_all(found)
    if missing:
        raise (
            missing[0]
            if len(missing) == 1
            else WorkflowNotFound(missing[0].name, "; ".join(error.message for error in missing))
        )
    return any(each.errors for each in found)


def _show_all(found: Sequence[Checked]) -> None:
    from awf.cli.options import current
    from awf.cli.show import show_json

    if current().format == "json":
        show_json(
            [{"workflow": each.name, "errors": each.errors, "warnings": each.warnings} for each in found]
        )
    elif current().quiet:
        for each in found:
            if each.errors:
                click.echo(each.name)
    else:
        for each in found:
            _show(each)
        if not found:
            click.echo("there are no workflows to check", err=True)


def _show(found: Checked) -> None:
    for line in found.lines:
        click.echo(line)
    errors, warnings = len(found.errors), len(found.warnings)
    if errors:
        click.echo(f"{found.name}: {errors} error{'s' * (errors != 1)}", err=True)
    else:
        more = f", {warnings} warning{'s' * (warnings != 1)}" if warnings else ""
        click.echo(f"{found.name}: valid{more}")
