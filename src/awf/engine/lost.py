"""Appends whose answer was lost: a store that goes away in the middle of one may have made it, and it would not fit a
second time. So whoever tries again looks first."""

from __future__ import annotations

from collections.abc import Sequence

from awf.journal.codec import encode
from awf.journal.events import Entry
from awf.journal.store import Store


async def is_recorded(store: Store, execution: str, entries: Sequence[Entry]) -> bool:
    """Does the journal have these entries? Raises StoreUnavailable."""
    found = await store.journal(execution, after=entries[0].seq - 1, limit=len(entries))
    # As they are written: values are not of the same types (lists, tuples) before and after.
    return [_written(entry) for entry in found] == [_written(entry) for entry in entries]


def _written(entry: Entry) -> tuple[int, int, tuple[str, int, bytes]]:
    return entry.seq, entry.at, encode(entry.fact)
