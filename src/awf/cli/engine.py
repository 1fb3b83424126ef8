"""The engine process (``awf-engine`` in process lists). ``awf serve`` starts it; nobody needs to.

Signals: SIGUSR1 lets steps in flight finish, then leaves; SIGTERM ends them without judging them and leaves: their
executions go on under the next engine. Both leave detached steps to it; SIGUSR2 is SIGTERM for these too. Signals that the parent ignored get handlers, because a handler is reset to the
default in the processes that steps start, and an ignored signal is not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path

from awf import __version__
from awf.compose import (
    Layout,
    build_engine,
    engine_fingerprint,
    new_member,
    open_store,
    open_wakeups,
    prepare_process,
    spare_the_collector,
)
from awf.engine.clock import SystemClock
from awf.engine.presence import Presence
from awf.errors import AwfError, SystemFault
from awf.settings import Settings, load_settings

log = logging.getLogger("awf.engine")

SETTABLE = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def main() -> None:
    """Run an engine until it is not needed any more."""
    parser = argparse.ArgumentParser(prog="awf-engine")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--storage", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s %(levelname)s awf-engine[{os.getpid()}] %(message)s",
        stream=sys.stderr,
    )
    logging.raiseExceptions = False  # a log on a full disk loses lines, and says nothing of itself
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text("awf-engine")
    for number in SETTABLE:
        signal.signal(number, lambda *_: None)
    prepare_process()
    try:
        settings = load_settings(options.root, os.environ, {"storage": options.storage})
        asyncio.run(_run(settings))
    except AwfError as error:
        sys.stderr.write(f"awf-engine: {error}\n")
        sys.exit(error.exit_status)


async def _run(settings: Settings) -> None:
    store = open_store(settings, create=False)
    engines = Layout(settings.storage).engines
    member = new_member(SystemClock(), engines, engine_fingerprint(settings))
    wakeups = open_wakeups(settings, member, "engine")
    try:
        presence = Presence(engines, member)
    except OSError as error:
        raise SystemFault(
            f"the storage directory {settings.storage} cannot be used: {error.strerror or error}"
        ) from error
    try:
        engine = build_engine(settings, store, wakeups, presence)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, engine.stop)
        loop.add_signal_handler(signal.SIGUSR1, engine.drain)
        loop.add_signal_handler(signal.SIGUSR2, partial(engine.stop, everything=True))
        wakeups.listen(engine.wake)
        wakeups.notify("engine")
        log.info("version %s runs, up to %d executions at once", __version__, settings.slots)
        spare_the_collector()
        await engine.run()
    finally:
        wakeups.close()
        await store.close()
        presence.release()
    log.info("done")


if __name__ == "__main__":
    main()
