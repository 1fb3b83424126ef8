"""``awf db``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

SHOWN = 50
"""Findings that are shown."""


@click.group()
def command() -> None:
    """Check, copy and compact the database of a storage directory, also while servers and engines run over it.

    \b
    Example:
      awf db check
    """


@command.command()
def check() -> None:
    """Look for damage: in the database, and in what its journals promise. Changes nothing.

    Exit status 0 where everything is as it should be, 4 where something is not.

    \b
    Example:
      awf db check
    """
    from awf.cli.options import current
    from awf.cli.project import settings_of
    from awf.cli.show import show_json
    from awf.compose import check_store

    began = time.monotonic()
    found = check_store(settings_of())
    seconds = time.monotonic() - began
    if current().format == "json":
        show_json(
            {"findings": list(found.findings), "executions": found.executions, "entries": found.entries}
        )
    else:
        for finding in found.findings[:SHOWN]:
            click.echo(finding)
        if len(found.findings) > SHOWN:
            click.echo(f"and {len(found.findings) - SHOWN} more")
        result = f"{len(found.findings)} findings" if found.findings else "ok"
        click.echo(f"{result}: {found.executions} executions, {found.entries} entries, {seconds:.1f} s")
    if found.findings:
        click.echo(
            "awf: the store is damaged: put back a copy (`awf db backup` makes them), or go on with an empty storage "
            "directory (--storage)",
            err=True,
        )
        sys.exit(4)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the database to FILE, as it is at this moment. FILE must not be there yet; it is for you only (mode 0600), for
    it holds secret inputs.

    To put it back: stop everything (`awf stop --now`), remove journal.db-wal and journal.db-shm from the storage
    directory, and copy FILE to journal.db there.

    \b
    Example:
      awf db backup ../awf-$(date +%F).db
    """
    from awf.cli.project import settings_of
    from awf.cli.show import show_line
    from awf.compose import backup_store

    size = backup_store(settings_of(), file)
    show_line(f"{file}: {size:,} bytes", {"file": str(file), "bytes": size}, name=str(file))


@command.command()
def vacuum() -> None:
    """Give the free space of the database back to the disk. What runs goes on.

    A database of an old awf is rewritten once, and what runs waits for that; from then on its space comes back by itself.

    \b
    Example:
      awf db vacuum
    """
    from awf.cli.project import settings_of
    from awf.cli.show import show_line
    from awf.compose import vacuum_store

    before, after = vacuum_store(settings_of())
    back = max(0, before - after)
    text = f"{back:,} bytes given back: {before:,} before, {after:,} after"
    show_line(text, {"before": before, "after": after}, name=str(back))
