from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest

from awf.errors import OwnershipLost, StoreUnavailable
from awf.journal.store import ExecutionFilter, Ownership
from awf.stores.sqlite import SqliteStore
from awf.stores.sqlite.connection import open_writer, prepare_directory
from awf.stores.sqlite.files import Files
from awf.stores.sqlite.turnstile import Turnstile
from awf.stores.sqlite.writer import JOBS, SHARED_SPAN, SPAN, Writer
from awf.testing.builders import acceptance, entries, running, step_output


@asynccontextmanager
async def opened(directory):
    store = SqliteStore.open(directory)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def writing(directory):
    """A writer over a table of numbers, and the statements that its connection was given."""
    statements = []

    def connect():
        connection = open_writer(directory, "fast")
        connection.execute("CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)")
        connection.set_trace_callback(statements.append)
        return connection

    prepare_directory(directory)
    writer = Writer(directory, connect, Files(directory))
    try:
        yield writer, statements
    finally:
        writer.finish()
        await asyncio.to_thread(writer.close)


def _insert(connection, number):
    connection.execute("INSERT INTO numbers VALUES (?)", (number,))
    return number


def _numbers(connection):
    return [row[0] for row in connection.execute("SELECT n FROM numbers ORDER BY n")]


def _hold(turnstile, held, go):
    with turnstile:
        held.set()
        go.wait()


@contextmanager
def another_process_writing(directory):
    """Holds the turnstile as another process would, so that what is written meanwhile queues up."""
    turnstile, held, go = Turnstile(directory), threading.Event(), threading.Event()
    thread = threading.Thread(target=_hold, args=(turnstile, held, go))
    thread.start()
    held.wait()
    try:
        yield
    finally:
        go.set()
        thread.join()
        turnstile.close()


def _sizes(statements):
    """How many numbers each transaction inserted."""
    sizes, size = [], 0
    for text in statements:
        size += text.startswith("INSERT")
        if text == "COMMIT":
            sizes.append(size)
            size = 0
    return sizes


def _times(*seconds):
    """A clock that shows these times and then stays at the last."""
    remaining = list(seconds)
    return lambda: remaining.pop(0) if len(remaining) > 1 else remaining[0]


@pytest.mark.parametrize(
    ("times", "sizes"),
    [
        ((0.0,), [JOBS, JOBS, 10]),
        ((0.0, 0.0, SPAN, 0.0), [2, JOBS, JOBS, 8]),
        ((0.0, SPAN, 0.0, SHARED_SPAN, SPAN, 0.0), [1, 2, JOBS, JOBS, 7]),
    ],
    ids=["as many as it may", "no more after its span", "its span is its own"],
)
def test_what_waits_is_committed_together_within_bounds(tmp_path, monkeypatch, times, sizes):
    async def check():
        async with writing(tmp_path) as (writer, statements):
            with another_process_writing(tmp_path):
                jobs = [asyncio.ensure_future(writer.write(_insert, n)) for n in range(2 * JOBS + 10)]
                await asyncio.sleep(0)
                monkeypatch.setattr("awf.stores.sqlite.writer.monotonic", _times(*times))
            assert await asyncio.gather(*jobs) == list(range(2 * JOBS + 10))
            assert _sizes(statements) == sizes

    asyncio.run(check())


def test_a_transaction_ends_early_for_another_process(tmp_path, monkeypatch):
    turns = []

    def enter():
        turnstile = Turnstile(tmp_path)
        with turnstile:
            turns.append("the other process")
        turnstile.close()

    def insert_while_another_comes(connection):
        _insert(connection, 1)
        thread = threading.Thread(target=enter)
        thread.start()
        watching = Turnstile(tmp_path)
        while not watching.awaited():
            os.sched_yield()
        watching.close()
        turns.append("one")
        return thread

    def insert_another(connection):
        _insert(connection, 2)
        turns.append("two")

    async def check():
        async with writing(tmp_path) as (writer, statements):
            with another_process_writing(tmp_path):
                first = asyncio.ensure_future(writer.write(insert_while_another_comes))
                second = asyncio.ensure_future(writer.write(insert_another))
                await asyncio.sleep(0)
                monkeypatch.setattr("awf.stores.sqlite.writer.monotonic", _times(0.0, SHARED_SPAN, 0.0))
            (await first).join()
            await second
            assert turns == ["one", "the other process", "two"]
            assert _sizes(statements) == [1, 1]

    asyncio.run(check())


