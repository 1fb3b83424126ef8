"""``awf worker``: an engine in the foreground, that stays until it is told to leave."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from awf.engine.engine import Engine
    from awf.settings import Settings

log = logging.getLogger("awf.worker")


@click.command()
def command() -> None:
    """Run an engine here, in the foreground: it takes on what servers and `awf run --detach` accept, until it is stopped.

    `awf serve` starts an engine by itself; a worker is for machines where a service manager is to see both. The newest
    engine of a storage takes on work, so there is one at a time.

    Ctrl-C (or SIGTERM) lets running steps finish, a second one ends them: their executions go on under the next engine.

    \b
    Example:
      awf worker --storage /var/lib/awf
    """
    from awf.cli.project import settings_of
    from awf.compose import prepare_process

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    prepare_process()
    asyncio.run(_work(settings_of()))


async def _work(settings: Settings) -> None:
    from awf import __version__
    from awf.compose import (
        Layout,
        build_engine,
        engine_fingerprint,
        new_member,
        open_store,
        open_wakeups,
        spare_the_collector,
    )
    from awf.engine.clock import SystemClock
    from awf.engine.presence import Presence

    store = open_store(settings)
    engines = Layout(settings.storage).engines
    member = new_member(SystemClock(), engines, engine_fingerprint(settings))
    wakeups = open_wakeups(settings, member, "engine")
    presence = Presence(engines, member)
    try:
        engine = build_engine(settings, store, wakeups, presence, stays=True)
        _obey(engine)
        wakeups.listen(engine.wake)
        wakeups.notify("engine")
        click.echo(
            f"awf worker: version {__version__} works on {settings.storage}, up to {settings.slots} executions at once "
            f"(pid {os.getpid()})"
        )
        sys.stdout.flush()
        spare_the_collector()
        await engine.run()
    finally:
        wakeups.close()
        await store.close()
        presence.release()
    click.echo("awf worker: stopped")


def _obey(engine: Engine) -> None:
    """What signals mean: those of `awf stop` as to any engine, Ctrl-C and SIGTERM first patiently, then at once."""
    loop, asked = asyncio.get_running_loop(), 0

    def leave() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            click.echo("awf worker: lets running steps finish; a second Ctrl-C ends them", err=True)
            engine.drain()
        else:
            engine.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leave)
    loop.add_signal_handler(signal.SIGUSR1, engine.drain)
    loop.add_signal_handler(signal.SIGUSR2, lambda: engine.stop(everything=True))
