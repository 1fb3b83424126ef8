"""Reading, in threads that each have a connection of their own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from awf.errors import ReplayDiverged
from awf.stores.sqlite.faults import closed, unavailable, unreadable
from awf.stores.sqlite.files import Files, Seat

P = ParamSpec("P")
T = TypeVar("T")


class Readers:
    """A few threads that perform functions with a connection; started when first needed."""

    def __init__(
        self,
        directory: Path,
        connect: Callable[[Path], sqlite3.Connection],
        files: Files,
        reopen: Callable[[], Awaitable[None]],
        *,
        threads: int,
        name: str,
    ) -> None:
        """``reopen`` makes the store go over to the files that are there, where those in use have been removed."""
        self._directory = directory
        self._files = files
        self._reopen = reopen
        self._connect = connect
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"awf-{name}")
        self._local = threading.local()
        self._seats: list[Seat] = []
        self._closed = False

    async def read(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Perform ``function(connection, …)`` on one snapshot of the database. Raises StoreUnavailable."""

        def snapshot(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return function(connection, *args, **kwargs)
            finally:
                with suppress(sqlite3.Error):
                    connection.rollback()

        return await self.perform(snapshot)

    async def perform(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Perform ``function(connection)``, without a transaction. Raises StoreUnavailable."""
        if self._closed:
            raise closed(self._directory)
        if self._files.changed():
            await self._reopen()
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._perform, function)

    def finish(self) -> None:
        """Take in nothing more."""
        self._closed = True

    def close(self) -> None:
        """Perform what is queued, then end the threads and close their connections."""
        self._executor.shutdown(wait=True)
        while self._seats:
            self._seats.pop().close()

    def _perform(self, function: Callable[[sqlite3.Connection], T]) -> T:
        try:
            seat: Seat | None = getattr(self._local, "seat", None)
            if seat is None:
                seat = self._local.seat = self._files.seat()
                self._seats.append(seat)
            with seat.lock:
                if seat.connection is None:
                    seat.connection = self._connect(self._directory)
                return function(seat.connection)
        except (OSError, sqlite3.Error) as error:
            raise unavailable(self._directory, error) from error
        except ReplayDiverged as error:
            raise unreadable(self._directory, error) from error
