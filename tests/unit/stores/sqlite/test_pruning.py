from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from awf.journal.store import ExecutionFilter
from awf.stores.sqlite import SqliteStore, pruning
from awf.stores.sqlite.schema import APPLICATION_ID, migrations
from awf.stores.sqlite.upkeep import LOG_SIZE
from awf.testing.builders import FINALS, acceptance, entries, finished, running, step_output

TABLES = ("events", "steps", "secrets", "intents", "removed")


@asynccontextmanager
async def opened(directory):
    store = SqliteStore.open(directory, durability="fast")
    try:
        yield store
    finally:
        await store.close()


async def _long(store, id, events, size=16_000):
    claim = await running(store, id)
    for seq in range(2, events + 2, 100):
        await store.append(claim.ownership, entries(seq, *(step_output(1, "x" * size) for _ in range(100))))
    await store.append(claim.ownership, entries(events + 2, FINALS["completed"]))


async def _prune(store, **bounds):
    bites = 0
    while await store.prune(**bounds):
        bites += 1
    return bites


def _count(directory, table):
    with closing(sqlite3.connect(directory / "journal.db")) as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_the_file_shrinks_while_the_store_is_open(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            await _long(store, "one", 1000)
            await finished(store, id="two")
            await store.maintain()
            before = (tmp_path / "journal.db").stat().st_size
            assert before > 16_000_000
            await _prune(store, keep=1)
            await store.maintain()
            assert (tmp_path / "journal.db").stat().st_size < pruning.PAGES_KEPT * 4096 + LOG_SIZE
            assert [row.id for row in await store.executions(ExecutionFilter())] == ["two"]

    asyncio.run(check())


@pytest.mark.parametrize(("events", "size", "bites"), [(2000, 1, 7), (200, 16_000, 4)])
def test_a_bite_is_bounded_by_number_and_by_size(tmp_path, monkeypatch, events, size, bites):
    deleted = []
    empty = pruning._empty

    def watched(db):
        before = db.total_changes
        more = empty(db)
        deleted.append(db.total_changes - before)
        return more

    monkeypatch.setattr(pruning, "_empty", watched)

    async def check():
        async with opened(tmp_path) as store:
            await _long(store, "one", events, size=size)
            await finished(store, id="last")
            await _prune(store, keep=1)
        assert max(deleted) <= pruning.PARTS + 1
        assert sum(number > 0 for number in deleted) == bites
        assert all(_count(tmp_path, table) == 0 for table in TABLES if table != "events")
        assert _count(tmp_path, "events") == 3

    asyncio.run(check())


def test_what_a_crash_has_left_is_never_seen_and_goes_later(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            await _long(store, "one", 1000, size=10)
            await finished(store, id="two")
            while await store.execution("one"):
                await store.prune(keep=1)
            await store.prune(keep=1)
        assert 3 < _count(tmp_path, "events") < 1000
        async with opened(tmp_path) as store:
            assert await store.journal("one") == []
            await store.accept(acceptance("one"))
            assert len(await store.journal("one")) == 1
            # Also where everything is to be kept by now.
            await _prune(store)
        assert _count(tmp_path, "events") == 4
        assert _count(tmp_path, "removed") == 0

    asyncio.run(check())


def test_an_execution_resumed_after_it_was_chosen_stays(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            await finished(store, "failed", id="one")
            await finished(store, id="two")
            chosen = await store._scans.read(pruning.choose, None, 0)
            await store._writer.write(
                lambda db: db.execute("DELETE FROM executions WHERE id = 'two'").fetchall()
            )
            await store._writer.write(pruning._remove, chosen)
            # By now it is the latest of all.
            assert await store.execution("one") is not None

    asyncio.run(check())


def test_a_database_of_before_is_pruned_too(tmp_path):
    """One whose schema knew no retention, and that cannot give pages back before it is rewritten."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(migrations()[0])
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO sources VALUES ('sha256:0', 'of before')")
        db.execute(
            "INSERT INTO executions (id, workflow, status, current_step, started_at, updated_at, completed_at, last_seq) "
            "VALUES ('of before', 'w', 'completed', 'a', 1, 2, 3, 1)"
        )
        db.commit()

    async def check():
        async with opened(tmp_path) as store:
            await finished(store, id="one")
            await _prune(store, keep=2)
            assert await store.sources(["sha256:0"])
            await _prune(store, keep=1)
            assert await store.sources(["sha256:0"]) == {}
            assert [row.id for row in await store.executions(ExecutionFilter())] == ["one"]

    asyncio.run(check())


@pytest.mark.parametrize("keep", [0, 1])
def test_an_empty_store_has_nothing_to_prune(tmp_path, keep):
    async def check():
        async with opened(tmp_path) as store:
            assert await store.prune(keep=keep, ended_before=1) is False

    asyncio.run(check())
