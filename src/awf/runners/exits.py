"""Waiting for the end of a process, whoever's child it is."""

from __future__ import annotations

import asyncio


async def exit_or(pidfd: int, cancel: asyncio.Event | None, timeout: float | None) -> str | None:
    """Wait for the exit (None), the cancel event (``cancel``) or the timeout (``timeout``), whichever is first."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[str | None] = loop.create_future()
    loop.add_reader(pidfd, _resolve, over, None)
    timer = loop.call_later(timeout, _resolve, over, "timeout") if timeout is not None else None
    cancelled = loop.create_task(_resolve_when(cancel, over)) if cancel is not None else None
    try:
        return await over
    finally:
        loop.remove_reader(pidfd)
        if timer is not None:
            timer.cancel()
        if cancelled is not None:
            cancelled.cancel()


def _resolve(over: asyncio.Future[str | None], how: str | None) -> None:
    if not over.done():
        over.set_result(how)


async def _resolve_when(cancel: asyncio.Event, over: asyncio.Future[str | None]) -> None:
    await cancel.wait()
    _resolve(over, "cancel")
