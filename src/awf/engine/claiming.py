"""Which executions an engine makes its own, and whether it may: the newest living engine takes on what nobody runs, of
those that never had an owner, were let go, or belonged to an engine that is dead."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from awf.engine.clock import Passing
from awf.engine.presence import is_alive, newest
from awf.errors import StoreUnavailable
from awf.journal.store import Claim, Store

AHEAD = 1_000_000
"""Microseconds by which a parked execution is claimed before it is due."""


class Claims:
    """What the engine ``owner`` claims; ``engines`` is the presence directory. All raise StoreUnavailable.

    A claim whose answer is lost, because the store goes away in the middle of it, may have been made. Then the execution
    is owned by an engine that lives, so nobody else may take it, and that engine does not know of it: it would never run.
    So after a claim that failed, ``lost`` looks for such."""

    def __init__(self, store: Store, owner: str, engines: Path, passing: Passing) -> None:
        self._store = store
        self._owner = owner
        self._engines = engines
        self._passing = passing
        self._unsure = False

    def is_newest(self) -> bool:
        """Is it for this engine to take on work?"""
        claiming = newest(self._engines)
        return claiming is None or claiming.id == self._owner

    async def waiting(self, limit: int) -> list[Claim]:
        """Claim up to ``limit`` of those that wait to be run; parked ones when they are due."""
        return await self._claim(free=await self._dead(), limit=limit, due=self._passing.now() + AHEAD)

    async def one(self, execution: str) -> list[Claim]:
        """Claim this execution, parked or not; nothing where it has a living owner, or is over."""
        return await self._claim(free=await self._dead(), limit=1, only=[execution])

    async def lost(self, running: Collection[str]) -> list[Claim]:
        """What is this engine's own and not among ``running``, where a claim has failed since it last looked; claimed
        once more. Looks again the next time where it raises."""
        if not self._unsure:
            return []
        stray = [execution for execution in await self._store.held(self._owner) if execution not in running]
        claims = await self._claim(free=[self._owner], limit=len(stray), only=stray) if stray else []
        self._unsure = False
        return claims

    async def _claim(
        self, *, free: Collection[str], limit: int, only: Collection[str] | None = None, due: int = 0
    ) -> list[Claim]:
        try:
            return await self._store.claim(self._owner, free=free, limit=limit, only=only, due=due)
        except StoreUnavailable:
            self._unsure = True
            raise

    async def _dead(self) -> list[str]:
        """Owners that do not live any more. Ours are never among them, though we hold our own lock."""
        owners = await self._store.owners()
        return [owner for owner in owners if owner != self._owner and not is_alive(self._engines, owner)]
