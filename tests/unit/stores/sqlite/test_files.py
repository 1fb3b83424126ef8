"""Files that are removed or replaced under a store that is open."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager, closing

import pytest

from awf.errors import RequestInvalid, StoreUnavailable
from awf.journal.store import ExecutionFilter
from awf.stores.sqlite import SqliteStore
from awf.testing.builders import acceptance, entries, running, step_output

OTHER = """
import asyncio, sys
from pathlib import Path
from awf.stores.sqlite import SqliteStore
from awf.journal.store import ExecutionFilter
from awf.testing.builders import acceptance

async def main(directory):
    store = SqliteStore.open(Path(directory))
    for line in sys.stdin:
        await store.accept(acceptance(line.strip()))
        print(*sorted(row.id for row in await store.executions(ExecutionFilter())), flush=True)
    await store.close()

asyncio.run(main(sys.argv[1]))
"""


class Other:
    """A store in another process, which accepts what it is told to and says what there is."""

    def __init__(self, directory):
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def accept(self, id):
        self.process.stdin.write(f"{id}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def close(self):
        self.process.communicate()


@asynccontextmanager
async def opened(directory):
    store = SqliteStore.open(directory)
    try:
        await store.accept(acceptance("before"))
        yield store
    finally:
        await store.close()


async def _ids(store):
    return sorted(row.id for row in await store.executions(ExecutionFilter()))


def _at_rest(directory):
    """What is there once everybody has gone."""
    with closing(sqlite3.connect(directory / "journal.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return sorted(row[0] for row in db.execute("SELECT id FROM executions"))


def test_nothing_is_acknowledged_that_would_be_in_no_file(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            (tmp_path / "journal.db").unlink()
            for verb in (store.accept(acceptance("lost")), store.execution("before"), store.maintain()):
                with pytest.raises(
                    StoreUnavailable, match=rf"{tmp_path} .* removed while it was in use: put it back"
                ):
                    await verb
            assert not (tmp_path / "journal.db").exists()

    asyncio.run(check())


def test_a_database_that_goes_before_the_commit_is_noticed_after_it(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            removal = store._writer.write(lambda _: (tmp_path / "journal.db").unlink())
            results = await asyncio.gather(removal, store.accept(acceptance("lost")), return_exceptions=True)
            assert [type(result) for result in results] == [StoreUnavailable] * 2

    asyncio.run(check())


def test_a_copy_that_is_put_in_place_is_taken_up(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            await store.execution("before")
            with (
                closing(sqlite3.connect(tmp_path / "journal.db")) as db,
                closing(sqlite3.connect(tmp_path / "copy.db")) as copy,
            ):
                db.backup(copy)
            await store.accept(acceptance("after the copy"))
            (tmp_path / "copy.db").rename(tmp_path / "journal.db")
            assert await _ids(store) == ["before"]
            await store.accept(acceptance("new"))
            assert await _ids(store) == ["before", "new"]
            assert (tmp_path / "journal.db-wal.aside").exists()
        assert _at_rest(tmp_path) == ["before", "new"]

    asyncio.run(check())


@pytest.mark.parametrize("names", [["-wal"], ["-shm"], ["-wal", "-shm"]], ids=" and ".join)
def test_a_log_that_is_removed_costs_nothing(tmp_path, names):
    async def check():
        async with opened(tmp_path) as store:
            claim = await running(store)
            await store.append(claim.ownership, entries(2, *(step_output(1, "x" * 9000) for _ in range(100))))
            for name in names:
                (tmp_path / f"journal.db{name}").unlink()
            assert await _ids(store) == ["before", "one"]
            await store.accept(acceptance("after"))
            assert len(await store.journal("one")) == 102
            # Another process finds the same.
            other = Other(tmp_path)
            assert other.accept("other") == ["after", "before", "one", "other"]
            assert await _ids(store) == ["after", "before", "one", "other"]
            other.close()
        assert _at_rest(tmp_path) == ["after", "before", "one", "other"]

    asyncio.run(check())


def test_a_log_that_goes_before_the_commit_costs_nothing(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            removal = store._writer.write(lambda _: (tmp_path / "journal.db-wal").unlink())
            await asyncio.gather(removal, store.accept(acceptance("after")))
        assert _at_rest(tmp_path) == ["after", "before"]

    asyncio.run(check())


@pytest.mark.parametrize("first", ["ours", "the other's"])
def test_two_processes_go_over_to_the_same_new_log(tmp_path, first):
    async def check():
        async with opened(tmp_path) as store:
            other = Other(tmp_path)
            assert other.accept("1") == ["1", "before"]
            await store.execution("before")
            for name in ("-wal", "-shm"):
                (tmp_path / f"journal.db{name}").unlink()
            if first == "ours":
                await store.accept(acceptance("2"))
                assert other.accept("3") == ["1", "2", "3", "before"]
            else:
                assert other.accept("3") == ["1", "3", "before"]
                await store.accept(acceptance("2"))
            assert await _ids(store) == ["1", "2", "3", "before"]
            assert other.accept("4") == ["1", "2", "3", "4", "before"]
            assert await _ids(store) == ["1", "2", "3", "4", "before"]
            other.close()
        assert _at_rest(tmp_path) == ["1", "2", "3", "4", "before"]

    asyncio.run(check())


def test_a_directory_that_goes_and_comes_back(tmp_path):
    directory = tmp_path / "storage"

    async def check():
        async with opened(directory) as store:
            shutil.copytree(directory, tmp_path / "copy")
            shutil.rmtree(directory)
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match="removed while it was in use"):
                    await store.accept(acceptance("lost"))
            assert not directory.exists()
            (tmp_path / "copy").rename(directory)
            await store.accept(acceptance("after"))
            assert await _ids(store) == ["after", "before"]

    asyncio.run(check())


def test_an_engine_makes_no_empty_store_in_the_place_of_one_that_is_gone(tmp_path):
    with pytest.raises(RequestInvalid, match=r"there is no journal.db in"):
        SqliteStore.open(tmp_path, create=False)
    assert [*tmp_path.iterdir()] == []


def test_lock_files_that_are_removed_are_made_again(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            for name in ("turnstile", "write"):
                (tmp_path / name).unlink()
                await store.accept(acceptance(name))
                assert (tmp_path / name).exists()

    asyncio.run(check())
