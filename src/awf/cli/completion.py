"""``awf completion``, and what the shell completes by looking: names of workflows, ids of executions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

RECENT = 50
"""Executions that are offered."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes a shell complete awf's commands, options, workflows and executions.

    \b
    Examples:
      awf completion bash > ~/.local/share/bash-completion/completions/awf
      awf completion zsh > "${fpath[1]}/_awf"
      awf completion fish > ~/.config/fish/completions/awf.fish
    """
    from click.shell_completion import get_completion_class

    from awf.cli.main import awf

    found = get_completion_class(shell)
    assert found is not None
    complete = found(awf, {}, "awf", "_AWF_COMPLETE")
    click.echo(complete.source_template % complete.source_vars())


def workflow_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Workflows that can be named; where what is typed can only be a path, files."""
    from click.shell_completion import CompletionItem

    from awf.catalog import Catalog
    from awf.cli.project import settings_of

    if incomplete[:1] in {".", "/", "~"}:
        return [CompletionItem(incomplete, type="file")]
    try:
        settings = settings_of()
        names = Catalog(settings.root, os.environ, settings.storage).identifiers()
    except Exception:
        # A shell that completes has no place for a fault.
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def execution_ids(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The latest executions of the storage here."""
    import asyncio

    from click.shell_completion import CompletionItem

    from awf.cli.access import Query, open_access

    async def recent() -> list[CompletionItem]:
        async with open_access() as access:
            found = await access.executions(Query(limit=RECENT))
        return [
            CompletionItem(each.execution_id, help=f"{each.workflow_name}, {each.status}")
            for each in found
            if each.execution_id.startswith(incomplete)
        ]

    try:
        return asyncio.run(recent())
    except Exception:
        # As above.
        return []
