"""The store of one machine: SQLite in WAL mode with group commit."""
