"""Writes whose answer was lost: a store that goes away in the middle of one may have made it.

So whoever tries again looks first. An append that happened would not fit a second time. An execution that a claim made
ours is owned by an engine that lives, so nobody else may take it, and that engine does not know of it: it would never run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from awf.errors import StoreUnavailable
from awf.journal.codec import encode
from awf.journal.events import Entry
from awf.journal.store import Claim, Store


async def is_recorded(store: Store, execution: str, entries: Sequence[Entry]) -> bool:
    """Does the journal have these entries? Raises StoreUnavailable."""
    found = await store.journal(execution, after=entries[0].seq - 1, limit=len(entries))
    # As they are written: values are not of the same types (lists, tuples) before and after.
    return [_written(entry) for entry in found] == [_written(entry) for entry in entries]


def _written(entry: Entry) -> tuple[int, int, tuple[str, int, bytes]]:
    return entry.seq, entry.at, encode(entry.fact)


class Intake:
    """What one engine claims, under the name ``owner``."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self._owner = owner
        self._unsure = False

    async def claim(
        self, *, free: Collection[str], limit: int, only: Collection[str] | None = None, due: int = 0
    ) -> list[Claim]:
        """See Store.claim. Raises StoreUnavailable."""
        try:
            return await self._store.claim(self._owner, free=free, limit=limit, only=only, due=due)
        except StoreUnavailable:
            self._unsure = True
            raise

    async def lost(self, running: Collection[str]) -> list[Claim]:
        """What is this engine's own and not among ``running``, where a claim has failed since it last looked; claimed
        once more. Raises StoreUnavailable, and then looks again the next time."""
        if not self._unsure:
            return []
        stray = [execution for execution in await self._store.held(self._owner) if execution not in running]
        claims = await self.claim(free=[self._owner], limit=len(stray), only=stray) if stray else []
        self._unsure = False
        return claims
