"""Checkpoints: moving what the write-ahead log holds into the database, so that the log does not grow forever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from awf.stores.sqlite.connection import LOG
from awf.stores.sqlite.turnstile import Turnstile

LOG_SIZE = 8 << 20
"""Bytes of the log from which a checkpoint is worth its cost."""

LOG_LIMIT = 64 << 20
"""Bytes of the log from which writers wait for readers, so that it can start again."""

PATIENCE_MS = 1000
"""How long they wait at most, in milliseconds."""


def checkpoint(connection: sqlite3.Connection, directory: Path) -> None:
    """Checkpoint a log that has grown. Raises sqlite3.Error and OSError.

    The bulk is moved beside the writers. Only the rest, what they wrote meanwhile, is moved under the turnstile: then
    nothing is left in the log, and it starts again at its beginning as soon as no reader looks at it.
    """
    size = _size(directory)
    if size < LOG_SIZE:
        return
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    turnstile = Turnstile(directory)
    try:
        patience = PATIENCE_MS if size > LOG_LIMIT else 0
        connection.execute(f"PRAGMA busy_timeout = {patience}")
        with turnstile:
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    finally:
        turnstile.close()


def _size(directory: Path) -> int:
    try:
        return (directory / LOG).stat().st_size
    except FileNotFoundError:
        return 0
