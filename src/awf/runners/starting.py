"""Starting processes on a machine that may have too little of something just now."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

from awf.domain.outcomes import Failed

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})
"""What the machine has too little of just now; the step waits."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The same of a disk."""

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


async def made(make: Callable[[], T], cancel: asyncio.Event) -> T:
    """What is made in the storage directory, once there is space for it. Raises OSError where it cannot be made for
    another reason, or nobody wants it any more."""
    while True:
        try:
            return make()
        except OSError as error:
            if error.errno not in EXHAUSTED | FULL or cancel.is_set():
                raise
        await asyncio.sleep(EXHAUSTED_PAUSE)
