"""Who is alive: a locked file per process, released by the operating system however the process ends.

A member holds an exclusive flock on ``<directory>/<id>.lock``, which contains what the others want to know of it. A
process that is stopped (SIGSTOP) still holds its lock and so is alive. There are no timeouts.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

DRAINING = ".draining"


class Member(msgspec.Struct, frozen=True):
    """A living process. ``started_at`` orders members (microseconds since the epoch, but never below one that lives);
    the newest is the one with the highest (``started_at``, ``id``). ``fingerprint`` stands for what it was started with.
    ``draining``: it only finishes what it runs. ``foreground``: it runs one execution of its own, for somebody at a
    terminal."""

    id: str
    pid: int
    version: str
    started_at: int
    fingerprint: str = ""
    draining: bool = False
    foreground: bool = False

    @property
    def age_key(self) -> tuple[int, str]:
        """Orders members from oldest to newest."""
        return self.started_at, self.id


class Presence:
    """Our own membership. The lock is taken on a temporary name and then renamed, so that nobody ever sees the file
    unlocked while we live."""

    def __init__(self, directory: Path, member: Member) -> None:
        self.member = member
        self._path = directory / f"{member.id}.lock"
        self._fd: int | None = self._take()

    def _take(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{self.member.id}.new")
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(fd, msgspec.json.encode(self.member))
            fresh.rename(self._path)
        except OSError:
            fresh.unlink(missing_ok=True)
            os.close(fd)
            raise
        return fd

    def keep(self) -> bool:
        """Make the file again where somebody has removed it: without it we count as dead. False where it was there.
        Raises OSError."""
        if self._fd is None:
            return False
        with contextlib.suppress(OSError):
            if os.path.samestat(self._path.stat(), os.fstat(self._fd)):
                return False
        fd, self._fd = self._fd, self._take()
        os.close(fd)
        return True

    def drain(self) -> None:
        """Say that we only finish what we run."""
        # A file beside: the locked one must stay the one that it is.
        self._path.with_suffix(DRAINING).touch(mode=0o600)

    def release(self) -> None:
        """Leave. Twice is safe."""
        if self._fd is not None:
            self._path.with_suffix(DRAINING).unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = None


def is_alive(directory: Path, member: str) -> bool:
    """Does a living process hold this member's lock?"""
    try:
        fd = os.open(directory / f"{member}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look at the same moment do not take each other for the holder.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def living(directory: Path) -> list[Member]:
    """All living members, oldest first."""
    members = []
    with contextlib.suppress(FileNotFoundError):
        for path in directory.glob("*.lock"):
            if is_alive(directory, path.stem):
                with contextlib.suppress(OSError, msgspec.MsgspecError):
                    member = msgspec.json.decode(path.read_bytes(), type=Member)
                    draining = path.with_suffix(DRAINING).exists()
                    members.append(msgspec.structs.replace(member, draining=draining))
    return sorted(members, key=lambda member: member.age_key)


def sweep(directory: Path) -> None:
    """Remove the files of the dead."""
    with contextlib.suppress(FileNotFoundError):
        for path in directory.glob("*.lock"):
            if not is_alive(directory, path.stem):
                path.with_suffix(DRAINING).unlink(missing_ok=True)
                path.unlink(missing_ok=True)


def newest(directory: Path) -> Member | None:
    """The newest living member that takes on work: among engines, the one that claims."""
    return next(
        (member for member in reversed(living(directory)) if not member.draining and not member.foreground),
        None,
    )


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[bool]:
    """Try to hold a lock for the length of a block; yields whether we got it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)
