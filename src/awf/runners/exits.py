"""Waiting for the end of a process, whoever's child it is, or of work in this one."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from awf.engine.cancel import Cancel
from awf.runners.watching import watch

log = logging.getLogger("awf.engine")

LONGEST_END = 30.0
"""Seconds; longer than the grace of any program that has to be ended first."""


async def exit_or(pidfd: int, cancel: Cancel | None, timeout: float | None) -> str | None:
    """Wait for the exit (None), the cancel event (``cancel``) or the timeout (``timeout``), whichever is first."""
    loop, watching = asyncio.get_running_loop(), watch()
    over: asyncio.Future[str | None] = loop.create_future()
    cancelled = partial(_resolve, over, "cancel")
    watching.add(pidfd, partial(_resolve, over, None))
    timer = loop.call_later(timeout, _resolve, over, "timeout") if timeout is not None else None
    if cancel is not None:
        cancel.then(cancelled)
    try:
        return await over
    finally:
        watching.remove(pidfd)
        if timer is not None:
            timer.cancel()
        if cancel is not None:
            cancel.forget(cancelled)


def _resolve(over: asyncio.Future[str | None], how: str | None) -> None:
    if not over.done():
        over.set_result(how)


async def done_or(working: asyncio.Future[Any], cancel: asyncio.Event, timeout: float | None) -> str | None:
    """Wait for the end of a task; ``cancel`` or ``timeout`` where that came first. Nothing of it is left then, unless it
    does not end within ``LONGEST_END`` seconds of being cancelled, against what it has promised."""
    asked = asyncio.ensure_future(cancel.wait())
    try:
        done, _ = await asyncio.wait({working, asked}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            return None
        working.cancel()
        _, left = await asyncio.wait({working}, timeout=LONGEST_END)
        if left:
            log.error("work that was told to end does not; it is left to itself: %s", working)
        return "cancel" if asked in done else "timeout"
    finally:
        asked.cancel()
        working.cancel()
