"""``awf run``."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click

from awf.cli.given import collect_inputs

if TYPE_CHECKING:
    from awf.cli.follow import Shown


@click.command()
@click.argument("workflow", metavar="NAME|PACK/NAME|PATH")
@click.option("-i", "--input", "pairs", multiple=True, metavar="KEY=VALUE", help="An input; repeatable.")
@click.option(
    "--inputs", "source", metavar="FILE|-", help="A file with a JSON object of inputs; - reads stdin."
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["streaming", "buffered", "silent"]),
    default="streaming",
    show_default=True,
    help="When steps' output is shown: as it comes, when the step has ended, not at all.",
)
@click.option("--detach", is_flag=True, help="Leave it to an engine in the background; print its id.")
def command(
    workflow: str,
    pairs: tuple[str, ...],
    source: str | None,
    output: Shown,
    *,
    detach: bool,
) -> None:
    """Run a workflow here, in the foreground, and show what it does.

    The execution is recorded like any other: a server over the same storage shows it, streams it and can cancel it. If
    this process dies, an engine takes the execution over. Ctrl-C cancels it; a second one ends its processes at once.

    The exit status is 0, the exit code that the workflow's terminal or inline failure names, 3 for another failure, or
    130 after a cancel; 1, 2 and 4 say why nothing was started.

    \b
    Examples:
      awf run deploy-app -i environment=staging
      awf run ./drafts/release.yaml --inputs inputs.json
      awf run code-review -i file=main.go --output buffered
    """
    from awf.catalog import Catalog
    from awf.cli.foreground import leave_to_engine, run_here
    from awf.cli.project import settings_of, workflow_file
    from awf.compose import prepare_process

    inputs = collect_inputs(pairs, source)
    settings = settings_of()
    file = workflow_file(Catalog(settings.root, os.environ, settings.storage), workflow)
    prepare_process()
    if detach:
        click.echo(asyncio.run(leave_to_engine(settings, file, inputs)))
    else:
        sys.exit(asyncio.run(run_here(settings, file, inputs, output)))
