"""Care of a store that others may be using: a copy of it, and its free space."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from awf.errors import RequestInvalid
from awf.stores.sqlite.connection import DATABASE, expect_database, open_reader, open_writer
from awf.stores.sqlite.faults import unavailable, unopened
from awf.stores.sqlite.pruning import shrink
from awf.stores.sqlite.turnstile import Turnstile

PART = ".part"
"""The ending of a copy that is not whole yet."""

PAGES = 256
"""Pages that are given back in one transaction."""

TRIES = 20
"""How often the end of the file is tried to be cut off, where readers are in the way."""


def backup(directory: Path, target: Path) -> int:
    """Copy the database as it is at one moment, while others go on with it; the bytes of the copy.

    The copy is a database of its own, for its user only, durable, and never over another file. It has its name when it
    is whole: until then it is ``NAME.part``, which a death leaves behind and the next copy replaces. It takes no lock
    that writers want. Raises RequestInvalid where the target is there or cannot be made, StoreUnavailable otherwise.
    """
    expect_database(directory)
    if os.path.lexists(target):
        raise _there(target)
    part = target.with_name(target.name + PART)
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RequestInvalid(f"{target} cannot be made: {error.strerror}", remedy="another file") from error
    try:
        with closing(open_reader(directory)) as db, closing(sqlite3.connect(part)) as copy:
            # What a death leaves of it is thrown away, so nothing needs to be taken back.
            copy.execute("PRAGMA journal_mode = OFF").fetchone()
            db.backup(copy)
            # A copy that is opened must not leave a log beside it.
            copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        os.fsync(descriptor)
        _name(part, target)
        _sync(target.absolute().parent)
        return os.fstat(descriptor).st_size
    except FileExistsError:
        raise _there(target) from None
    except (OSError, sqlite3.Error) as error:
        raise unavailable(directory, error) from error
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)


def _name(part: Path, target: Path) -> None:
    """Give a copy its name, never that of another file. Raises OSError."""
    try:
        os.link(part, target)
    except OSError as error:
        # Some file systems have no links.
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP}:
            raise
        part.rename(target)


def _there(target: Path) -> RequestInvalid:
    return RequestInvalid(f"{target} is there already: name a file that is not")


def vacuum(directory: Path) -> tuple[int, int]:
    """Give all free space of the database back; its bytes before and after.

    In small steps between the transactions of others. Only a database that cannot do that yet (an old one) is rewritten
    once, in one piece, while writers wait; from then on it can. Raises StoreUnavailable, StoreIncompatible.
    """
    expect_database(directory)
    path = directory / DATABASE
    try:
        with closing(Turnstile(directory)) as turnstile, closing(open_writer(directory, "full")) as db:
            before = path.stat().st_size
            if not db.execute("PRAGMA auto_vacuum").fetchone()[0]:
                with turnstile:
                    db.execute("VACUUM")
            while _give_back(db, turnstile):
                pass
            for _ in range(TRIES):
                with turnstile:
                    if not db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()["busy"]:
                        break
        return before, path.stat().st_size
    except (OSError, sqlite3.Error) as error:
        raise unopened(directory, error) from error


def _give_back(db: sqlite3.Connection, turnstile: Turnstile) -> bool:
    with turnstile:
        db.execute("BEGIN IMMEDIATE")
        try:
            more = shrink(db, 0, PAGES)
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                db.rollback()
            raise
    return more


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
