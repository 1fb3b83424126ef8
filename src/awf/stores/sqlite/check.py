"""Checking a store: the database as SQLite sees it, and everything that the journals promise."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct, field

from awf.errors import AwfError
from awf.journal import codec
from awf.journal.events import Entry, ExecutionAccepted
from awf.journal.projection import accepted_row, project
from awf.journal.store import ExecutionRow, StepRow
from awf.stores.sqlite.connection import expect_database, open_reader
from awf.stores.sqlite.faults import incompatible, unopened
from awf.stores.sqlite.rows import listed_row, step_row
from awf.stores.sqlite.schema import migrations
from awf.stores.sqlite.statements import statement

PAGE = 500
"""Executions that are looked at in one snapshot: the log of a busy store must not wait for the whole check."""

NO_PROJECTIONS = frozenset({"owner", "parked", "wake_at", "inputs", "warnings"})
"""Columns that claims change too, and fields that a list does not have."""

DAMAGES = 20
"""Findings of SQLite itself that are told at most."""


class Check(Struct):
    """What was found: one line per finding, and how much was looked at."""

    findings: list[str] = field(default_factory=list)
    executions: int = 0
    entries: int = 0


def check(directory: Path) -> Check:
    """Look at everything, beside whoever uses the store. Raises RequestInvalid where there is no store,
    StoreUnavailable, StoreIncompatible."""
    found = Check()
    expect_database(directory)
    try:
        with closing(open_reader(directory)) as db:
            known, version = len(migrations()), db.execute("PRAGMA user_version").fetchone()[0]
            if version != known:
                raise incompatible(
                    directory, f"its journal.db has version {version}, and this awf checks {known}:"
                )
            _check_database(db, found)
            _check_executions(db, found)
            _check_orphans(db, found)
    except (OSError, sqlite3.Error) as error:
        if not found.findings:
            raise unopened(directory, error) from error
        found.findings.append(f"the check ended here: {error}")
    return found


def _check_database(db: sqlite3.Connection, found: Check) -> None:
    try:
        rows = [row[0] for row in db.execute(f"PRAGMA integrity_check({DAMAGES})")]
    except sqlite3.DatabaseError as error:
        rows = [str(error)]
    for row in rows:
        found.findings += [f"database: {line.strip()}" for line in row.splitlines() if line != "ok"]


def _check_executions(db: sqlite3.Connection, found: Check) -> None:
    after = 0
    while True:
        with _snapshot(db):
            rows = db.execute(statement("executions_after"), (after, PAGE)).fetchall()
            texts = {row["digest"] for row in db.execute(statement("digests"))}
            for row in rows:
                _check_execution(db, listed_row(row), texts, found)
        if not rows:
            return
        after = rows[-1]["order"]


def _check_execution(db: sqlite3.Connection, row: ExecutionRow, texts: set[str], found: Check) -> None:
    found.executions += 1
    try:
        problems = [*_differences(db, row, texts, found)]
    except (sqlite3.DatabaseError, AwfError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        problems = [f"its journal cannot be read: {error}"]
    found.findings += [f"execution {row.id}: {problem}" for problem in problems]


def _differences(db: sqlite3.Connection, row: ExecutionRow, texts: set[str], found: Check) -> Iterator[str]:
    folded: ExecutionRow | None = None
    steps: dict[int, StepRow] = {}
    last = 0
    for seq, at, type, version, body in db.execute(statement("whole_journal"), (row.order,)):
        if seq != last + 1:
            yield f"entry {seq} follows entry {last} of its journal"
        last = seq
        found.entries += 1
        entry = Entry(seq, at, codec.decode(type, version, body))
        if folded is not None:
            steps.update(project(folded, [entry], steps.get))
        elif isinstance(entry.fact, ExecutionAccepted):
            folded = accepted_row(row.id, row.order, entry)
            for role, digest in entry.fact.definition.items():
                if digest not in texts:
                    yield f"the pinned text of its {role} is missing"
    if folded is None:
        yield "its journal does not begin with its acceptance"
        return
    for name in _unequal(row, folded, NO_PROJECTIONS):
        yield f"its row says {name} {getattr(row, name)!r}, its journal {getattr(folded, name)!r}"
    yield from _step_differences(db, row, steps)


def _step_differences(db: sqlite3.Connection, row: ExecutionRow, folded: dict[int, StepRow]) -> Iterator[str]:
    kept = {step.step: step for step in map(step_row, db.execute(statement("whole_steps"), (row.order,)))}
    for number in sorted(kept.keys() | folded.keys()):
        if number not in kept or number not in folded:
            yield f"step {number} is only in its {'journal' if number in folded else 'rows'}"
            continue
        for name in _unequal(kept[number], folded[number], frozenset()):
            yield (
                f"the row of step {number} says {name} {getattr(kept[number], name)!r}, "
                f"its journal {getattr(folded[number], name)!r}"
            )


def _unequal(row: msgspec.Struct, folded: msgspec.Struct, but: frozenset[str]) -> list[str]:
    if row == folded:
        return []
    names = [name for name in row.__struct_fields__ if name not in but]
    return [name for name in names if getattr(row, name) != getattr(folded, name)]


def _check_orphans(db: sqlite3.Connection, found: Check) -> None:
    with _snapshot(db):
        for row in db.execute(statement("orphans")):
            found.findings.append(f"{row['what']} of number {row['ordinal']} belong to no execution")


@contextmanager
def _snapshot(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.rollback()
