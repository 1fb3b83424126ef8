"""``awf list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from awf.cli.listing import Listed


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the workflows that can be run, by name; those of packs as PACK/NAME.

    \b
    Examples:
      awf list
      awf list -f json
    """
    if context.invoked_subcommand is None:
        _workflows()


@command.command()
def prompts() -> None:
    """List the prompt files that @prompts/NAME can mean in an input of `awf run`.

    \b
    Example:
      awf list prompts
    """
    import os

    from awf.catalog.prompts import prompt_files
    from awf.cli.project import settings_of
    from awf.cli.show import show_rows

    found = prompt_files(settings_of().root, os.environ)
    show_rows(
        ("name", "source", "path"),
        [(each.name, each.source, str(each.path)) for each in found],
        [{"name": each.name, "source": each.source, "path": str(each.path)} for each in found],
        empty="no prompts found; put one into .awf/prompts/",
    )


def _workflows() -> None:
    from awf.cli.options import chosen_server
    from awf.cli.show import one_line, show_rows

    if chosen_server() is None:
        from awf.cli.listing import list_workflows
        from awf.cli.project import settings_of

        found = list_workflows(settings_of())
    else:
        import asyncio

        found = asyncio.run(_elsewhere())
    rows = [
        (
            each.name,
            each.version,
            each.source,
            one_line(f"cannot be run: {_first(each.error)}" if each.error else each.description, None),
        )
        for each in found
    ]
    show_rows(
        ("name", "version", "source", "description"),
        rows,
        found,
        empty="no workflows found; put one into .awf/workflows/, or make an example with `awf init`",
    )


def _first(error: str) -> str:
    """The first of what is wrong; `awf validate` tells the rest."""
    first, more, _ = error.partition("; ")
    return f"{first}; …" if more else first


async def _elsewhere() -> list[Listed]:
    from awf.cli.access import open_access

    async with open_access() as access:
        return await access.workflows()
