from __future__ import annotations

import asyncio
import sqlite3

import pytest

from awf.stores.sqlite import SqliteStore
from awf.stores.sqlite.upkeep import LOG_SIZE
from awf.testing.builders import claimed, entries, step_output


def _log(directory):
    return (directory / "journal.db-wal").stat().st_size


async def _write(store, ownership, after, size):
    """Append until so many bytes have been written; returns the journal's new length."""
    text = "x" * 16_000
    for seq in range(after, after + size // len(text) + 1):
        await store.append(ownership, entries(seq, step_output(1, text)))
    return seq + 1


def _run(directory, check):
    async def opened():
        store = SqliteStore.open(directory, durability="fast")
        try:
            await check(store)
        finally:
            await store.close()

    asyncio.run(opened())


def test_the_log_starts_again_after_upkeep(tmp_path):
    async def check(store):
        last = await _write(store, ownership := (await claimed(store)).ownership, 1, 2 * LOG_SIZE)
        grown = _log(tmp_path)
        assert grown > LOG_SIZE
        for _ in range(4):
            await store.maintain()
            last = await _write(store, ownership, last, LOG_SIZE)
        assert _log(tmp_path) == grown
        assert [entry.seq for entry in await store.journal("one")] == list(range(1, last + 1))

    _run(tmp_path, check)


def test_a_short_log_and_one_that_has_not_changed_are_left_alone(tmp_path):
    async def check(store):
        ownership = (await claimed(store)).ownership
        database = tmp_path / "journal.db"
        before = database.stat().st_mtime_ns
        await store.maintain()
        assert database.stat().st_mtime_ns == before
        await _write(store, ownership, 1, 2 * LOG_SIZE)
        await store.maintain()
        moved = database.stat().st_mtime_ns
        assert moved > before
        await store.maintain()
        assert database.stat().st_mtime_ns == moved

    _run(tmp_path, check)


def test_a_reader_in_the_way_delays_the_log_and_stops_nobody(tmp_path):
    async def check(store):
        last = await _write(store, ownership := (await claimed(store)).ownership, 1, 2 * LOG_SIZE)
        reader = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        reader.execute("BEGIN")
        seen = reader.execute("SELECT count(*) FROM events").fetchone()
        last = await _write(store, ownership, last, LOG_SIZE)
        grown = _log(tmp_path)
        await store.maintain()
        last = await _write(store, ownership, last, LOG_SIZE)
        assert _log(tmp_path) > grown
        assert reader.execute("SELECT count(*) FROM events").fetchone() == seen
        reader.close()
        grown = _log(tmp_path)
        await store.maintain()
        await _write(store, ownership, last, LOG_SIZE)
        assert _log(tmp_path) == grown

    _run(tmp_path, check)


@pytest.mark.parametrize("writers", [1, 8])
def test_the_log_stays_bounded_under_constant_load(tmp_path, writers):
    async def check(store):
        async def write(number, last):
            return await _write(store, owned[number].ownership, last, 2 * LOG_SIZE // writers)

        owned = [await claimed(store, str(number)) for number in range(writers)]
        lasts = await asyncio.gather(*(write(number, 1) for number in range(writers)))
        of_one_round = _log(tmp_path)
        for _ in range(8):
            upkeep = asyncio.ensure_future(store.maintain())
            lasts = await asyncio.gather(*(write(number, last) for number, last in enumerate(lasts)))
            await upkeep
        # Of each round, all that was written before its upkeep ended is out of the log.
        assert _log(tmp_path) < 3 * of_one_round

    _run(tmp_path, check)
