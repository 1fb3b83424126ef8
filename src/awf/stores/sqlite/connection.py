"""The files of a store and the connections to its database."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Literal, TypeAlias

from awf.errors import RequestInvalid

Durability: TypeAlias = Literal["full", "fast"]

DATABASE = "journal.db"
LOG = "journal.db-wal"
SHARED = "journal.db-shm"

BUSY_SECONDS = 2.0
"""How long a statement waits for a lock of SQLite. Writers wait at the turnstile instead, so only a foreign program
that has the database open makes this wait happen."""

LOG_KEPT = 32 << 20
"""Bytes of the write-ahead log that are kept for reuse after a checkpoint."""


def prepare_directory(directory: Path) -> None:
    """Create the directory and the files in it, for this user only, durably. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    created = _create(directory / DATABASE, b"")
    for path in (directory, directory / DATABASE):
        # SQLite opens a database that it may not write read-only, and says nothing until the first write.
        if not os.access(path, os.W_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, "is not writable", str(path))
    if _create(directory / ".gitignore", b"*\n") or created:
        _sync(directory)
        _sync(directory.parent)


def expect_database(directory: Path) -> None:
    """Raises RequestInvalid where there is no store in the directory: for those who must not make one."""
    if not (directory / DATABASE).is_file():
        raise RequestInvalid(
            f"there is no journal.db in {directory}: name the storage directory with --storage"
        )


def open_writer(directory: Path, durability: Durability) -> sqlite3.Connection:
    """A connection that writes. Raises sqlite3.Error."""
    connection = _open(
        directory,
        BUSY_SECONDS,
        "auto_vacuum = INCREMENTAL",  # of effect where the database is still empty, so before anything else
        "journal_mode = WAL",
        f"synchronous = {'FULL' if durability == 'full' else 'NORMAL'}",
        "wal_autocheckpoint = 0",
        f"journal_size_limit = {LOG_KEPT}",
        "cache_size = -4096",
    )
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        connection.close()
        raise sqlite3.OperationalError(f"its file system cannot share memory (journal mode {mode})")
    return connection


def open_reader(directory: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises sqlite3.Error."""
    return _open(directory, BUSY_SECONDS, "query_only = ON", "cache_size = -2048")


def open_upkeep(directory: Path) -> sqlite3.Connection:
    """A connection for checkpoints, which never waits for readers. Raises sqlite3.Error."""
    return _open(directory, 0, "wal_autocheckpoint = 0")


def _open(directory: Path, busy_seconds: float, *pragmas: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{(directory / DATABASE).absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    try:
        for pragma in ("temp_store = MEMORY", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _create(path: Path, content: bytes) -> bool:
    # Never opens a file that exists: closing it would drop the locks that SQLite holds on it in this process.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
