"""The writer's connection, on the files that are there."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Callable

from awf.stores.sqlite.files import Files

log = logging.getLogger("awf.store")


class Session:
    """For one thread, which holds the turnstile while it uses it."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], files: Files) -> None:
        self._connect = connect
        self._files = files
        self._connection: sqlite3.Connection | None = None

    def connection(self) -> sqlite3.Connection:
        """To write with. Opened anew where files have been removed or replaced meanwhile; a database that is gone is
        never made again: somebody may be about to put it back. Raises OSError and sqlite3.Error."""
        if self._connection is None or self._files.changed():
            self._open()
        assert self._connection is not None
        return self._connection

    def confirm(self) -> None:
        """After a commit: what was committed is in the files that are there. Raises OSError where it is not."""
        if self._files.changed():
            if self._files.database_changed():
                raise FileNotFoundError(errno.ENOENT, "the database has been removed or replaced")
            self._open()

    def close(self) -> None:
        """Close the connection, if there is one. Raises sqlite3.Error."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        before = self._connection
        with self._files.alone():
            if before is not None:
                if self._files.log_removed():
                    _save(before)
                elif self._files.database_changed():
                    self._files.expect_database()
                self.close()
            self._files.set_aside_old_log()
            self._connection = self._connect()
            self._files.note()
        if before is not None:
            log.warning(
                "files of the journal have been removed or replaced while they were in use; opened again"
            )


def _save(connection: sqlite3.Connection) -> None:
    """Move into the database what a log holds that has been removed: we have it open, nobody else can."""
    if connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()["busy"]:
        raise OSError(
            errno.EBUSY, "its log has been removed while it was in use, and somebody still reads from it"
        )