def test_a_job_that_raises_leaves_nothing_behind_and_disturbs_nobody(tmp_path):
    def insert_and_raise(connection):
        _insert(connection, 100)
        raise OwnershipLost("late")

    async def check():
        async with writing(tmp_path) as (writer, _):
            with another_process_writing(tmp_path):
                jobs = [
                    asyncio.ensure_future(job)
                    for job in (
                        writer.write(_insert, 1),
                        writer.write(insert_and_raise),
                        writer.write(_insert, 1),
                        writer.write(_insert, 2),
                    )
                ]
                await asyncio.sleep(0)
            results = await asyncio.gather(*jobs, return_exceptions=True)
            assert [type(result) for result in results] == [int, OwnershipLost, sqlite3.IntegrityError, int]
            assert await writer.write(_numbers) == [1, 2]

    asyncio.run(check())


def test_a_cancelled_caller_disturbs_nobody(tmp_path):
    async def check():
        async with writing(tmp_path) as (writer, _):
            with another_process_writing(tmp_path):
                jobs = [asyncio.ensure_future(writer.write(_insert, number)) for number in range(3)]
                await asyncio.sleep(0)
                jobs[1].cancel()
            assert await asyncio.gather(*jobs, return_exceptions=True) != [0, 1, 2]
            assert jobs[1].cancelled()
            assert await writer.write(_numbers) == [0, 1, 2]

    asyncio.run(check())


def test_a_loop_that_has_gone_does_not_stop_the_writer(tmp_path):
    async def abandon(writer):
        asyncio.ensure_future(writer.write(_insert, 1))  # noqa: RUF006
        await asyncio.sleep(0)

    async def check():
        async with writing(tmp_path) as (writer, _):
            with another_process_writing(tmp_path):
                await asyncio.to_thread(asyncio.run, abandon(writer))
            assert await writer.write(_numbers) == [1]

    asyncio.run(check())


def test_a_full_disk_fails_the_transaction_and_later_it_works_again(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            claim = await running(store)
            pages = await store._writer.write(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
            await store._writer.write(
                lambda db: db.execute(f"PRAGMA max_page_count = {pages + 3}").fetchone()[0]
            )
            text = "x" * 16_000
            with another_process_writing(tmp_path):
                writes = [
                    store.accept(acceptance("small")),
                    store.append(claim.ownership, entries(2, step_output(1, text), step_output(1, text))),
                    store.append(Ownership("one", "nobody", 1), []),
                ]
                asked = [asyncio.ensure_future(write) for write in writes]
                await asyncio.sleep(0)
            results = await asyncio.gather(*asked, return_exceptions=True)
            refused = [result for result in results if isinstance(result, StoreUnavailable)]
            assert results[1] in refused
            assert all(
                str(tmp_path) in error.message and "disk is full" in error.message for error in refused
            )
            written = {row.id for row in await store.executions(ExecutionFilter())} - {"one"}
            assert written == ({"small"} if results[0] is None else set())
            assert (await store.heads(["one"]))["one"].last_seq == 2
            await store._writer.write(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchone()[0])
            await store.append(claim.ownership, entries(2, step_output(1, text)))
            assert (await store.heads(["one"]))["one"].last_seq == 3

    asyncio.run(check())


@contextmanager
def files_no_longer_than(size):
    """The operating system refuses to make a file of this process longer: a write fails in the middle of a commit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_commit_that_fails_fails_all_of_it_and_later_it_works_again(tmp_path):
    async def check():
        async with opened(tmp_path) as store:
            claim = await running(store)
            log = (tmp_path / "journal.db-wal").stat().st_size
            with files_no_longer_than(log + 4096):
                with another_process_writing(tmp_path):
                    asked = [
                        asyncio.ensure_future(store.accept(acceptance(str(number)))) for number in range(8)
                    ]
                    asked.append(
                        asyncio.ensure_future(
                            store.append(claim.ownership, entries(2, step_output(1, "x" * 9000)))
                        )
                    )
                    await asyncio.sleep(0)
                results = await asyncio.gather(*asked, return_exceptions=True)
                assert {type(result) for result in results} == {StoreUnavailable}
                assert [row.id for row in await store.executions(ExecutionFilter())] == ["one"]
            await asyncio.gather(*(store.accept(acceptance(str(number))) for number in range(8)))
            await store.append(claim.ownership, entries(2, step_output(1, "x")))
            assert len(await store.executions(ExecutionFilter())) == 9
            assert (await store.heads(["one"]))["one"].last_seq == 3

    asyncio.run(check())
