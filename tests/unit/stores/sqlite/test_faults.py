from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from awf.errors import StoreIncompatible, StoreUnavailable
from awf.stores.sqlite.faults import is_fault, unavailable, unopened

DIRECTORY = Path("/project/.awf/storage")


def _sqlite_error(code):
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full"),
        (OSError(errno.EDQUOT, "x"), "the disk is full"),
        (OSError(errno.EROFS, "x"), "is not writable"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (_sqlite_error(sqlite3.SQLITE_FULL), "the disk is full"),
        (_sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), "is not writable"),
        (_sqlite_error(sqlite3.SQLITE_CANTOPEN_ISDIR), "cannot be opened"),
        (_sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), "another program keeps it locked"),
        (_sqlite_error(sqlite3.SQLITE_CORRUPT), "damaged"),
        (_sqlite_error(sqlite3.SQLITE_IOERR_WRITE), "as SQLite says it"),
        (sqlite3.OperationalError("without a code"), "without a code"),
    ],
    ids=repr,
)
def test_a_fault_names_the_directory_and_the_way_out(error, words):
    fault = unavailable(DIRECTORY, error)
    assert isinstance(fault, StoreUnavailable)
    assert fault.message.startswith(f"the storage directory {DIRECTORY} cannot be used: ")
    assert words in fault.message
    assert "\n" not in fault.message
    assert fault.__cause__ is error


def test_what_is_no_database_is_not_merely_unavailable():
    error = _sqlite_error(sqlite3.SQLITE_NOTADB)
    assert isinstance(unopened(DIRECTORY, error), StoreIncompatible)
    assert isinstance(unopened(DIRECTORY, _sqlite_error(sqlite3.SQLITE_BUSY)), StoreUnavailable)


def test_the_machine_is_told_from_the_statement():
    assert is_fault(_sqlite_error(sqlite3.SQLITE_IOERR))
    assert is_fault(sqlite3.DatabaseError("database disk image is malformed"))
    assert is_fault(OSError(errno.EIO, "x"))
    assert not is_fault(sqlite3.IntegrityError("UNIQUE constraint failed"))
    assert not is_fault(sqlite3.DataError("string or blob too big"))
    assert not is_fault(ValueError())
