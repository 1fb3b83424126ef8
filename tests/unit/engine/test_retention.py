"""The loop that removes what is too old or too many."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from awf.engine.retention import ALL, DAY, Retention, keep_pruning
from awf.errors import StoreUnavailable
from awf.journal.store import ExecutionFilter
from awf.stores.memory import MemoryStore
from awf.testing.builders import EPOCH, finished
from awf.testing.clock import FakeClock


class Bites(MemoryStore):
    """A store that takes a few bites for everything, and fails when told to. ``asked`` has what it was called with."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int | None, int | None]] = []
        self.failures: list[str] = []
        self.looks = asyncio.Semaphore(0)

    async def prune(self, *, ended_before: int | None = None, keep: int | None = None) -> bool:
        self.asked.append((ended_before, keep))
        self.looks.release()
        if self.failures:
            raise StoreUnavailable(self.failures.pop(0))
        await super().prune(ended_before=ended_before, keep=keep)
        return len(self.asked) % 3 > 0

    async def looked(self, times: int) -> None:
        for _ in range(times):
            await asyncio.wait_for(self.looks.acquire(), 10)


def test_days_and_records_become_a_time_and_a_number() -> None:
    async def check() -> None:
        store = Bites()
        await Retention(days=2, records=7).prune(store, 5 * DAY)
        await ALL.prune(store, 5 * DAY)
        assert store.asked == [(3 * DAY, 7), (None, None)]

    asyncio.run(check())


def test_it_removes_as_long_as_there_is_something_and_looks_again_later() -> None:
    async def check() -> None:
        store, clock = Bites(), FakeClock()
        for number in range(4):
            await finished(store, id=str(number), now=EPOCH)
        loop = asyncio.create_task(keep_pruning(store, clock, Retention(records=2), lambda: True, look=3600))
        await store.looked(3)
        assert [row.id for row in await store.executions(ExecutionFilter())] == ["3", "2"]
        assert len(store.asked) == 3
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)

    asyncio.run(check())


def test_only_one_of_several_engines_removes() -> None:
    async def check() -> None:
        store, due = Bites(), asyncio.Event()
        asked = 0

        def is_due() -> bool:
            nonlocal asked
            asked += 1
            if asked == 3:
                due.set()
            return False

        loop = asyncio.create_task(keep_pruning(store, FakeClock(), Retention(records=1), is_due, look=0))
        await asyncio.wait_for(due.wait(), 10)
        assert store.asked == []
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)

    asyncio.run(check())


def test_a_store_that_cannot_be_written_is_told_of_once(caplog: Any) -> None:
    async def check() -> None:
        store = Bites()
        store.failures = ["full", "full", "full", "read-only"]
        loop = asyncio.create_task(keep_pruning(store, FakeClock(), ALL, lambda: True, look=0))
        await store.looked(6)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)

    with caplog.at_level(logging.WARNING):
        asyncio.run(check())
    assert [record.message for record in caplog.records] == [
        "nothing can be removed for now: full",
        "nothing can be removed for now: read-only",
    ]
