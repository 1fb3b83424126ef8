"""History pages and statistics over a million records, through HTTP, beside the bare query."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

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
    """One request and the bare query that answers it."""

    path: str
    sql: str
    values: tuple[object, ...] = ()


def measure(context: Context) -> Iterator[Figure]:
    """One store, filled in two parts."""
    server = context.server("history", {})
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
    return [
        Question("/api/history", PAGE.format(done)),
        Question(
            "/api/history?workflow=code-review&status=failed&limit=100",
            PAGE.format("workflow = ? AND status = ?"),
            both,
        ),
        Question("/api/history?status=cancelled", PAGE.format("status = ?"), ("cancelled",)),
        Question(
            f"/api/history?{span}",
            PAGE.format(f"{done} AND started_at BETWEEN ? AND ?"),
            (middle, middle + 3600 * 1_000_000),
        ),
        Question(f"/api/history?cursor={MANY // 2}", PAGE.format(f"{done} AND ordinal < ?"), (MANY // 2,)),
    ]


def _counts(middle: int) -> list[Question]:
    """Everything; one workflow; the newer half."""
    return [
        Question("/api/history/stats", COUNT.format("true")),
        Question("/api/history/stats?workflow=code-review", COUNT.format("workflow = ?"), ("code-review",)),
        Question(
            "/api/history/stats?" + urlencode({"since": _time(middle)}),
            COUNT.format("ordinal >= (SELECT min(ordinal) FROM executions WHERE started_at >= ?)"),
            (middle,),
        ),
    ]


def _figure(
    context: Context, client: Client, storage: Path, what: str, questions: Sequence[Question], limit: float
) -> Figure:
    rounds = context.many(100, 20) if "page" in what else context.many(40, 10)
    with closing(_open(storage)) as db:
        served, bare = [], []
        for number in range(-2, rounds):
            for question in questions:
                begin = time.perf_counter()
                answer = client.answer("GET", question.path)
                middle = time.perf_counter()
                rows = db.execute(question.sql, question.values).fetchall()
                end = time.perf_counter()
                if answer.status != 200 or not rows:
                    raise NotMeasured(f"{question.path} answers {answer.status}, the query {len(rows)} rows")
                if number >= 0:
                    served.append((middle - begin) * 1000)
                    bare.append((end - middle) * 1000)
    return Figure(
        what=f"{what}, p99",
        value=percentile(served, 99),
        unit="ms",
        floor=percentile(bare, 99),
        floor_is="the bare SQL query",
        limit=limit,
        of=f"{len(questions)} kinds of request, {rounds} times each; p50 {percentile(served, 50):.2f} ms",
    )


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
