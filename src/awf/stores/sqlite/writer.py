"""Group commit: one thread writes for everyone in the process.

Whoever has something to write puts a job into a queue. The thread takes what is there, performs it in one transaction,
commits once, and tells all of them. The invariants:

- A job's future is resolved after the commit that holds it, never before.
- A job that raises leaves nothing behind and does not disturb the others of its transaction.
- A fault of the machine (disk full, say) fails every job of the transaction, and nothing of it is written.
- It is resolved after a look whether the files that were written are still the ones that are there.
- The transaction happens under the turnstile and takes in no more jobs than some milliseconds' worth.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Concatenate, ParamSpec, TypeVar

from awf.stores.sqlite.faults import closed, is_fault, unavailable
from awf.stores.sqlite.files import Files
from awf.stores.sqlite.session import Session
from awf.stores.sqlite.turnstile import Turnstile

P = ParamSpec("P")
T = TypeVar("T")

SPAN = 0.005
"""Seconds after which a transaction takes in no further job."""

SHARED_SPAN = 0.001
"""The same while another process waits for its turn."""

JOBS = 256
"""The most jobs of one transaction."""


class _Job:
    __slots__ = ("error", "function", "future", "loop", "result")

    def __init__(self, function: Callable[[sqlite3.Connection], object]) -> None:
        self.function = function
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: object = None
        self.error: Exception | None = None

    def resolve(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """The writing thread of one store."""

    def __init__(self, directory: Path, connect: Callable[[], sqlite3.Connection], files: Files) -> None:
        """``connect`` runs in the thread, under the turnstile. Raises what it raises, and OSError."""
        self._directory = directory
        self._session = Session(connect, files)
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="awf-writer", daemon=True)
        self._thread.start()
        ready.result()

    async def write(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Perform ``function(connection, …)`` in a transaction; returns when it is committed.

        Raises StoreUnavailable, and what the function raises. A caller that is cancelled does not take its job back.
        """
        if self._closed:
            raise closed(self._directory)
        job = _Job(lambda connection: function(connection, *args, **kwargs))
        self._queue.put(job)
        result: T = await job.future
        return result

    def finish(self) -> None:
        """Take in nothing more."""
        self._closed = True

    def close(self) -> None:
        """Perform what is queued, then end the thread. ``finish`` has been called, and no reader is open any more:
        of two connections that close at the same moment neither is the last, and the log would be left."""
        self._queue.put(None)
        self._thread.join()

    def _run(self, ready: Future[None]) -> None:
        try:
            turnstile = Turnstile(self._directory)
        except OSError as error:
            ready.set_exception(error)
            return
        try:
            with turnstile:
                self._session.connection()
        except BaseException as error:
            turnstile.close()
            ready.set_exception(error)
            return
        ready.set_result(None)
        while (job := self._queue.get()) is not None:
            self._transact(turnstile, job)
        with suppress(OSError, sqlite3.Error), turnstile:
            # The last connection to a database checkpoints it.
            self._session.close()
        turnstile.close()

    def _transact(self, turnstile: Turnstile, first: _Job) -> None:
        jobs = [first]
        try:
            with turnstile:
                connection = self._session.connection()
                with _transaction(connection):
                    began = monotonic()
                    _perform(connection, first)
                    while (
                        len(jobs) < JOBS and _goes_on(began, turnstile) and (job := self._next()) is not None
                    ):
                        jobs.append(job)
                        _perform(connection, job)
                self._session.confirm()
        except Exception as error:
            for job in jobs:
                job.error = unavailable(self._directory, error) if is_fault(error) else error
        _deliver(jobs)

    def _next(self) -> _Job | None:
        try:
            job = self._queue.get_nowait()
        except Empty:
            return None
        if job is None:
            self._queue.put(None)
        return job


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.rollback()
        raise


def _goes_on(began: float, turnstile: Turnstile) -> bool:
    span = monotonic() - began
    return span < SHARED_SPAN or (span < SPAN and not turnstile.awaited())


def _perform(connection: sqlite3.Connection, job: _Job) -> None:
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.function(connection)
    except Exception as error:
        if is_fault(error):
            raise
        job.error = error
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _deliver(jobs: list[_Job]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, resolved in by_loop.items():
        with suppress(RuntimeError):  # the loop has been closed meanwhile: nobody waits
            loop.call_soon_threadsafe(partial(_resolve, resolved))


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        job.resolve()
