"""``awf events``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import click

from awf.cli.candidates import executions

if TYPE_CHECKING:
    from awf.cli.access import Event


@click.command()
@click.argument("execution", metavar="EXECUTION", shell_complete=executions())
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, to the end of the execution.")
@click.option(
    "--after", type=click.IntRange(0), default=0, metavar="N", help="Only events above this number."
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["live", "streaming", "buffered", "silent", "raw"]),
    help="With --follow: the live view, plain lines as of `awf run`, or one line per event (default: live on a terminal, "
    "raw elsewhere).",
)
def command(execution: str, after: int, output: str | None, *, follow: bool) -> None:
    """Show what has happened to an execution, event by event; with --follow, watch it.

    With --format json one JSON object per line. (-f alone follows here; `awf -f json events` or --format sets the format.)
    Ctrl-C ends the watching, not the execution.

    \b
    Examples:
      awf events 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
      awf events -f 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
      awf -f json events 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e | jq .event
    """
    from awf.cli.options import current
    from awf.cli.view import can_draw

    raw = current().format != "text" or not follow or output == "raw"
    if output is None and not can_draw():
        raw = True
    asyncio.run(_raw(execution, after, follow=follow) if raw else _watch(execution, after, output))


async def _raw(execution: str, after: int, *, follow: bool) -> None:
    from awf.cli.access import open_access
    from awf.cli.options import current

    options = current()
    async with (
        open_access() as access,
        contextlib.aclosing(access.events(execution, after=after, follow=follow)) as events,
    ):
        async for event in events:
            if options.format == "json":
                click.echo(
                    json.dumps({"event": event.name, "id": event.id, "data": event.data}, ensure_ascii=False)
                )
            elif options.quiet:
                click.echo(event.name)
            else:
                click.echo(_line(event))


async def _watch(execution: str, after: int, output: str | None) -> None:
    from awf.cli.access import open_access
    from awf.cli.live import LiveView
    from awf.cli.view import PlainView, Shown, View
    from awf.cli.watching import watch

    shown: dict[str, Shown] = {"streaming": "streaming", "buffered": "buffered", "silent": "silent"}
    view: View = LiveView(execution) if output in {None, "live"} else PlainView(shown[str(output)], execution)
    async with (
        open_access() as access,
        contextlib.aclosing(access.events(execution, after=after, away=view.say)) as events,
    ):
        await watch(events, view)


def _line(event: Event) -> str:
    """An event on one line: number, name, step, and the rest as JSON."""
    rest = {key: value for key, value in event.data.items() if key not in {"step_name", "path"}}
    said = json.dumps(rest, ensure_ascii=False, separators=(", ", ": "))
    return f"{event.id:>5}  {event.name:<20}  {event.path + '  ' if event.path else ''}{said}"
