from __future__ import annotations

import asyncio
import errno
import sqlite3
import stat
from contextlib import asynccontextmanager, closing

import pytest

from awf.errors import RequestInvalid, StoreIncompatible, StoreUnavailable
from awf.journal.store import ExecutionFilter
from awf.stores.sqlite import SqliteStore
from awf.stores.sqlite.care import backup, vacuum
from awf.stores.sqlite.check import check
from awf.testing.builders import (
    FINALS,
    acceptance,
    claimed,
    entries,
    finished,
    running,
    step_completed,
    step_output,
    step_started,
)


@asynccontextmanager
async def opened(directory):
    store = SqliteStore.open(directory, durability="fast")
    try:
        yield store
    finally:
        await store.close()


async def _some(store):
    """One of each kind."""
    claim = await running(store, "steps", secret_values={"key": "t0p"})
    await store.append(claim.ownership, entries(2, step_started(), step_output(1, "hello"), step_completed()))
    await store.append(claim.ownership, entries(5, step_started(2), FINALS["completed"]))
    await finished(store, "failed", id="failed")
    await claimed(store, "owned")
    await store.accept(acceptance("pending"))
    await store.add_intent("owned", "cancel", None, 0)


def _with_some(directory):
    async def fill():
        async with opened(directory) as store:
            await _some(store)

    asyncio.run(fill())


def _change(directory, *statements):
    with closing(sqlite3.connect(directory / "journal.db")) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_a_sound_store_has_no_findings_also_while_it_is_used(tmp_path):
    async def beside():
        async with opened(tmp_path) as store:
            await _some(store)
            found = await asyncio.to_thread(check, tmp_path)
            assert (found.findings, found.executions, found.entries) == ([], 4, 12)

    asyncio.run(beside())
    assert check(tmp_path).findings == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("DELETE FROM events WHERE seq = 4", "execution steps: entry 5 follows entry 3 of its journal"),
        (
            "DELETE FROM events WHERE seq = 7",
            "execution steps: its row says status 'completed', its journal 'running'",
        ),
        (
            "UPDATE executions SET status = 'failed', error = 'x' WHERE id = 'steps'",
            "execution steps: its row says error 'x', its journal None",
        ),
        (
            "UPDATE steps SET exit_code = 3 WHERE step = 1",
            "execution steps: the row of step 1 says exit_code 3, its journal 0",
        ),
        ("DELETE FROM steps WHERE step = 2", "execution steps: step 2 is only in its journal"),
        ("UPDATE events SET body = '{' WHERE seq = 3", "execution steps: its journal cannot be read: "),
        (
            "DELETE FROM events WHERE seq = 1",
            "execution owned: its journal does not begin with its acceptance",
        ),
        ("DELETE FROM executions WHERE id = 'steps'", "events of number 1 belong to no execution"),
        ("DELETE FROM executions WHERE id = 'steps'", "steps of number 1 belong to no execution"),
        ("DELETE FROM executions WHERE id = 'steps'", "secrets of number 1 belong to no execution"),
        ("UPDATE intents SET ordinal = 9", "intents of number 9 belong to no execution"),
        ("DELETE FROM sources", "execution failed: the pinned text of its workflow is missing"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, finding):
    _with_some(tmp_path)
    _change(tmp_path, change)
    assert any(found.startswith(finding) for found in check(tmp_path).findings), check(tmp_path).findings


def test_what_is_being_removed_is_no_orphan(tmp_path):
    _with_some(tmp_path)
    _change(
        tmp_path,
        "INSERT INTO removed SELECT ordinal FROM executions WHERE id = 'steps'",
        "DELETE FROM executions WHERE id = 'steps'",
    )
    assert check(tmp_path).findings == []


def test_a_damaged_page_is_found_and_the_rest_is_looked_at(tmp_path):
    async def fill():
        async with opened(tmp_path) as store:
            for number in range(3):
                claim = await running(store, str(number))
                facts = (step_output(1, "x" * 900) for _ in range(100))
                await store.append(claim.ownership, entries(2, *facts))

    asyncio.run(fill())
    damage(tmp_path, b"x" * 400)
    found = check(tmp_path)
    assert any(line.startswith("database: ") for line in found.findings)
    assert any("its journal cannot be read: " in line or "follows entry" in line for line in found.findings)
    assert found.executions == 3


