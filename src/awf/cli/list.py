"""``awf list``."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """List the workflows that can be run, by name; those of packs as PACK/NAME.

    \b
    Example:
      awf list
    """
    import os

    from awf.catalog import Catalog
    from awf.cli.project import settings_of

    settings = settings_of()
    catalog = Catalog(settings.root, os.environ, settings.storage)
    files = catalog.names()
    for pack in catalog.packs():
        for problem in pack.problems:
            click.echo(f"{problem.position}: {problem.severity}: {problem.message}", err=True)
    if not files:
        click.echo("no workflows found; put one into .awf/workflows/", err=True)
        return
    rows = []
    for file in files:
        workflow = file.loaded.workflow
        if workflow is None:
            first = file.loaded.errors[0] if file.loaded.errors else "cannot be loaded"
            rows.append((file.identifier, "", file.source, f"cannot be loaded: {first}"))
        else:
            rows.append((file.identifier, workflow.version, file.source, workflow.description))
    header = ("NAME", "VERSION", "SOURCE", "DESCRIPTION")
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(3)]
    for row in [header, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]).rstrip())
