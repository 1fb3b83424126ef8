"""Finding and ending the processes of a step.

A step's processes are, each followed by everything that descends from it by parent links:

- every process whose environment carries the attempt's id, also when it left the process group;
- the leader that was noted when the step started (``awf.runners.notes``), known by process id and start time;
- the process groups of all these (every step leads its own session), so that a member with a scrubbed environment is
  found too;
- what an earlier look found and still lives: when a parent ends, its children lose the link to it.

While a process replaces its program (``exec``) its environment is empty. A look during which that happened may have missed
it, so it is not taken for the last one.

A process is always known by its id *and* its start time, and is signalled through a pidfd that has been checked against
both: an id that the kernel gives to another process is never hit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

ATTEMPT_VARIABLE = "AWF_ATTEMPT_ID"
OF_ATTEMPT = "/"
"""Stands between an attempt's id and the number of a part of it, which belongs to the attempt and can be ended alone."""
_VARIABLE, _PART = f"{ATTEMPT_VARIABLE}=".encode(), OF_ATTEMPT.encode()
_PROC = Path("/proc")
_POLL = 0.02
_POLL_MAX = 0.2
_UNSURE_LOOKS = 10
"""So many looks in a row that found nothing and may have missed something are the end: a program that cannot be read from
its disk must not hold us for ever."""
_DEAD = frozenset({b"Z", b"X"})
_FLAGS, _ENVIRON_END = 6, 48
"""Places of fields of ``/proc/PID/stat``, counted behind the name."""
_KERNEL_THREAD = 0x00200000


class Leader(Struct, frozen=True):
    """The first process of a step: its id, and between which ticks of the clock since the boot it started (both
    included; equal where the start time itself is known)."""

    pid: int
    earliest: int
    latest: int

    def is_at(self, start: int) -> bool:
        """Is a process with this id and this start time the leader?"""
        return self.earliest <= start <= self.latest


class Process(Struct, frozen=True):
    """One line of ``/proc/PID/stat``: ``start`` in ticks since the boot."""

    pid: int
    parent: int
    group: int
    start: int


def process(pid: int) -> Process | None:
    """What lives under this id; None for a zombie and for nothing."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    return parse_stat(text, pid)


def parse_stat(text: bytes, pid: int) -> Process | None:
    """A ``/proc/PID/stat``; None for a zombie. The name in it may hold spaces and brackets. Raises ValueError."""
    state, parent, group, *rest = text[text.rindex(b")") + 2 :].split(b" ", 20)
    return None if state in _DEAD else Process(pid, int(parent), int(group), int(rest[16]))


class Family:
    """The processes of some attempts, over several looks."""

    def __init__(self, attempts: Collection[str], leaders: Iterable[Leader] = ()) -> None:
        self._needles = frozenset(f"{ATTEMPT_VARIABLE}={attempt}".encode() for attempt in attempts)
        self._leaders = tuple(leaders)
        self._seen: dict[int, int] = {}
        self.unsure = False
        """May the last look have missed one?"""

    def living(self) -> list[Process]:
        """Those that live now (zombies do not), parents before their children: a shell must not go on to its next command
        because the one before was ended first. Never our own process or group."""
        table = {pid: found for pid in _pids() if (found := process(pid)) is not None}
        carrying = {pid: _carries(pid, self._needles) for pid in table} if self._needles else {}
        own = os.getpgrp()
        whole = {pid for pid, start in self._seen.items() if pid in table and table[pid].start == start}
        whole |= {led.pid for led in self._leaders if led.pid in table and led.is_at(table[led.pid].start)}
        whole |= {pid for pid, carries in carrying.items() if carries}
        known = 0
        while known < len(whole):
            known = len(whole)
            groups = {table[pid].group for pid in whole} - {own}
            whole |= {pid for pid, found in table.items() if found.group in groups}
            whole = _with_descendants(whole, table)
        self.unsure = any(carries is None and pid not in whole for pid, carries in carrying.items())
        living = [table[pid] for pid in whole if pid != os.getpid() and table[pid].group != own]
        living.sort(key=lambda found: (found.start, found.pid))
        self._seen = {found.pid: found.start for found in living}
        return living


async def end(attempts: Collection[str], leaders: Iterable[Leader] = (), *, grace: float) -> None:
    """SIGTERM, ``grace`` seconds, SIGKILL; returns when none is left."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace
    family = Family(attempts, leaders)
    left = family.living()
    asked = {(found.pid, found.start) for found in left}
    _signal(left, signal.SIGTERM)
    pause = _POLL
    unsure = 0
    while left or (family.unsure and unsure < _UNSURE_LOOKS):
        unsure = 0 if left else unsure + 1
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _POLL_MAX)
        left = family.living()
        if loop.time() >= deadline:
            _signal(left, signal.SIGKILL)
        else:
            late = [found for found in left if (found.pid, found.start) not in asked]
            asked |= {(found.pid, found.start) for found in late}
            _signal(late, signal.SIGTERM)


def kill(attempts: Collection[str]) -> None:
    """SIGKILL to everything that belongs to these attempts now."""
    family = Family(attempts)
    for _ in range(_UNSURE_LOOKS):
        _signal(family.living(), signal.SIGKILL)
        if not family.unsure:
            return


def _with_descendants(roots: Collection[int], table: Mapping[int, Process]) -> set[int]:
    children: dict[int, list[int]] = {}
    for found in table.values():
        children.setdefault(found.parent, []).append(found.pid)
    whole: set[int] = set()
    due = list(roots)
    while due:
        pid = due.pop()
        if pid not in whole:
            whole.add(pid)
            due += children.get(pid, ())
    return whole


def _signal(processes: Iterable[Process], number: signal.Signals) -> None:
    for found in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError), opened(found.pid, found.start) as fd:
            signal.pidfd_send_signal(fd, number)
            if number == signal.SIGTERM:
                # A stopped process would not see the SIGTERM before it goes on.
                signal.pidfd_send_signal(fd, signal.SIGCONT)


@contextlib.contextmanager
def opened(pid: int, start: int) -> Iterator[int]:
    """A pidfd of exactly this process. Raises ProcessLookupError where it is gone, or its id is another's by now."""
    fd = os.pidfd_open(pid)
    try:
        found = process(pid)
        if found is None or found.start != start:
            raise ProcessLookupError(pid)
        yield fd
    finally:
        os.close(fd)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]


def _carries(pid: int, needles: frozenset[bytes]) -> bool | None:
    """None where it cannot be told now: the process is replacing its program."""
    try:
        text = _environ(pid) or (None if _replaces_program(pid) else _environ(pid))
    except OSError:
        return False
    if text is None:
        return None
    names = [each for each in text.split(b"\0") if each.startswith(_VARIABLE)]
    return any(name in needles or name.partition(_PART)[0] in needles for name in names)


def _environ(pid: int) -> bytes:
    return (_PROC / str(pid) / "environ").read_bytes()


def _replaces_program(pid: int) -> bool:
    """Has a process without an environment none yet? Then the kernel does not say where it ends; it does for one that was
    started with an empty environment. Threads of the kernel never have one."""
    text = (_PROC / str(pid) / "stat").read_bytes()
    fields = text[text.rindex(b")") + 2 :].split()
    return fields[_ENVIRON_END] == b"0" and not int(fields[_FLAGS]) & _KERNEL_THREAD
