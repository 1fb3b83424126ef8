"""Finding and ending the processes of a step.

A step's processes are its process group (every step leads its own session) and every process of ours whose environment
carries the attempt's id, also when it left the group. Processes that carry the id lead to their groups, so that a
member with a scrubbed environment is found too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection
from pathlib import Path

ATTEMPT_VARIABLE = "AWF_ATTEMPT_ID"
_PROC = Path("/proc")
_POLL = 0.02
_POLL_MAX = 0.2


def living(attempts: Collection[str], groups: Collection[int] = ()) -> set[int]:
    """Process ids that belong to these attempts or groups and are no zombies. Never our own process."""
    needles = [f"{ATTEMPT_VARIABLE}={attempt}".encode() for attempt in attempts]
    table = {pid: group for pid in _pids() if (group := _group(pid)) is not None}
    found = {pid for pid in table if _carries(pid, needles)} if needles else set()
    own_group = os.getpgrp()
    wanted = ({table[pid] for pid in found} | set(groups)) - {own_group}
    return (found | {pid for pid, group in table.items() if group in wanted}) - {os.getpid()}


async def end(attempts: Collection[str], groups: Collection[int] = (), *, grace: float) -> None:
    """SIGTERM, ``grace`` seconds, SIGKILL; returns when none is left."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace
    left = living(attempts, groups)
    _signal(left, signal.SIGTERM)
    pause = _POLL
    while left:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _POLL_MAX)
        left = living(attempts, groups)
        if loop.time() >= deadline:
            _signal(left, signal.SIGKILL)


def _signal(pids: Collection[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            if number == signal.SIGTERM:
                # A stopped process would not see the SIGTERM before it goes on.
                os.kill(pid, signal.SIGCONT)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]


def _group(pid: int) -> int | None:
    """The process group, or None for a zombie or a process that is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    state, _parent, group = text[text.rindex(b")") + 2 :].split(b" ", 3)[:3]
    return None if state in {b"Z", b"X"} else int(group)


def _carries(pid: int, needles: list[bytes]) -> bool:
    try:
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(needle in variables for needle in needles)
