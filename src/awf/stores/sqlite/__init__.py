"""The store of one machine: SQLite with a write-ahead log."""

from awf.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
