"""``awf list``."""

from __future__ import annotations

import click


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
        import asyncio

        asyncio.run(_workflows())


async def _workflows() -> None:
    from awf.cli.access import open_access
    from awf.cli.show import show_rows

    async with open_access() as access:
        found = await access.workflows()
    rows = [
        (
            each.name,
            each.version,
            each.source,
            f"cannot be run: {each.error}" if each.error else each.description,
        )
        for each in found
    ]
    show_rows(
        ("name", "version", "source", "description"),
        rows,
        found,
        empty="no workflows found; put one into .awf/workflows/, or make an example with `awf init`",
    )
