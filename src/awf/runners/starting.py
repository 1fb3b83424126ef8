"""Starting processes on a machine that may have too little of something just now."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

from awf.domain.outcomes import Failed

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})
"""What the machine has too little of just now; the step waits."""

EXHAUSTED_PAUSE = 0.2
"""Seconds between tries to start a process meanwhile."""

CANNOT_START_EXIT = 126
NOT_FOUND_EXIT = 127

T = TypeVar("T")


async def started(start_it: Callable[[], T], program: str, cancel: asyncio.Event) -> T | Failed:
    """What starts, once the machine has what it takes; a failure where that cannot be."""
    while True:
        try:
            return start_it()
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) in EXHAUSTED and not cancel.is_set():
                await asyncio.sleep(EXHAUSTED_PAUSE)
                continue
            code = NOT_FOUND_EXIT if isinstance(error, FileNotFoundError) else CANNOT_START_EXIT
            return Failed(f"cannot start {program}: {getattr(error, 'strerror', None) or error}", code)
