"""Rows of the database as rows of the port. Columns are named as the fields are."""

from __future__ import annotations

import sqlite3
from typing import Any

from awf.journal import codec
from awf.journal.events import ExecutionAccepted
from awf.journal.store import ExecutionRow, StepRow

_EXECUTION = frozenset(ExecutionRow.__struct_fields__)


def execution_row(row: sqlite3.Row) -> ExecutionRow:
    """The row of an execution; with its inputs where the columns of its first entry are there."""
    fields: dict[str, Any] = {name: row[name] for name in row.keys() if name in _EXECUTION}  # noqa: SIM118
    if "accepted_body" in row.keys() and row["accepted_body"] is not None:  # noqa: SIM118
        fact = codec.decode(row["accepted_type"], row["accepted_version"], row["accepted_body"])
        assert isinstance(fact, ExecutionAccepted)
        fields["inputs"] = fact.inputs
    return ExecutionRow(**fields)


def step_row(row: sqlite3.Row) -> StepRow:
    """The row of a step."""
    fields = dict(zip(row.keys(), row, strict=True))
    return StepRow(**{**fields, "reused": bool(fields["reused"])})
