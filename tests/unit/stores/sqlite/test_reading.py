from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest

from awf.errors import StoreUnavailable
from awf.journal.store import ExecutionFilter
from awf.stores.sqlite import SqliteStore
from awf.stores.sqlite.connection import open_reader
from awf.testing.builders import acceptance, finished


def _threads():
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("awf-"))


def test_threads_start_when_they_are_needed_and_end_with_the_store(tmp_path):
    async def check():
        store = SqliteStore.open(tmp_path)
        assert _threads() == ["awf-writer"]
        await store.execution("one")
        assert _threads() == ["awf-reads_0", "awf-writer"]
        await asyncio.gather(
            *(store.execution("one") for _ in range(20)), store.statistics(ExecutionFilter())
        )
        started = {"awf-reads_0", "awf-scans_0", "awf-writer"}
        assert started <= {*_threads()} <= {*started, "awf-reads_1"}
        await store.close()
        assert _threads() == []

    asyncio.run(check())


def test_statistics_keep_no_short_read_waiting(tmp_path):
    async def check():
        store = SqliteStore.open(tmp_path)
        await finished(store)
        entered, go = threading.Event(), threading.Event()

        def long(_):
            entered.set()
            go.wait()

        blocked = asyncio.ensure_future(store._scans.read(long))
        statistics = asyncio.ensure_future(store.statistics(ExecutionFilter()))
        await asyncio.to_thread(entered.wait)
        assert await store.unfinished() == 0
        assert len(await store.executions(ExecutionFilter(history=True))) == 1
        assert not statistics.done()
        go.set()
        await blocked
        assert (await statistics).total == 1
        await store.close()

    asyncio.run(check())


def test_a_read_sees_one_moment(tmp_path):
    async def check():
        store = SqliteStore.open(tmp_path)
        await store.accept(acceptance("one"))
        between, go = threading.Event(), threading.Event()

        def count_twice(connection):
            first = connection.execute("SELECT count(*) FROM executions").fetchone()[0]
            between.set()
            go.wait()
            return first, connection.execute("SELECT count(*) FROM executions").fetchone()[0]

        counting = asyncio.ensure_future(store._reads.read(count_twice))
        await asyncio.to_thread(between.wait)
        await store.accept(acceptance("two"))
        go.set()
        assert await counting == (1, 1)
        assert await store.unfinished() == 2
        await store.close()

    asyncio.run(check())


def test_readers_cannot_write(tmp_path):
    async def check():
        store = SqliteStore.open(tmp_path)
        connection = open_reader(tmp_path)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM executions")
        connection.close()
        await store.close()

    asyncio.run(check())


def test_a_store_whose_files_have_gone_cannot_be_read(tmp_path):
    async def check():
        store = SqliteStore.open(tmp_path)
        (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
        with pytest.raises(StoreUnavailable, match="journal.db has been removed while it was in use"):
            await store.execution("one")
        (tmp_path / "elsewhere.db").rename(tmp_path / "journal.db")
        assert await store.execution("one") is None
        await store.close()

    asyncio.run(check())
