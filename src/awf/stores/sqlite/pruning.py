"""Retention: removing finished executions in bites that hold up no other writer, and giving back their space.

The row of an execution goes first, in the transaction that notes its ordinal in ``removed``: from then on no reader
finds any part of it. Its events and steps follow, in as many transactions as their number and size want; what a crash
leaves of them is noted, and goes later.
"""

from __future__ import annotations

import sqlite3
from collections import deque

from awf.stores.rules import FINISHED
from awf.stores.sqlite import reads
from awf.stores.sqlite.readers import Readers
from awf.stores.sqlite.statements import statement
from awf.stores.sqlite.writer import Writer

CHOSEN = 2000
"""Executions that are chosen at once, in a reading thread."""

ROWS = 32
"""Executions whose rows one transaction removes: each costs pages of four indexes."""

PARTS = 300
"""Events and steps that one transaction removes."""

BYTES = 1 << 20
"""Bytes of them, beyond which it removes no more."""

TEXTS = 20
"""Pinned texts that one transaction removes."""

PAGES_KEPT = 1024
"""Free pages that stay in the database for what is written next."""

PAGES = 128
"""Free pages that one transaction gives back."""


class Pruning:
    """The pruning that one store does. ``scans`` chooses, ``writer`` removes."""

    def __init__(self, scans: Readers, writer: Writer) -> None:
        self._scans = scans
        self._writer = writer
        self._chosen: deque[int] = deque()

    async def bite(self, ended_before: int | None, keep: int | None) -> bool:
        """See Store.prune. One transaction, of a few milliseconds."""
        if await self._writer.write(_empty):
            return True
        if not self._chosen:
            self._chosen.extend(await self._scans.read(choose, ended_before, keep))
        if self._chosen:
            batch = [self._chosen.popleft() for _ in range(min(ROWS, len(self._chosen)))]
            await self._writer.write(_remove, batch)
            return True
        return await self._writer.write(_drop_sources) or await self._writer.write(shrink, PAGES_KEPT)


def choose(db: sqlite3.Connection, ended_before: int | None, keep: int | None) -> list[int]:
    """Ordinals of what has to go, the oldest first, at most ``CHOSEN``."""
    chosen: set[int] = set()
    if ended_before is not None:
        last = db.execute(statement("last_until"), (ended_before,)).fetchone()
        wanted = {"last": last["ordinal"] if last else 0, "ended_before": ended_before, "limit": CHOSEN}
        for status in FINISHED:
            chosen.update(
                row["ordinal"] for row in db.execute(statement("outdated"), {**wanted, "status": status})
            )
    if keep is not None:
        excess = min(reads.finished(db) - keep, CHOSEN)
        oldest: list[int] = []
        for status in FINISHED if excess > 0 else ():
            wanted = {"status": status, "limit": excess}
            oldest += (row["ordinal"] for row in db.execute(statement("oldest_finished"), wanted))
        chosen.update(sorted(oldest)[:excess])
    return sorted(chosen)[:CHOSEN]


def shrink(db: sqlite3.Connection, kept: int, pages: int = PAGES) -> bool:
    """Give back some free pages at the end of the database; whether more than ``kept`` are left.

    Gives nothing back in a database that cannot (``auto_vacuum`` off).
    """
    before = _free(db) if db.execute("PRAGMA auto_vacuum").fetchone()[0] else 0
    if before <= kept:
        return False
    for _ in range(min(pages, before - kept)):
        # One page at a time: the pragma gives a row without columns per page, and sqlite3 stops at the first.
        db.execute("PRAGMA incremental_vacuum(1)")
    return kept < _free(db) < before


def _free(db: sqlite3.Connection) -> int:
    count: int = db.execute("PRAGMA freelist_count").fetchone()[0]
    return count


def _remove(db: sqlite3.Connection, ordinals: list[int]) -> None:
    for ordinal in ordinals:
        if db.execute(statement("remove"), {"ordinal": ordinal}).fetchone():
            db.execute(statement("note_removed"), (ordinal,))
            db.execute(statement("drop_secrets"), (ordinal,))
            db.execute(statement("drop_intents_of"), (ordinal,))


def _empty(db: sqlite3.Connection) -> bool:
    """Remove parts of what has no row any more; False where there was none."""
    parts, size = PARTS, BYTES
    ordinal = db.execute(statement("next_removed")).fetchone()[0]
    if ordinal is None:
        return False
    while ordinal is not None and parts > 0 and size > 0:
        for first, drop in (("first_events", "drop_events"), ("first_steps", "drop_steps")):
            last = None
            for row in db.execute(statement(first), (ordinal, max(0, parts))):
                parts, size, last = parts - 1, size - row["size"], row["number"]
                if size <= 0:
                    break
            if last is not None:
                db.execute(statement(drop), (ordinal, last))
        if parts > 0 and size > 0:
            db.execute(statement("forget_removed"), (ordinal,))
            ordinal = db.execute(statement("next_removed")).fetchone()[0]
    return True


def _drop_sources(db: sqlite3.Connection) -> bool:
    """Remove texts that only removed executions pinned; whether there were any."""
    unused = [(row["digest"],) for row in db.execute(statement("unused_sources"), (TEXTS,))]
    db.executemany(statement("drop_source"), unused)
    db.executemany(statement("drop_use"), unused)
    return bool(unused)
