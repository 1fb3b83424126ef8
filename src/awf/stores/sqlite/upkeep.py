"""Checkpoints: moving what the write-ahead log holds into the database, so that the log does not grow forever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from awf.stores.sqlite.connection import LOG, LOG_KEPT
from awf.stores.sqlite.turnstile import Turnstile

LOG_SIZE = 1 << 20
"""Bytes of the log from which a checkpoint is worth its cost."""

PATIENCE_MS = 500
"""How long writers wait for readers, in milliseconds, so that a log longer than what is kept of it can start again."""

ROUNDS = 4
"""How often at most the bulk is moved; each round leaves less for the turnstile than the one before."""

FEW_PAGES = 256
"""Pages whose move takes about a millisecond."""


class Checkpoints:
    """The checkpoints that one store makes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._log = directory / LOG
        self._settled = 0

    def make(self, connection: sqlite3.Connection) -> None:
        """Checkpoint a log that has grown, or been written again. Raises sqlite3.Error and OSError.

        The bulk is moved beside the writers. Only the rest, what they wrote meanwhile, is moved under the turnstile:
        then nothing is left in the log, and writers start again at its beginning. The file keeps its length: to write
        over it costs half of what it costs to make it longer.
        """
        size, written = self._look()
        if size < LOG_SIZE or written == self._settled:
            return
        self._move_beside_the_writers(connection)
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS if size > LOG_KEPT else 0}")
        turnstile = Turnstile(self._directory)
        try:
            with turnstile:
                _, written = self._look()
                busy = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()["busy"]
        finally:
            turnstile.close()
        if not busy:
            self._settled = written

    def _move_beside_the_writers(self, connection: sqlite3.Connection) -> None:
        moved = 0
        for _ in range(ROUNDS):
            before, moved = (
                moved,
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()["checkpointed"],
            )
            if moved - before < FEW_PAGES:
                return

    def _look(self) -> tuple[int, int]:
        try:
            status = self._log.stat()
        except FileNotFoundError:
            return 0, 0
        return status.st_size, status.st_mtime_ns
