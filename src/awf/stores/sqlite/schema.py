"""Brings a database to the schema that this code knows."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

from awf.stores.sqlite.faults import incompatible

APPLICATION_ID = 0x61776673
"""Marks the database as a store of awf, in the header of the file."""


@cache
def migrations() -> tuple[str, ...]:
    """The scripts in order; the first makes version 1 out of an empty database."""
    scripts = sorted(Path(__file__).with_name("migrations").iterdir(), key=lambda script: script.name)
    return tuple(script.read_text(encoding="utf-8") for script in scripts if script.name.endswith(".sql"))


def migrate(connection: sqlite3.Connection, directory: Path) -> None:
    """Apply what is missing, in one transaction. The caller holds the turnstile.

    Raises StoreIncompatible for a database that a newer awf or another program made, and sqlite3.Error.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise incompatible(directory, "its journal.db belongs to another program: move it away")
    known = len(migrations())
    if version > known:
        reason = f"it has version {version} and this awf knows {known}: use the newer awf"
        raise incompatible(directory, reason)
    if version < known:
        _apply(connection, version, known)


def _apply(connection: sqlite3.Connection, version: int, known: int) -> None:
    script = "\n".join(
        (
            "BEGIN IMMEDIATE;",
            *migrations()[version:],
            f"PRAGMA application_id = {APPLICATION_ID};",
            f"PRAGMA user_version = {known};",
            "COMMIT;",
        )
    )
    try:
        connection.executescript(script)
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
