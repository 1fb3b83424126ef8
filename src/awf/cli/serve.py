"""``awf serve``: the API process. It starts an engine process and watches over it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import socket

    from awf.journal.store import Store
    from awf.settings import Settings

log = logging.getLogger("awf.serve")

PID_1_PATIENCE = 8.0
"""Seconds that PID 1 gives its engines to leave; a container gets 10 from most runtimes before it is killed."""


@click.command()
@click.option("--host", help="Host to bind on (default: 127.0.0.1).")
@click.option("--port", type=int, help="Port to bind on (default: 2511).")
@click.option("--allow-host", "allow_hosts", multiple=True, help="Answer this Host name too; repeatable.")
@click.option(
    "--allow-origin", "allow_origins", multiple=True, help="Let pages of this origin in; repeatable."
)
def command(
    host: str | None,
    port: int | None,
    allow_hosts: tuple[str, ...],
    allow_origins: tuple[str, ...],
) -> None:
    """Run the HTTP server.

    Executions do not belong to it: they go on when it stops, and a new server shows them as if nothing had happened.

    \b
    Examples:
      awf serve
      awf serve --port 8080
      awf serve --allow-origin http://localhost:3000
    """
    from awf.catalog.configuration import read_configuration
    from awf.cli.project import settings_of
    from awf.compose import open_store, prepare_process
    from awf.server.address import bind
    from awf.server.shutdown import loop_factory

    settings = settings_of(
        host=host,
        port=port,
        allow_hosts=allow_hosts,
        allow_origins=allow_origins,
    )
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    for warning in read_configuration(settings.config, settings.root).warnings:
        log.warning("%s", warning)
    prepare_process()
    bound = bind(settings.host, settings.port)
    store = open_store(settings)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve(settings, bound, store))


async def _serve(settings: Settings, bound: socket.socket, store: Store) -> None:
    from awf import __version__
    from awf.compose import (
        Layout,
        build_service,
        engine_fingerprint,
        new_member,
        open_wakeups,
        spare_the_collector,
        spawn_engine,
    )
    from awf.engine.clock import SystemClock
    from awf.engine.presence import Presence, living
    from awf.engine.supervise import Supervisor
    from awf.server.app import create_app
    from awf.server.settings import ServerSettings
    from awf.server.shutdown import serve

    layout = Layout(settings.storage)
    member = new_member(SystemClock(), layout.servers)
    wakeups = open_wakeups(settings, member, "server")
    presence = Presence(layout.servers, member)
    service = build_service(settings, store, wakeups)
    app = create_app(
        service,
        settings=ServerSettings(
            host=settings.host, allow_hosts=settings.allow_hosts, allow_origins=settings.allow_origins
        ),
    )
    app.feeds.on_watched = lambda watched: wakeups.listen(app.feeds.wake) if watched else wakeups.mute()
    supervisor = Supervisor(
        layout.engines,
        __version__,
        engine_fingerprint(settings),
        lambda: spawn_engine(settings),
        layout.engine_log,
    )
    watching = asyncio.create_task(supervisor.run())

    def drain() -> None:
        supervisor.leave()
        click.echo("awf serve: shutting down", err=True)

    click.echo(
        f"awf serve: listening on {_url(bound)} (documentation at /docs, storage in {settings.storage})"
    )
    sys.stdout.flush()
    spare_the_collector()
    try:
        await serve(app, [bound], on_drain=drain)
        farewell = await _farewell(store)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        presence.release()
        wakeups.notify("engine")
        wakeups.close()
        await store.close()
    if os.getpid() == 1:
        for engine in living(layout.engines):
            if not engine.foreground:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(engine.pid, signal.SIGTERM)
        await supervisor.wait_for_children(PID_1_PATIENCE)
    click.echo(f"awf serve: {farewell}")


async def _farewell(store: Store) -> str:
    """What goes on without this server, and how to stop it."""
    from awf.errors import StoreUnavailable
    from awf.journal.store import ExecutionFilter

    try:
        count = await store.unfinished()
        rows = [
            row
            for status in ("running", "pending")
            for row in await store.executions(ExecutionFilter(status=status))
            if not row.parked
        ]
    except StoreUnavailable as error:
        return f"stopped; {error}"
    waiting = await store.executions(ExecutionFilter(status="running", limit=1))
    if not count and waiting:
        return "stopped; nothing runs on: what is unfinished waits for a person"
    if not count:
        return "stopped; no execution is unfinished"
    names = ", ".join(f"{row.workflow} {row.id} ({row.status})" for row in rows[:5])
    more = f" and {count - 5} more" if count > 5 else ""
    if os.getpid() == 1:
        executions = "executions are" if count > 1 else "execution is"
        return f"stopped; {count} {executions} unfinished: {names}{more}. The next server here goes on"
    verb = "executions go" if count > 1 else "execution goes"
    return f"stopped; {count} {verb} on: {names}{more}. `awf stop` stops the engine that runs them"


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
