"""Fills a store with finished executions, for measuring: straight into the tables, a million in some seconds."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from awf.journal import codec
from awf.journal.events import Entry, ExecutionStarted
from awf.journal.projection import accepted_row, project
from awf.journal.store import ExecutionRow, row_dict
from awf.stores.sqlite.connection import open_writer, prepare_directory
from awf.stores.sqlite.rows import step_columns
from awf.stores.sqlite.schema import migrate
from awf.stores.sqlite.statements import statement
from awf.stores.sqlite.turnstile import Turnstile
from awf.testing.builders import (
    EPOCH,
    FINALS,
    SECOND,
    acceptance,
    accepted,
    entries,
    step_completed,
    step_started,
)

WORKFLOWS = ("build-app", "code-review", "deploy-app", "nightly-report")
RARE_WORKFLOW = "disaster-drill"
"""Has about one execution in 50,000."""

RARE_STATUS = "cancelled"
"""Is that of about one execution in 1,000; one in ten has failed."""

_INSERT = """
INSERT INTO executions (
    id, workflow, status, current_step, started_at, updated_at, running_since, completed_at, error, exit_code, fence,
    last_seq
) VALUES (
    :id, :workflow, :status, :current_step, :started_at, :updated_at, :running_since, :completed_at, :error, :exit_code,
    1, :last_seq
)
"""


def fill(directory: Path, count: int, *, journals: int = 100, seed: int = 1, start: int = EPOCH) -> None:
    """Append ``count`` finished executions to the store in ``directory``, which is made where it does not exist.

    The last ``journals`` of them have what a real one has; the others are rows without a journal, as lists and
    statistics need no more. About a second lies between two; the first is accepted at ``start`` (microseconds).
    """
    prepare_directory(directory)
    turnstile = Turnstile(directory)
    with turnstile:
        db = open_writer(directory, "fast")
        migrate(db, directory)
        db.execute("BEGIN IMMEDIATE")
        rows = _rows(random.Random(seed), count, start)
        bare = max(0, count - journals)
        db.executemany(_INSERT, (next(rows) for _ in range(bare)))
        for row in rows:
            _with_journal(db, row)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
    turnstile.close()


def _rows(chance: random.Random, count: int, start: int) -> Iterator[dict[str, Any]]:
    at = start
    for _ in range(count):
        at += chance.randrange(2 * SECOND)
        draw = chance.random()
        status = RARE_STATUS if draw < 0.001 else "failed" if draw < 0.1 else "completed"
        digits = f"{chance.getrandbits(128):032x}"
        ended = at + chance.randrange(600 * SECOND)
        yield {
            "id": f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
            "workflow": RARE_WORKFLOW if chance.random() < 0.00002 else chance.choice(WORKFLOWS),
            "status": status,
            "current_step": "build",
            "started_at": at,
            "updated_at": ended,
            "running_since": at,
            "completed_at": ended,
            "error": "exit code 1" if status == "failed" else None,
            "exit_code": None if status == "cancelled" else int(status == "failed"),
            "last_seq": 1,
        }


def _with_journal(db: sqlite3.Connection, bare: dict[str, Any]) -> None:
    at, ended = bare["started_at"], bare["completed_at"]
    first = Entry(1, at, accepted(workflow=bare["workflow"]))
    rest = entries(1, ExecutionStarted(engine="engine"), step_started(), step_completed(), at=at)
    rest += entries(4, FINALS[bare["status"]], at=ended)
    row: ExecutionRow = accepted_row(bare["id"], 0, first)
    steps = project(row, rest, lambda _: None)
    ordinal = db.execute(_INSERT, row_dict(row)).lastrowid
    assert ordinal is not None
    sources = acceptance().sources
    db.executemany(statement("keep_source"), sources.items())
    db.executemany(statement("note_use"), [(digest, ordinal) for digest in sources])
    db.executemany(
        statement("append_event"),
        [
            (ordinal, entry.seq, entry.at, getattr(entry.fact, "step", None), *codec.encode(entry.fact))
            for entry in (first, *rest)
        ],
    )
    for step in steps.values():
        db.execute(statement("put_step"), step_columns(ordinal, step))
