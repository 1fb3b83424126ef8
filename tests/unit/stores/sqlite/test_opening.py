from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from awf.errors import StoreIncompatible, StoreUnavailable
from awf.stores.sqlite import SqliteStore
from awf.stores.sqlite.connection import open_writer, prepare_directory
from awf.stores.sqlite.schema import APPLICATION_ID, migrate, migrations
from awf.testing.builders import acceptance
from privileges import unprivileged


async def _used(directory, id="one"):
    store = SqliteStore.open(directory)
    await store.accept(acceptance(id))
    await store.execution("one")
    await store.maintain()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    await store.close()
    return modes


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_store_is_for_its_user_only_and_out_of_version_control(tmp_path):
    directory = tmp_path / "project" / ".awf" / "storage"
    modes = asyncio.run(_used(directory))
    assert _mode(directory) == 0o700
    assert set(modes) == {
        "journal.db",
        "journal.db-wal",
        "journal.db-shm",
        ".gitignore",
        "turnstile",
        "write",
    }
    assert set(modes.values()) == {0o600}
    assert (directory / ".gitignore").read_text() == "*\n"


def test_a_directory_that_is_there_is_taken_as_it_is(tmp_path):
    tmp_path.chmod(0o750)
    (tmp_path / ".gitignore").write_text("# mine\n")
    asyncio.run(_used(tmp_path))
    assert _mode(tmp_path) == 0o750
    assert (tmp_path / ".gitignore").read_text() == "# mine\n"


def test_what_was_written_is_there_after_opening_again(tmp_path):
    async def again():
        store = SqliteStore.open(tmp_path)
        row = await store.execution("one")
        await store.close()
        return row

    asyncio.run(_used(tmp_path))
    assert asyncio.run(again()).id == "one"


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("fast", 1)])
def test_durability_decides_how_often_the_disk_is_waited_for(tmp_path, durability, synchronous):
    prepare_directory(tmp_path)
    connection = open_writer(tmp_path, durability)
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == synchronous
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 0
    connection.close()


@pytest.mark.parametrize("name", ["#fragment?mode=memory", "percent%20", "space and é", "quote'\""])
def test_any_name_of_a_directory_will_do(tmp_path, name):
    asyncio.run(_used(tmp_path / name))
    assert (tmp_path / name / "journal.db").stat().st_size > 0


def test_a_relative_directory_will_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asyncio.run(_used(Path("storage")))
    assert (tmp_path / "storage" / "journal.db").stat().st_size > 0


def test_a_file_in_the_place_of_the_directory(tmp_path):
    (tmp_path / "storage").write_text("")
    for directory in (tmp_path / "storage", tmp_path / "storage" / "below"):
        with pytest.raises(StoreUnavailable, match=r"storage.* a file is in the way: .*--storage") as raised:
            SqliteStore.open(directory)
        assert str(directory) in str(raised.value)


def test_a_directory_where_nobody_can_write():
    directory = Path("/proc/self/storage")
    with pytest.raises(StoreUnavailable, match=r"^the storage directory /proc/self/storage cannot be used: "):
        SqliteStore.open(directory)


def test_a_directory_without_permission():
    with unprivileged() as directory:
        directory.chmod(0o500)
        with pytest.raises(StoreUnavailable, match=r"is not writable: .*--storage"):
            SqliteStore.open(directory / "storage")


@pytest.mark.parametrize("name", ["journal.db", "."])
def test_a_storage_that_has_become_read_only_while_another_process_has_it_open(name):
    with unprivileged() as directory:
        other = SqliteStore.open(directory)
        before = (directory / name).stat().st_mode
        (directory / name).chmod(0o500)
        try:
            with pytest.raises(StoreUnavailable, match=r"is not writable: .*--storage"):
                SqliteStore.open(directory)
        finally:
            (directory / name).chmod(before & 0o777)
            asyncio.run(other.close())


@pytest.mark.parametrize("name", ["journal.db", "turnstile"])
def test_a_directory_in_the_place_of_a_file(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        SqliteStore.open(tmp_path)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "journal.db").write_bytes(b"certainly not a database " * 100)
    with pytest.raises(StoreIncompatible, match=r"is not a database: move it away"):
        SqliteStore.open(tmp_path)
    assert (tmp_path / "journal.db").read_bytes().startswith(b"certainly not")


def test_the_database_of_another_program(tmp_path):
    other = sqlite3.connect(tmp_path / "journal.db")
    other.execute("CREATE TABLE contacts (name TEXT)")
    other.close()
    with pytest.raises(StoreIncompatible, match=r"another program"):
        SqliteStore.open(tmp_path)


def test_a_store_of_a_newer_awf(tmp_path):
    asyncio.run(_used(tmp_path))
    newer = sqlite3.connect(tmp_path / "journal.db")
    newer.execute(f"PRAGMA user_version = {len(migrations()) + 1}")
    newer.close()
    with pytest.raises(StoreIncompatible, match=r"use the newer awf"):
        SqliteStore.open(tmp_path)


def test_a_store_that_could_not_be_opened_leaves_nothing_open(tmp_path):
    (tmp_path / "journal.db").write_bytes(b"certainly not a database " * 100)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(StoreIncompatible):
            SqliteStore.open(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_closing_leaves_nothing_open(tmp_path):
    asyncio.run(_used(tmp_path))
    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(_used(tmp_path, "two"))
    assert len(os.listdir("/proc/self/fd")) == before
    assert not (tmp_path / "journal.db-wal").exists()


def test_the_writer_is_the_last_to_close_so_that_it_can_remove_the_log(tmp_path):
    def outlived(connection):
        writer.join(0.3)
        return writer.is_alive()

    async def closed_while_somebody_reads():
        reading = asyncio.create_task(store._reads.perform(outlived))
        await asyncio.sleep(0)
        await store.close()
        return await reading

    store = SqliteStore.open(tmp_path)
    writer = store._writer._thread
    assert asyncio.run(closed_while_somebody_reads())
    assert not writer.is_alive()


def test_a_closed_store_says_so(tmp_path):
    async def after_closing():
        store = SqliteStore.open(tmp_path)
        await store.close()
        for verb in (store.accept(acceptance()), store.execution("one"), store.maintain()):
            with pytest.raises(StoreUnavailable, match="is closed"):
                await verb

    asyncio.run(after_closing())


def test_an_empty_database_is_brought_to_the_present_version(tmp_path):
    asyncio.run(_used(tmp_path))
    connection = sqlite3.connect(tmp_path / "journal.db")
    assert connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations())
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    connection.close()


def test_an_older_engine_goes_on_writing_while_a_newer_awf_opens_its_store(tmp_path, monkeypatch):
    """Its statements name the columns that it knows; what it does not know is as if nothing had been said."""
    monkeypatch.setattr("awf.stores.sqlite.schema.migrations", lambda: migrations()[:1])
    prepare_directory(tmp_path)
    connection = open_writer(tmp_path, "fast")
    migrate(connection, tmp_path)
    insert = """INSERT OR REPLACE INTO steps (ordinal, step, name, path, status, attempt, started_at, reused, command,
        first_seq, last_seq) VALUES (1, ?, 'build', 'build', 'running', 1, 5, 0, 'make', 3, 0)"""
    connection.execute(insert, (1,))
    monkeypatch.undo()

    async def newer():
        store = SqliteStore.open(tmp_path)
        await store.accept(acceptance("one"))
        connection.execute(insert, (2,))
        steps = await store.steps("one")
        await store.close()
        return steps

    rows = asyncio.run(newer())
    connection.close()
    assert [(row.step, row.command, row.warnings, row.note) for row in rows] == [
        (1, "make", (), ""),
        (2, "make", (), ""),
    ]


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    scripts = (*migrations(), "CREATE TABLE extra (a); CREATE TABLE executions (twice);")
    asyncio.run(_used(tmp_path))
    monkeypatch.setattr("awf.stores.sqlite.schema.migrations", lambda: scripts)
    with pytest.raises(StoreUnavailable, match="executions already exists"):
        SqliteStore.open(tmp_path)
    monkeypatch.undo()
    connection = sqlite3.connect(tmp_path / "journal.db")
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").fetchone() == (0,)
    connection.close()
    store = SqliteStore.open(tmp_path)
    assert asyncio.run(_row_of(store)).id == "one"


async def _row_of(store):
    row = await store.execution("one")
    await store.close()
    return row
