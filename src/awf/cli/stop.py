"""``awf stop``."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from typing import TYPE_CHECKING

import click

from awf.cli.options import current

if TYPE_CHECKING:
    from awf.engine.presence import Member


@click.command()
@click.option(
    "--now",
    is_flag=True,
    help="End running steps too; they run again at the next start, or what their on_crash says.",
)
def command(*, now: bool) -> None:
    """Stop the servers and engines of a storage directory.

    Steps that run are let finish (or ended, with --now); detached ones go on by themselves (without --now). No execution is lost or cancelled: what is unfinished goes on
    at the next `awf serve`. To end an execution for good, cancel it.

    \b
    Examples:
      awf stop
      awf stop --now
    """
    from awf.cli.project import settings_of
    from awf.cli.show import show_json
    from awf.compose import Layout
    from awf.engine.presence import living

    settings = settings_of()
    layout = Layout(settings.storage)
    servers = living(layout.servers)
    for member in servers:
        _say(f"stopping server (pid {member.pid})")
        _signal(member, signal.SIGTERM)
        if now:
            # Another signal than the first: two of the same kind at once are one to the kernel.
            _signal(member, signal.SIGINT)
    _wait(servers)
    engines = [member for member in living(layout.engines) if not member.foreground]
    for member in engines:
        _say(f"stopping engine (pid {member.pid})" + ("" if now else ", waiting for the steps it runs"))
        _signal(member, signal.SIGUSR2 if now else signal.SIGUSR1)
    _wait(engines)
    if not servers and not engines:
        _say(f"nothing runs over {settings.storage}")
    if current().format == "json":
        pids = {"servers": [member.pid for member in servers], "engines": [member.pid for member in engines]}
        show_json(pids)


def _say(text: str) -> None:
    if current().format in {"text", "table"}:
        click.echo(text)


def _signal(member: Member, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(member.pid, number)


def _wait(members: list[Member]) -> None:
    """Until every one of these processes has ended."""
    for member in members:
        with contextlib.suppress(ProcessLookupError):
            pidfd = os.pidfd_open(member.pid)
            try:
                poll = select.poll()
                poll.register(pidfd, select.POLLIN)
                poll.poll()
            finally:
                os.close(pidfd)
