"""Which process was started for which attempt: noted by an engine, read by the one after it.

One file per engine, beside its presence file: the boot's id, then a line for each start. A note need only outlive the
process, not the machine, so writing one is a single ``write`` without a sync. It lets a successor find the process group
of a step whose environment was scrubbed. The start time is not read (that would cost more than the note) but noted as
the moments of the kernel's own clock before and after the start.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection
from pathlib import Path

from awf.engine.presence import is_alive
from awf.runners.processes import Leader

SUFFIX = ".steps"
LARGEST = 1024 * 1024
"""Bytes at which the file is written anew, without the attempts that have ended."""

_TICKS = os.sysconf("SC_CLK_TCK")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot() -> str:
    """Which boot of the machine this is."""
    return _BOOT.read_text(encoding="ascii").strip()


def ticks() -> int:
    """Now, as ``/proc/PID/stat`` counts."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) * _TICKS // 1_000_000_000


class Notes:
    """The notes of one engine, and those that engines before it left in the same directory."""

    def __init__(self, directory: Path, engine: str) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = directory / f"{engine}{SUFFIX}"
        self._boot = boot()
        self._running: dict[str, bytes] = {}
        self._size = 0
        self._fd = self._fresh()

    def started(self, attempt: str, pid: int, earliest: int) -> Leader:
        """Note the leader of an attempt: a child of ours, started since ``earliest``. What cannot be written is only
        missed by a successor."""
        leader = Leader(pid, earliest, ticks())
        line = b"%b\t%d\t%d\t%d\n" % (_name(attempt), pid, leader.earliest, leader.latest)
        self._running[attempt] = line
        self._size += len(line)
        with contextlib.suppress(OSError):
            if self._size > LARGEST:
                self._renew()
            else:
                os.write(self._fd, line)
        return leader

    def ended(self, attempt: str) -> None:
        """Nothing is left of it."""
        self._running.pop(attempt, None)

    def leaders(self, attempts: Collection[str]) -> list[Leader]:
        """The leaders of these attempts, whichever engine noted them. Those of another boot are none."""
        names = {_name(attempt) for attempt in attempts}
        found = []
        for path in self._path.parent.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                found += _read(path, self._boot.encode(), names)
        return found

    def sweep(self, owners: Collection[str]) -> None:
        """Remove the notes of dead engines that own nothing any more."""
        for path in self._path.parent.glob(f"*{SUFFIX}"):
            if path != self._path and path.stem not in owners and not is_alive(path.parent, path.stem):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """The engine leaves. Twice is safe."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            if not self._running:
                self._path.unlink(missing_ok=True)

    def _fresh(self) -> int:
        new = self._path.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        text = b"".join([self._boot.encode() + b"\n", *self._running.values()])
        try:
            os.write(fd, text)
            new.rename(self._path)
        except OSError:
            os.close(fd)
            raise
        self._size = len(text)
        return fd

    def _renew(self) -> None:
        before, self._fd = self._fd, self._fresh()
        os.close(before)


def _name(attempt: str) -> bytes:
    """Without tabs and line breaks, which the names of states may have."""
    return attempt.encode("unicode_escape")


def _read(path: Path, this_boot: bytes, names: Collection[bytes]) -> list[Leader]:
    with path.open("rb") as lines:
        if next(lines, b"").strip() != this_boot:
            return []
        # A line that a full disk cut off has too few fields, or runs into the next one and has too many.
        fields = (line[:-1].split(b"\t") for line in lines if line.endswith(b"\n"))
        return [
            Leader(int(found[1]), int(found[2]), int(found[3]))
            for found in fields
            if len(found) == 4 and found[0] in names
        ]
