"""Retention: the loop that removes finished executions that are too old or too many."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from msgspec import Struct

from awf.engine.complaints import Complaint
from awf.engine.ports import Clock
from awf.errors import AwfError
from awf.journal.store import Store

log = logging.getLogger("awf.engine")

LOOK = 60.0
"""Seconds between looks while nothing has to go."""

REST = 0.005
"""Seconds at least between two bites; a bite that took longer is followed by a rest of its length."""

DAY = 86_400 * 1_000_000
"""Microseconds."""


class Retention(Struct, frozen=True):
    """What is kept of finished executions: those that ended in the last ``days``, and no more than ``records``. 0: all."""

    days: int = 0
    records: int = 0

    async def prune(self, store: Store, now: int) -> bool:
        """Take one bite; whether there may be more. Raises StoreUnavailable."""
        return await store.prune(
            ended_before=now - self.days * DAY if self.days else None,
            keep=self.records or None,
        )


ALL = Retention()
"""Nothing is removed."""


async def keep_pruning(
    store: Store, clock: Clock, retention: Retention, is_due: Callable[[], bool], look: float = LOOK
) -> None:
    """Remove what has to go, until cancelled. ``is_due``: it is for us to do, and not for another engine."""
    complaint = Complaint(log, "nothing can be removed for now")
    while True:
        pause = look
        if is_due():
            began = clock.monotonic()
            try:
                if await retention.prune(store, clock.now()):
                    pause = max(REST, clock.monotonic() - began)
                complaint.over()
            except AwfError as error:
                complaint.about(error)
        await asyncio.sleep(pause)
