"""A fair lock between processes.

Two file locks: whoever wants to write first takes ``turnstile``, then ``write``, then gives the turnstile back. While
one writes, the next stands in the turnstile and is first at ``write`` when it comes free; the one that has just
written has to queue at the turnstile behind it. So nobody gets two turns while another waits. The locks belong to the
open files: the operating system gives them back when the process dies, and an exec'd child never has them.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Turnstile:
    """The lock of one store, for one thread. Enter it for every write transaction and every checkpoint.

    Entering raises OSError where the store has been removed from under us.
    """

    def __init__(self, directory: Path) -> None:
        """Raises OSError where the lock files cannot be opened."""
        self._directory = directory
        self._turnstile, self._write = _open_both(directory)

    def __enter__(self) -> None:
        self._enter()
        while not (os.fstat(self._write).st_nlink and os.fstat(self._turnstile).st_nlink):
            # Whoever comes now would lock other files than these.
            fcntl.flock(self._write, fcntl.LOCK_UN)
            turnstile, write = _open_both(self._directory)
            self.close()
            self._turnstile, self._write = turnstile, write
            self._enter()

    def _enter(self) -> None:
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._write, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    def __exit__(self, *exception: object) -> None:
        fcntl.flock(self._write, fcntl.LOCK_UN)

    def awaited(self) -> bool:
        """Whether somebody stands in the turnstile. For the holder of the lock."""
        try:
            fcntl.flock(self._turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        return False

    def close(self) -> None:
        """Give the files back; the lock must not be held."""
        os.close(self._turnstile)
        os.close(self._write)


def _open_both(directory: Path) -> tuple[int, int]:
    turnstile = _open(directory / "turnstile")
    try:
        return turnstile, _open(directory / "write")
    except OSError:
        os.close(turnstile)
        raise


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
