"""The store of one machine: a directory with an SQLite database, shared by all processes of the project."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from awf.journal.events import Entry, Json, Stream
from awf.journal.store import (
    Acceptance,
    Claim,
    ExecutionFilter,
    ExecutionRow,
    Head,
    Intent,
    Ownership,
    Statistics,
    StepRow,
    StepText,
)
from awf.stores.sqlite import reads, writes
from awf.stores.sqlite.connection import (
    Durability,
    expect_database,
    open_reader,
    open_upkeep,
    open_writer,
    prepare_directory,
)
from awf.stores.sqlite.faults import unopened
from awf.stores.sqlite.files import Files
from awf.stores.sqlite.pruning import Pruning
from awf.stores.sqlite.readers import Readers
from awf.stores.sqlite.schema import migrate
from awf.stores.sqlite.upkeep import Checkpoints
from awf.stores.sqlite.writer import Writer


class SqliteStore:
    """The store port over SQLite. Make one with :meth:`open`; see ``journal.store`` for what the verbs do."""

    def __init__(self, directory: Path, writer: Writer, files: Files) -> None:
        self._writer = writer
        # Statistics read a whole index: in a thread of their own they do not keep short reads waiting.
        self._reads = Readers(directory, open_reader, files, self._reopen, threads=2, name="reads")
        self._scans = Readers(directory, open_reader, files, self._reopen, threads=1, name="scans")
        self._upkeep = Readers(directory, open_upkeep, files, self._reopen, threads=1, name="upkeep")
        self._checkpoints = Checkpoints(directory)
        self._pruning = Pruning(self._scans, writer)

    @classmethod
    def open(cls, directory: Path, *, durability: Durability = "full", create: bool = True) -> SqliteStore:
        """Open the store in a directory. Blocks for some milliseconds.

        It is made where it does not exist; without ``create`` that raises RequestInvalid.

        ``durability``: ``full`` survives a crash of the machine, ``fast`` one of the process. Raises StoreUnavailable
        where the directory cannot be used, StoreIncompatible where a newer awf or something else wrote it.
        """
        if not create:
            expect_database(directory)
        try:
            prepare_directory(directory)
            files = Files(directory)
            return cls(directory, Writer(directory, partial(_connect, directory, durability), files), files)
        except (OSError, sqlite3.Error) as error:
            raise unopened(directory, error) from error

    async def accept(self, acceptance: Acceptance) -> None:
        await self._writer.write(writes.accept, acceptance)

    async def add_intent(
        self,
        execution: str,
        kind: Literal["cancel", "respond"],
        data: Json,
        now: int,
        *,
        question: int | None = None,
    ) -> bool:
        return await self._writer.write(writes.add_intent, execution, kind, data, now, question)

    async def claim(
        self,
        owner: str,
        *,
        free: Collection[str],
        limit: int,
        only: Collection[str] | None = None,
        due: int = 0,
    ) -> list[Claim]:
        return await self._writer.write(writes.claim, owner, free, limit, only, due)

    async def append(
        self, ownership: Ownership, entries: Sequence[Entry], *, intents: Sequence[int] = ()
    ) -> None:
        await self._writer.write(writes.append, ownership, entries, intents)

    async def owners(self) -> set[str]:
        return await self._reads.read(reads.owners)

    async def held(self, owner: str) -> dict[str, int]:
        return await self._reads.read(reads.held, owner)

    async def unfinished(self) -> int:
        return await self._reads.read(reads.unfinished)

    async def intents(self) -> list[Intent]:
        return await self._reads.read(reads.intents)

    async def journal(
        self, execution: str, *, after: int = 0, limit: int = 1000, types: Collection[str] | None = None
    ) -> list[Entry]:
        return await self._reads.read(reads.journal, execution, after, limit, types)

    async def heads(self, executions: Collection[str]) -> dict[str, Head]:
        return await self._reads.read(reads.heads, executions)

    async def execution(self, execution: str) -> ExecutionRow | None:
        return await self._reads.read(reads.execution, execution)

    async def executions(self, query: ExecutionFilter) -> list[ExecutionRow]:
        return await self._reads.read(reads.executions, query)

    async def statistics(self, query: ExecutionFilter) -> Statistics:
        return await self._scans.read(reads.statistics, query)

    async def steps(
        self, execution: str, *, after: int = 0, limit: int = 100, latest: bool = False
    ) -> list[StepRow]:
        return await self._reads.read(reads.steps, execution, after, limit, latest)

    async def step_text(
        self, execution: str, step: int, stream: Stream, *, limit: int | None = None
    ) -> StepText | None:
        return await self._reads.read(reads.step_text, execution, step, stream, limit)

    async def sources(self, digests: Collection[str]) -> dict[str, str]:
        return await self._reads.read(reads.sources, digests)

    async def secrets(self, execution: str) -> dict[str, Json]:
        return await self._reads.read(reads.secrets, execution)

    async def prune(self, *, ended_before: int | None = None, keep: int | None = None) -> bool:
        return await self._pruning.bite(ended_before, keep)

    async def maintain(self) -> None:
        await self._upkeep.perform(self._checkpoints.make)

    async def _reopen(self) -> None:
        # Whatever is written looks at the files first.
        await self._writer.write(writes.nothing)

    async def close(self) -> None:
        threads = (self._upkeep, self._scans, self._reads, self._writer)
        for thread in threads:
            thread.finish()
        await asyncio.to_thread(lambda: [thread.close() for thread in threads])


def _connect(directory: Path, durability: Durability) -> sqlite3.Connection:
    connection = open_writer(directory, durability)
    try:
        migrate(connection, directory)
    except BaseException:
        connection.close()
        raise
    return connection