def damage(directory, content):
    """Overwrite the page in the middle of those that hold this."""
    path = directory / "journal.db"
    data = bytearray(path.read_bytes())
    pages = [start for start in range(0, len(data), 4096) if content in data[start : start + 4096]]
    start = pages[len(pages) // 2]
    data[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(data)


def test_a_directory_without_a_store(tmp_path):
    for verb in (check, vacuum, lambda directory: backup(directory, tmp_path / "copy.db")):
        with pytest.raises(RequestInvalid, match=rf"there is no journal.db in {tmp_path}"):
            verb(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_store_of_another_version_is_not_checked(tmp_path):
    _with_some(tmp_path)
    _change(tmp_path, "PRAGMA user_version = 1000")
    with pytest.raises(StoreIncompatible, match="has version 1000"):
        check(tmp_path)


def test_a_copy_is_whole_and_for_its_user_only(tmp_path):
    async def fill():
        async with opened(tmp_path / "storage") as store:
            await _some(store)
            size = await asyncio.to_thread(backup, tmp_path / "storage", tmp_path / "copy.db")
            assert size == (tmp_path / "copy.db").stat().st_size
            await store.accept(acceptance("later"))

    asyncio.run(fill())
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["copy.db"]
    (tmp_path / "restored").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "restored" / "journal.db")
    assert check(tmp_path / "restored").findings == []

    async def again():
        async with opened(tmp_path / "restored") as store:
            ids = {row.id for row in await store.executions(ExecutionFilter())}
            assert ids == {"steps", "failed", "owned", "pending"}
            assert await store.secrets("steps") == {"key": "t0p"}

    asyncio.run(again())


def test_a_copy_never_overwrites(tmp_path):
    _with_some(tmp_path)
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(RequestInvalid, match=r"copy.db is there already"):
        backup(tmp_path, tmp_path / "copy.db")
    with pytest.raises(RequestInvalid, match="cannot be made: No such file or directory"):
        backup(tmp_path, tmp_path / "nowhere" / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_what_a_death_left_of_a_copy_is_replaced(tmp_path):
    _with_some(tmp_path)
    (tmp_path / "copy.db.part").write_text("half of it")
    backup(tmp_path, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db.part").exists()
    (tmp_path / "restored").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "restored" / "journal.db")
    assert check(tmp_path / "restored").findings == []


def test_a_file_that_comes_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    _with_some(tmp_path)
    monkeypatch.setattr("os.path.lexists", lambda _: False)
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(RequestInvalid, match=r"copy.db is there already"):
        backup(tmp_path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"
    assert not (tmp_path / "copy.db.part").exists()


def test_a_copy_on_a_file_system_without_links(tmp_path, monkeypatch):
    def link(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    _with_some(tmp_path)
    monkeypatch.setattr("os.link", link)
    backup(tmp_path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_size > 0
    assert not (tmp_path / "copy.db.part").exists()


def test_a_copy_that_fails_leaves_nothing(tmp_path):
    (tmp_path / "journal.db").write_bytes(b"certainly not a database " * 1000)
    with pytest.raises(StoreUnavailable):
        backup(tmp_path, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


async def _used_and_emptied(store):
    claim = await running(store, "large")
    for seq in range(2, 302, 100):
        await store.append(claim.ownership, entries(seq, *(step_output(1, "x" * 9000) for _ in range(100))))
    await store._writer.write(lambda db: db.execute("DELETE FROM events WHERE seq > 2").fetchall())


def test_vacuum_gives_all_back_beside_who_uses_it(tmp_path):
    async def beside():
        async with opened(tmp_path) as store:
            await _used_and_emptied(store)
            done = asyncio.ensure_future(asyncio.to_thread(vacuum, tmp_path))
            number = 0
            while not done.done():
                await store.accept(acceptance(str(number)))
                number += 1
            before, after = await done
            assert after < before or before < 1_000_000
            assert await store._reads.read(lambda db: db.execute("PRAGMA freelist_count").fetchone()[0]) < 50
            assert len(await store.executions(ExecutionFilter(limit=10_000))) == number + 1
        before, after = vacuum(tmp_path)
        assert after < 1_000_000 + number * 2000

    asyncio.run(beside())


def test_an_old_database_is_rewritten_once_and_then_can_shrink(tmp_path):
    async def fill():
        async with opened(tmp_path) as store:
            claim = await running(store, "large")
            facts = (step_output(1, "x" * 9000) for _ in range(200))
            await store.append(claim.ownership, entries(2, *facts))

    asyncio.run(fill())
    _change(tmp_path, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as db:
        db.execute("PRAGMA auto_vacuum = NONE")
        db.execute("VACUUM")
        assert db.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    _change(tmp_path, "DELETE FROM events WHERE seq > 2")

    async def beside():
        async with opened(tmp_path) as store:
            assert await store.execution("large")
            before, after = await asyncio.to_thread(vacuum, tmp_path)
            assert before > 1_800_000
            assert after < 500_000
            await store.accept(acceptance("after"))
            # What was deleted above, and nothing of the database.
            assert all(line.startswith("execution large: ") for line in check(tmp_path).findings)
            assert await store._writer.write(lambda db: db.execute("PRAGMA auto_vacuum").fetchone()[0]) == 2

    asyncio.run(beside())
