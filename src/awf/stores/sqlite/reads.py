"""What a reading thread does for each verb, on one snapshot of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator

import msgspec

from awf.domain.outcomes import Usage
from awf.journal import codec
from awf.journal.events import AnyFact, Entry, Json, Stream
from awf.journal.store import (
    ExecutionFilter,
    ExecutionRow,
    ExecutionStatus,
    Head,
    Intent,
    Statistics,
    StepRow,
    StepText,
)
from awf.journal.text import stream_text
from awf.stores.rules import FINISHED, UNFINISHED
from awf.stores.sqlite.rows import execution_row, listed_row, step_row
from awf.stores.sqlite.statements import statement

_LAST = (1 << 63) - 1


def owners(db: sqlite3.Connection) -> set[str]:
    """See Store.owners."""
    return {row["owner"] for row in db.execute(statement("owners"))}


def held(db: sqlite3.Connection, owner: str) -> dict[str, int]:
    """See Store.held."""
    return {row["id"]: row["fence"] for row in db.execute(statement("held"), (owner,))}


def unfinished(db: sqlite3.Connection) -> int:
    """See Store.unfinished."""
    count: int = db.execute(statement("unfinished")).fetchone()[0]
    return count


def finished(db: sqlite3.Connection) -> int:
    """How many executions are finished."""
    wanted = {"first": 0, "last": _LAST}
    return sum(
        db.execute(statement("count_by_status"), {"status": status, **wanted}).fetchone()[0]
        for status in FINISHED
    )


def intents(db: sqlite3.Connection) -> list[Intent]:
    """See Store.intents."""
    return [
        Intent(
            id=row["id"],
            execution=row["execution"],
            kind=row["kind"],
            data=msgspec.json.decode(row["data"]),
            at=row["at"],
            owner=row["owner"],
        )
        for row in db.execute(statement("intents"))
    ]


def journal(
    db: sqlite3.Connection, execution: str, after: int, limit: int, types: Collection[str] | None
) -> list[Entry]:
    """See Store.journal."""
    wanted: dict[str, object] = {"execution": execution, "after": after, "limit": limit}
    if types is None:
        rows = db.execute(statement("journal"), wanted)
    else:
        rows = db.execute(statement("journal_of_types"), {**wanted, "types": _array(types)})
    return [Entry(seq, at, codec.decode(type, version, body)) for seq, at, type, version, body in rows]


def heads(db: sqlite3.Connection, executions: Collection[str]) -> dict[str, Head]:
    """See Store.heads."""
    rows = db.execute(statement("heads"), (_array(executions),))
    return {row["id"]: Head(row["last_seq"], bool(row["finished"])) for row in rows}


def execution(db: sqlite3.Connection, id: str) -> ExecutionRow | None:
    """See Store.execution."""
    row = db.execute(statement("execution"), (id,)).fetchone()
    return execution_row(row) if row else None


def executions(db: sqlite3.Connection, query: ExecutionFilter) -> list[ExecutionRow]:
    """See Store.executions. Each status is a range of an index; the newest of all ranges are the page."""
    first, last = _span(db, query)
    if query.before is not None:
        last = min(last, query.before - 1)
    name = "newest_by_status" if query.workflow is None else "newest_by_workflow"
    ordinals: list[int] = []
    for status in _statuses(query, FINISHED if query.history else UNFINISHED + FINISHED):
        wanted = {
            "workflow": query.workflow,
            "status": status,
            "first": first,
            "last": last,
            "limit": query.limit,
        }
        ordinals += (row["ordinal"] for row in db.execute(statement(name), wanted))
    newest = sorted(ordinals, reverse=True)[: query.limit]
    return [listed_row(row) for row in db.execute(statement("executions"), (_array(newest),))]


def statistics(db: sqlite3.Connection, query: ExecutionFilter) -> Statistics:
    """See Store.statistics."""
    first, last = _span(db, query)
    name = "count_by_status" if query.workflow is None else "count_by_workflow"
    counts: dict[str, int] = {}
    spent, usage = 0, Usage()
    for status in _statuses(query, FINISHED):
        wanted = {"workflow": query.workflow, "status": status, "first": first, "last": last}
        count, duration = db.execute(statement(name), wanted).fetchone()
        counts[status] = count
        spent += duration
        sums = dict(db.execute(statement("sum_usage"), wanted).fetchone())
        usage += Usage(**{**sums, "estimated": bool(sums["estimated"])})
    total = sum(counts.values())
    average = spent // (total * 1000) if total else 0
    return Statistics(total=total, average_ms=average, usage=usage, **counts)


def steps(db: sqlite3.Connection, execution: str, after: int, limit: int, latest: bool) -> list[StepRow]:
    """See Store.steps."""
    name = "latest_steps" if latest else "steps"
    rows = db.execute(statement(name), {"execution": execution, "after": after, "limit": limit})
    found = [step_row(row) for row in rows]
    return found[::-1] if latest else found


def step_text(
    db: sqlite3.Connection, execution: str, step: int, stream: Stream, limit: int | None
) -> StepText | None:
    """See Store.step_text."""
    attempt = db.execute(statement("attempt"), {"execution": execution, "step": step}).fetchone()
    if attempt is None:
        return None
    wanted = {
        "ordinal": attempt["ordinal"],
        "first": attempt["first_seq"],
        "last": attempt["last_seq"] or _LAST,
        "step": step,
    }
    return stream_text(_facts(db.execute(statement("attempt_events"), wanted)), stream, limit)


def sources(db: sqlite3.Connection, digests: Collection[str]) -> dict[str, str]:
    """See Store.sources."""
    return {row["digest"]: row["text"] for row in db.execute(statement("sources"), (_array(digests),))}


def secrets(db: sqlite3.Connection, execution: str) -> dict[str, Json]:
    """See Store.secrets."""
    row = db.execute(statement("secrets"), (execution,)).fetchone()
    return msgspec.json.decode(row["data"], type=dict[str, Json]) if row else {}


def _span(db: sqlite3.Connection, query: ExecutionFilter) -> tuple[int, int]:
    first, last = 0, _LAST
    if query.since is not None:
        row = db.execute(statement("first_since"), (query.since,)).fetchone()
        first = row["ordinal"] if row else _LAST
    if query.until is not None:
        row = db.execute(statement("last_until"), (query.until,)).fetchone()
        last = row["ordinal"] if row else 0
    return first, last


def _statuses(query: ExecutionFilter, among: tuple[ExecutionStatus, ...]) -> tuple[ExecutionStatus, ...]:
    if query.status is None:
        return among
    return (query.status,) if query.status in among else ()


def _facts(rows: sqlite3.Cursor) -> Iterator[AnyFact]:
    for type, version, body in rows:
        yield codec.decode(type, version, body)


def _array(values: Collection[str] | Collection[int]) -> str:
    return msgspec.json.encode(list(values)).decode()
