"""Rows of the database as rows of the port. Columns are named as the fields are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from awf.domain.outcomes import Usage
from awf.journal import codec
from awf.journal.events import ExecutionAccepted
from awf.journal.store import ExecutionRow, StepRow, Waiting, row_dict


def owned_row(row: sqlite3.Row) -> tuple[ExecutionRow, int]:
    """The row of an execution, without its inputs, and its fence: what an append needs."""
    fields = _fields(row)
    fence = fields.pop("fence")
    return _execution(fields), fence


def execution_row(row: sqlite3.Row) -> ExecutionRow:
    """The row of an execution, its inputs and warnings taken from the first entry of its journal."""
    fields = _fields(row)
    type, version, body = (fields.pop(f"accepted_{part}") for part in ("type", "version", "body"))
    if body is not None:
        fact = codec.decode(type, version, body)
        assert isinstance(fact, ExecutionAccepted)
        fields["inputs"], fields["warnings"] = fact.inputs, fact.warnings
    return _execution(fields)


def listed_row(row: sqlite3.Row) -> ExecutionRow:
    """The row of an execution for a list, without its inputs."""
    return _execution(_fields(row))


def execution_columns(row: ExecutionRow) -> dict[str, Any]:
    """The way back, without inputs and warnings."""
    return {**row_dict(row), "waiting": questions(row.waiting), "usage": _stored(row.usage)}


def questions(waiting: Sequence[Waiting]) -> str | None:
    """What an execution waits for, as it is stored."""
    return msgspec.json.encode(waiting).decode() if waiting else None


def read_questions(stored: str | None) -> tuple[Waiting, ...]:
    """The way back."""
    return () if stored is None else msgspec.json.decode(stored, type=tuple[Waiting, ...])


def step_row(row: sqlite3.Row) -> StepRow:
    """The row of a step."""
    fields = _fields(row)
    fields["reused"] = bool(fields["reused"])
    fields["warnings"] = msgspec.json.decode(fields["warnings"], type=tuple[str, ...])
    fields["usage"] = _usage(fields["usage"])
    return StepRow(**fields)


def step_columns(ordinal: int, row: StepRow) -> dict[str, Any]:
    """The way back."""
    warnings = msgspec.json.encode(row.warnings).decode()
    return {"ordinal": ordinal, **row_dict(row), "warnings": warnings, "usage": _stored(row.usage)}


def _stored(usage: Usage | None) -> str | None:
    return None if usage is None else msgspec.json.encode(usage).decode()


def _usage(stored: str | None) -> Usage | None:
    return None if stored is None else msgspec.json.decode(stored, type=Usage)


def _execution(fields: dict[str, Any]) -> ExecutionRow:
    fields["waiting"] = read_questions(fields["waiting"])
    fields["parked"] = bool(fields["parked"])
    fields["usage"] = _usage(fields["usage"])
    return ExecutionRow(**fields)


def _fields(row: sqlite3.Row) -> dict[str, Any]:
    return dict(zip(row.keys(), row, strict=True))
