"""Rows of the database as rows of the port. Columns are named as the fields are."""

from __future__ import annotations

import sqlite3
from typing import Any

from awf.journal import codec
from awf.journal.events import ExecutionAccepted
from awf.journal.store import ExecutionRow, StepRow


def owned_row(row: sqlite3.Row) -> tuple[ExecutionRow, int]:
    """The row of an execution, without its inputs, and its fence: what an append needs."""
    fields = _fields(row)
    fence = fields.pop("fence")
    return ExecutionRow(**fields), fence


def execution_row(row: sqlite3.Row) -> ExecutionRow:
    """The row of an execution, its inputs taken from the first entry of its journal."""
    fields = _fields(row)
    type, version, body = (fields.pop(f"accepted_{part}") for part in ("type", "version", "body"))
    if body is not None:
        fact = codec.decode(type, version, body)
        assert isinstance(fact, ExecutionAccepted)
        fields["inputs"] = fact.inputs
    return ExecutionRow(**fields)


def step_row(row: sqlite3.Row) -> StepRow:
    """The row of a step."""
    fields = _fields(row)
    fields["reused"] = bool(fields["reused"])
    return StepRow(**fields)


def _fields(row: sqlite3.Row) -> dict[str, Any]:
    return dict(zip(row.keys(), row, strict=True))
