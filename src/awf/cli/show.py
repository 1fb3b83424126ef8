"""Results on standard output, in the format that the options ask for; notes and faults on standard error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from awf.cli.controls import visible
from awf.cli.options import current

_STYLES = {
    "completed": "green",
    "success": "green",
    "running": "cyan",
    "pending": "yellow",
    "failed": "red",
    "cancelled": "magenta",
}


def show_rows(
    columns: Sequence[str], rows: Sequence[Sequence[str]], value: Any, *, names: int = 0, empty: str = ""
) -> None:
    """A list: ``rows`` under ``columns`` for people, ``value`` as JSON. The cells of the column ``names`` are what there is
    in quiet. ``empty`` is said where there are none."""
    options = current()
    if options.format == "json":
        show_json(value)
    elif options.quiet:
        for row in rows:
            click.echo(row[names])
    elif not rows:
        note(empty)
    elif options.format == "table":
        _framed(columns, rows)
    else:
        _aligned(columns, rows)


def show_record(pairs: Mapping[str, str], value: Any, *, name: str) -> None:
    """One thing: its ``pairs`` for people, without the empty ones, ``value`` as JSON, ``name`` in quiet."""
    options = current()
    if options.format == "json":
        show_json(value)
    elif options.quiet:
        click.echo(name)
    elif options.format == "table":
        _framed(None, [(key, visible(text)) for key, text in pairs.items() if text])
    else:
        width = max(map(len, pairs), default=0) + 1
        for key, text in pairs.items():
            if text:
                first, *more = visible(text).splitlines() or [""]
                click.echo(f"{f'{key}:'.ljust(width)} {coloured(first)}")
                for line in more:
                    click.echo(f"{' ' * width} {line}")


def show_line(text: str, value: Any, *, name: str = "") -> None:
    """What was done: ``text`` for people, ``value`` as JSON, ``name`` in quiet (empty: nothing)."""
    options = current()
    if options.format == "json":
        show_json(value)
    elif not options.quiet:
        click.echo(text)
    elif name:
        click.echo(name)


def show_json(value: Any) -> None:
    """A value as JSON, as the API has it."""
    import msgspec

    plain = msgspec.to_builtins(value)
    click.echo(json.dumps(plain, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Something for people, beside the result; nothing in quiet or JSON."""
    if text and current().format in {"text", "table"}:
        click.echo(visible(text), err=True)


def coloured(text: str) -> str:
    """A status in its colour; other text as it is."""
    return click.style(text, fg=_STYLES[text]) if text in _STYLES else text


def when(at: datetime | Any) -> str:
    """A time for people, in their own time zone; empty for none."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if isinstance(at, datetime) else ""


def how_long(milliseconds: int | Any) -> str:
    """A duration for people; empty for none."""
    from awf.domain.timestamps import duration_text

    return duration_text(milliseconds / 1000) if isinstance(milliseconds, int) else ""


def one_line(text: str | Any, width: int | None = 60) -> str:
    """The first line of a text, cut where there is a width; empty for none."""
    if not isinstance(text, str):
        return ""
    first = visible(text.strip()).partition("\n")[0]
    return first if width is None or len(first) <= width else first[: width - 1] + "…"


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    header = [column.upper() for column in columns]
    widths = [max(_width(row[place]) for row in (header, *rows)) for place in range(len(columns) - 1)]
    for row in (header, *rows):
        cells = [
            coloured(cell) + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)
        ]
        click.echo("  ".join([*cells, row[-1]]).rstrip())


def _width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _framed(columns: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(columns or ()), show_header=columns is not None)
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console(no_color=not current().color, highlight=False).print(table)
