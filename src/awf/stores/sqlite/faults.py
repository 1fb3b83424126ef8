"""Faults of the machine in the words of a user: what is wrong with which directory, and the way out."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from awf.errors import ReplayDiverged, StoreIncompatible, StoreUnavailable

ELSEWHERE = "or choose another directory with --storage"

_FULL = f"the disk is full: free some space {ELSEWHERE}"
_DENIED = f"it is not writable: check its permissions and the file system {ELSEWHERE}"
_NOT_A_DIRECTORY = f"a file is in the way: remove it {ELSEWHERE}"
_CHECK = f"`awf db check` says where: put back a copy {ELSEWHERE}"
_DAMAGED = f"its journal is damaged; {_CHECK}"
_LOCKED = "another program keeps it locked: end that program and try again"

_BY_ERRNO = {
    errno.ENOENT: "its journal.db has been removed while it was in use: put it back, or a copy of it; or stop everything "
    "(awf stop --now) and start again with an empty one",
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.ENOTDIR: _NOT_A_DIRECTORY,
    errno.EEXIST: _NOT_A_DIRECTORY,
    errno.EISDIR: "a directory is in the place of one of its files: remove it",
}
_BY_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_CANTOPEN: f"its journal cannot be opened: check its permissions {ELSEWHERE}",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}

_PRIMARY = 0xFF
"""Extended result codes of SQLite have the primary one in their lowest byte."""


def is_fault(error: BaseException) -> bool:
    """Whether the machine is at fault, so that the transaction is lost, and not the one statement that failed."""
    return isinstance(error, (OSError, sqlite3.OperationalError)) or type(error) is sqlite3.DatabaseError


def unopened(directory: Path, error: Exception) -> StoreUnavailable | StoreIncompatible:
    """The one clear sentence for a store that cannot be opened."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
        return incompatible(directory, "its journal.db is not a database: move it away")
    return unavailable(directory, error)


def unavailable(directory: Path, error: Exception) -> StoreUnavailable:
    """The one clear sentence for a fault."""
    if isinstance(error, OSError):
        reason = _BY_ERRNO.get(error.errno or 0)
    else:
        reason = _BY_SQLITE_CODE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY)
    # The reasons that are known say what to try.
    fault = StoreUnavailable(
        f"the storage directory {directory} cannot be used: {reason or error}", remedy="" if reason else None
    )
    fault.__cause__ = error
    return fault


def unreadable(directory: Path, error: ReplayDiverged) -> ReplayDiverged:
    """The sentence for an entry that SQLite has read and that makes no sense."""
    return ReplayDiverged(
        f"a journal in the storage directory {directory} is damaged: {error.message}; {_CHECK}"
    )


def incompatible(directory: Path, reason: str) -> StoreIncompatible:
    """The error for a directory that holds something else, or what a newer awf wrote."""
    return StoreIncompatible(f"the storage directory {directory} cannot be used: {reason} {ELSEWHERE}")


def closed(directory: Path) -> StoreUnavailable:
    """The error of every verb of a store that has been closed."""
    return StoreUnavailable(f"the store in {directory} is closed")
