"""Which files the connections of a store are open on, and whether these are still the ones that are there.

SQLite goes on writing to files that somebody has removed or replaced: what is acknowledged then vanishes with the
process. So whoever reads or writes looks first, and the writer looks again after it committed. A look is one ``stat`` of
the directory, whose time of change says whether anything was made, removed or renamed in it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from awf.stores.sqlite.connection import DATABASE, LOG, SHARED

Identity: TypeAlias = tuple[int, int] | None

ASIDE = ".aside"
"""The ending of a log whose database has been replaced: it belongs to the one before."""

SETTLED = 1_000_000_000
"""Nanoseconds after which the time of a directory's change will show another one."""


class Seat:
    """One reading thread's connection; the lock is held while it is used."""

    __slots__ = ("connection", "lock")

    def __init__(self) -> None:
        self.connection: sqlite3.Connection | None = None
        self.lock = threading.Lock()

    def close(self) -> None:
        """Close the connection. The lock is held, or nobody uses it any more."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Files:
    """The files of one store, as this process has them open: the database, its log, and the index of the log."""

    def __init__(self, directory: Path) -> None:
        self._paths = tuple(os.fspath(directory / name) for name in (DATABASE, LOG, SHARED))
        self._directory = os.fspath(directory)
        self._noted: tuple[Identity, ...] = ()
        self._unchanged: tuple[int, ...] = ()
        self._seats: list[Seat] = []
        self._lock = threading.Lock()

    def note(self) -> None:
        """The connections are open on what is there now."""
        self._unchanged = ()
        self._noted = self._look()

    def changed(self) -> bool:
        """Whether another file is in the place of one that is open, or none."""
        found = self._look_at_directory()
        if found and found == self._unchanged:
            return False
        if self._look() != self._noted:
            return True
        # A change within the clock tick of the one before leaves the same time: believe only one that is long over.
        settled = found and found[-1] < time.time_ns() - SETTLED
        self._unchanged = found if settled else ()
        return False

    def database_changed(self) -> bool:
        """Whether it is the database that is gone or another."""
        return self._look()[:1] != self._noted[:1]

    def expect_database(self) -> None:
        """Raises OSError where there is no database."""
        os.stat(self._paths[0])  # noqa: PTH116

    def log_removed(self) -> bool:
        """Whether the log or its index has been removed from beside our database, and nobody has begun a new one."""
        found = self._look()
        pairs = zip(found[1:], self._noted[1:], strict=True)
        return found[0] == self._noted[0] and all(now in {None, before} for now, before in pairs)

    def set_aside_old_log(self) -> None:
        """Where the database has been replaced, take the log of the one before out of the new one's way."""
        found = self._look()
        if not self._noted or found[0] == self._noted[0]:
            return
        for path, now, before in zip(self._paths[1:], found[1:], self._noted[1:], strict=True):
            if now is not None and now == before:
                Path(path).replace(path + ASIDE)

    def seat(self) -> Seat:
        """A new one, for a reading thread."""
        with self._lock:
            self._seats.append(seat := Seat())
        return seat

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nobody reads, and with every reading connection closed: as long as one of a process is open, SQLite
        gives the next one the same index of the log, also where that has been removed."""
        with ExitStack() as stack:
            stack.enter_context(self._lock)
            for seat in self._seats:
                stack.enter_context(seat.lock)
                seat.close()
            yield

    def _look_at_directory(self) -> tuple[int, ...]:
        with suppress(OSError):
            found = os.stat(self._directory)  # noqa: PTH116 - this stands before every read
            return found.st_dev, found.st_ino, found.st_mtime_ns
        return ()

    def _look(self) -> tuple[Identity, ...]:
        return tuple(_identity(path) for path in self._paths)


def _identity(path: str) -> Identity:
    with suppress(OSError):
        found = os.stat(path)  # noqa: PTH116
        return found.st_dev, found.st_ino
    return None
