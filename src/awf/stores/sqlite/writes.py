"""What the writing thread does for each verb, inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from awf.errors import NotResumable, OwnershipLost
from awf.journal import codec
from awf.journal.events import Entry, Json
from awf.journal.projection import accepted_row, project
from awf.journal.store import Acceptance, Claim, ExecutionRow, Ownership, StepRow
from awf.stores.rules import accepted_before, check_entries, check_owner
from awf.stores.sqlite.rows import execution_columns, owned_row, read_questions, step_columns, step_row
from awf.stores.sqlite.statements import statement


def nothing(db: sqlite3.Connection) -> None:
    """Write nothing."""


def accept(db: sqlite3.Connection, acceptance: Acceptance) -> None:
    """See Store.accept."""
    resumed = acceptance.fact.resumed
    if resumed is not None and db.execute(statement("is_kept"), (resumed.execution,)).fetchone() is None:
        raise NotResumable(resumed.execution)
    latest = db.execute(statement("latest_start")).fetchone()
    at = max(acceptance.now, latest["started_at"]) if latest else acceptance.now
    entry = Entry(1, at, acceptance.fact)
    row = accepted_row(acceptance.id, 0, entry, acceptance.owner)
    written = db.execute(statement("accept"), execution_columns(row)).fetchone()
    if written is None:
        raise accepted_before(acceptance.id)
    ordinal = written["ordinal"]
    _append_events(db, ordinal, [entry])
    db.executemany(statement("keep_source"), acceptance.sources.items())
    pinned = {*acceptance.sources, *acceptance.fact.definition.values()}
    db.executemany(statement("note_use"), [(digest, ordinal) for digest in pinned])
    if acceptance.secrets:
        db.execute(statement("keep_secrets"), (ordinal, msgspec.json.encode(acceptance.secrets)))


def add_intent(
    db: sqlite3.Connection,
    execution: str,
    kind: Literal["cancel", "respond"],
    data: Json,
    now: int,
    question: int | None,
) -> bool:
    """See Store.add_intent."""
    target = db.execute(statement("intent_target"), (execution,)).fetchone()
    if target is None:
        return False
    if kind == "cancel":
        if target["cancel_asked"]:
            return True
        db.execute(statement("note_cancel"), (target["ordinal"],))
    asked = {waiting.question for waiting in read_questions(target["waiting"])}
    if question is not None and question not in asked:
        return False
    values = (target["ordinal"], kind, msgspec.json.encode(data), now, question)
    return db.execute(statement("add_intent"), values).rowcount == 1


def claim(
    db: sqlite3.Connection,
    owner: str,
    free: Collection[str],
    limit: int,
    only: Collection[str] | None,
    due: int,
) -> list[Claim]:
    """See Store.claim."""
    if only is None:
        rows = db.execute(statement("claim_unowned"), {"limit": limit}).fetchall()
        rows += db.execute(statement("claim_due"), {"due": due, "limit": limit}).fetchall()
        for dead in set(free):
            rows += db.execute(statement("claim_abandoned"), {"owner": dead, "limit": limit}).fetchall()
    else:
        named = db.execute(statement("claim_named"), {"ids": msgspec.json.encode(list(only)).decode()})
        rows = [row for row in named if row["owner"] is None or row["owner"] in free]
    rows.sort(key=lambda row: (row["fresh"], row["ordinal"]))
    return [_take(db, owner, row) for row in rows[:limit]]


def append(
    db: sqlite3.Connection, ownership: Ownership, entries: Sequence[Entry], intents: Sequence[int]
) -> None:
    """See Store.append."""
    found = db.execute(statement("owned"), (ownership.execution,)).fetchone()
    if found is None:
        raise OwnershipLost(f"execution {ownership.execution} is unknown")
    row, fence = owned_row(found)
    check_owner(ownership, row.owner, fence)
    check_entries(ownership.execution, row.last_seq, entries)
    before = _turning(row)
    ordinal = row.order

    def known(number: int) -> StepRow | None:
        step = db.execute(statement("step"), (ordinal, number)).fetchone()
        return step_row(step) if step else None

    _append_events(db, ordinal, entries)
    steps = project(row, entries, known)
    db.executemany(statement("put_step"), [step_columns(ordinal, step) for step in steps.values()])
    fields = execution_columns(row)
    db.execute(statement("advance"), fields)
    if _turning(row) != before:
        db.execute(statement("turn"), fields)
    if intents:
        db.executemany(statement("drop_intent"), [(intent, ordinal) for intent in intents])
    if row.completed_at is not None:
        db.execute(statement("drop_intents_of"), (ordinal,))


def _append_events(db: sqlite3.Connection, ordinal: int, entries: Sequence[Entry]) -> None:
    db.executemany(
        statement("append_event"),
        [
            (ordinal, entry.seq, entry.at, getattr(entry.fact, "step", None), *codec.encode(entry.fact))
            for entry in entries
        ],
    )


def _turning(row: ExecutionRow) -> tuple[object, ...]:
    """What changes a few times only in the life of an execution."""
    return row.status, row.owner, row.running_since, row.waiting, row.usage


def _take(db: sqlite3.Connection, owner: str, row: sqlite3.Row) -> Claim:
    fence = db.execute(statement("take"), {"owner": owner, "ordinal": row["ordinal"]}).fetchone()["fence"]
    return Claim(
        ownership=Ownership(row["id"], owner, fence), last_seq=row["last_seq"], previous=row["owner"]
    )
