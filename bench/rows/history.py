"""History pages and statistics over a million records, through HTTP.

The floor is the store's own reading in this process: what the server does too, without HTTP. A plain query, written
without knowledge of the store's indexes, says what the right answer is; an answer that differs is not measured.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from awf.journal.store import ExecutionFilter
from awf.stores.sqlite.connection import open_reader
from awf.stores.sqlite.reads import executions, statistics
from awf.testing.fill import fill
from bench.client import Client
from bench.context import Context
from bench.figures import Figure, NotMeasured, percentile

SOME, MANY = 100_000, 1_000_000
DATABASE = "journal.db"
PAGE = "SELECT id, workflow, status, started_at, completed_at, error, exit_code FROM executions WHERE {} \
ORDER BY ordinal DESC LIMIT 101"
COUNT = "SELECT status, count(*), sum(duration) FROM executions \
WHERE status IN ('completed', 'failed', 'cancelled') AND {} GROUP BY status"


@dataclass(frozen=True, slots=True)
class Question:
    """One request, the same question to the store, and a plain query that knows the answer."""

    path: str
    query: ExecutionFilter
    sql: str
    values: tuple[object, ...] = ()


def measure(context: Context) -> Iterator[Figure]:
    """One store, filled in two parts."""
    server = context.server("history", {}, AWF_RETENTION_DAYS="0", AWF_RETENTION_RECORDS="0")
    fill(server.storage, SOME)
    with server:
        client, middle = server.client(), _middle(server.storage)
        yield _figure(
            context, client, server.storage, f"statistics at {SOME:,} records", _counts(middle), 20.0
        )
    with closing(_open(server.storage)) as db:
        last = db.execute("SELECT max(started_at) FROM executions").fetchone()[0]
    fill(server.storage, MANY - SOME, seed=2, start=last)
    with server:
        client, middle = server.client(), _middle(server.storage)
        yield _figure(
            context, client, server.storage, f"history page at {MANY:,} records", _pages(middle), 20.0
        )
        yield _figure(
            context, client, server.storage, f"statistics at {MANY:,} records", _counts(middle), 200.0
        )


def _pages(middle: int) -> list[Question]:
    """The newest; the seed's example; a rare status; a span of time in the middle; a page deep down."""
    done, at = "completed_at IS NOT NULL", _time(middle)
    span = urlencode({"since": at, "until": _time(middle + 3600 * 1_000_000)})
    both = ("code-review", "failed")
    until = middle + 3600 * 1_000_000

    def wanted(**what: Any) -> ExecutionFilter:
        return ExecutionFilter(history=True, limit=101, **what)

    return [
        Question("/api/history", wanted(), PAGE.format(done)),
        Question(
            "/api/history?workflow=code-review&status=failed&limit=100",
            wanted(workflow="code-review", status="failed"),
            PAGE.format("workflow = ? AND status = ?"),
            both,
        ),
        Question(
            "/api/history?status=cancelled",
            wanted(status="cancelled"),
            PAGE.format("status = ?"),
            ("cancelled",),
        ),
        Question(
            f"/api/history?{span}",
            wanted(since=middle, until=until),
            PAGE.format(f"{done} AND started_at BETWEEN ? AND ?"),
            (middle, until),
        ),
        Question(
            f"/api/history?cursor={MANY // 2}",
            wanted(before=MANY // 2),
            PAGE.format(f"{done} AND ordinal < ?"),
            (MANY // 2,),
        ),
    ]


def _counts(middle: int) -> list[Question]:
    """Everything; one workflow; the newer half."""
    return [
        Question("/api/history/stats", ExecutionFilter(), COUNT.format("true")),
        Question(
            "/api/history/stats?workflow=code-review",
            ExecutionFilter(workflow="code-review"),
            COUNT.format("workflow = ?"),
            ("code-review",),
        ),
        Question(
            "/api/history/stats?" + urlencode({"since": _time(middle)}),
            ExecutionFilter(since=middle),
            COUNT.format("started_at >= ?"),
            (middle,),
        ),
    ]


def _figure(
    context: Context, client: Client, storage: Path, what: str, questions: Sequence[Question], limit: float
) -> Figure:
    rounds = context.many(100, 20) if "page" in what else context.many(40, 10)
    pages = "page" in what
    for question in questions:
        _check(client, storage, question, pages=pages)
    with closing(open_reader(storage)) as db:
        served, bare = [], []
        for number in range(-2, rounds):
            for question in questions:
                begin = time.perf_counter()
                answer = client.answer("GET", question.path)
                middle = time.perf_counter()
                if pages:
                    executions(db, question.query)
                else:
                    statistics(db, question.query)
                end = time.perf_counter()
                if answer.status != 200:
                    raise NotMeasured(f"{question.path} answers {answer.status}")
                if number >= 0:
                    served.append((middle - begin) * 1000)
                    bare.append((end - middle) * 1000)
    return Figure(
        what=f"{what}, p99",
        value=percentile(served, 99),
        unit="ms",
        floor=percentile(bare, 99),
        floor_is="the store's own reading in this process, without HTTP",
        limit=limit,
        of=f"{len(questions)} kinds of request, {rounds} times each; p50 {percentile(served, 50):.2f} ms",
    )


def _check(client: Client, storage: Path, question: Question, *, pages: bool) -> None:
    """Raises NotMeasured where the server's answer is not the one that a plain query gives."""
    body = client.get(question.path)
    with closing(_open(storage)) as db:
        rows = db.execute(question.sql, question.values).fetchall()
    if pages:
        answered: object = [entry["id"] for entry in body["entries"]]
        right: object = [row[0] for row in rows[:100]]
    else:
        counts = {row[0]: row[1] for row in rows}
        names = {"SuccessCount": "completed", "FailedCount": "failed", "CancelledCount": "cancelled"}
        answered = {status: body[name] for name, status in names.items()}
        right = {status: counts.get(status, 0) for status in names.values()}
    if not rows or answered != right:
        raise NotMeasured(f"{question.path} answers something else than a plain query")


def _open(storage: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(storage / DATABASE).as_uri()}?mode=ro", uri=True)


def _middle(storage: Path) -> int:
    """The start of the record in the middle."""
    with closing(_open(storage)) as db:
        count = db.execute("SELECT max(ordinal) FROM executions").fetchone()[0]
        started: int = db.execute(
            "SELECT started_at FROM executions WHERE ordinal = ?", (count // 2,)
        ).fetchone()[0]
    return started


def _time(microseconds: int) -> str:
    return (
        datetime.fromtimestamp(microseconds / 1e6, UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )
