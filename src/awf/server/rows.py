"""What the store and the catalog know, in the shapes of the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from awf.domain import outcomes
from awf.engine.ports import WorkflowFile
from awf.journal import store
from awf.journal.store import ExecutionRow, Statistics, StepRow, StepText
from awf.server.schemas import (
    Execution,
    ExecutionDetail,
    HistoryEntry,
    HistoryStatus,
    StatisticsSummary,
    Step,
    Usage,
    Waiting,
    WorkflowSummary,
)

_UNLOADABLE = ("WORKFLOW.PARSE.", "SYSTEM.")
"""Codes of problems that leave no workflow to show."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: int) -> datetime:
    """Microseconds since the epoch as a time that is written in RFC 3339 with ``Z``."""
    return _EPOCH + timedelta(microseconds=at)


def microseconds(at: datetime) -> int:
    """The way back."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def workflow_summary(file: WorkflowFile) -> WorkflowSummary:
    """A workflow as the list shows it."""
    workflow, document = file.loaded.workflow, file.loaded.document
    if workflow is not None:
        return WorkflowSummary(file.identifier, workflow.version, workflow.description)
    why = "; ".join(str(problem) for problem in file.loaded.errors)
    if document is not None and is_loadable(file):
        version, description = document.get("version", ""), document.get("description", "")
        return WorkflowSummary(file.identifier, str(version), str(description), error=why)
    return WorkflowSummary(file.identifier, "", "", error=why)


def is_loadable(file: WorkflowFile) -> bool:
    """Whether a file could be read as a workflow at all, be it a valid one or not."""
    return not any(problem.code.startswith(_UNLOADABLE) for problem in file.loaded.errors)


def execution_summary(row: ExecutionRow) -> Execution:
    """An execution as the list shows it."""
    return Execution(**_members(row))


def execution_detail(row: ExecutionRow, steps: list[Step]) -> ExecutionDetail:
    """An execution as it shows by itself."""
    return ExecutionDetail(
        **_members(row), inputs=row.inputs, warnings=list(row.warnings) or UNSET, steps=steps
    )


def step_summary(row: StepRow, output: StepText | None) -> Step:
    """A step with the end of its output."""
    return Step(
        number=row.step,
        name=row.name,
        path=row.path,
        status=row.status,
        attempt=row.attempt,
        started_at=moment(row.started_at),
        completed_at=_moment_or_unset(row.completed_at),
        duration_ms=UNSET if row.completed_at is None else (row.completed_at - row.started_at) // 1000,
        exit_code=or_unset(row.exit_code),
        command=row.command or UNSET,
        reused=row.reused,
        warnings=list(row.warnings) or UNSET,
        note=row.note or UNSET,
        usage=usage_or_unset(row.usage),
        error=or_unset(row.error),
        output=output.text if output else "",
        output_truncated=bool(output and output.omitted),
    )


def history_entry(row: ExecutionRow) -> HistoryEntry:
    """A finished execution as the history shows it."""
    completed_at = row.updated_at if row.completed_at is None else row.completed_at
    return HistoryEntry(
        id=row.id,
        workflow_name=row.workflow,
        status=msgspec.convert("success" if row.status == "completed" else row.status, HistoryStatus),
        started_at=moment(row.started_at),
        completed_at=moment(completed_at),
        duration_ms=(completed_at - row.started_at) // 1000,
        error=or_unset(row.error),
        exit_code=or_unset(row.exit_code),
        usage=usage_or_unset(row.usage),
    )


def statistics_summary(counts: Statistics) -> StatisticsSummary:
    """Statistics under the names of the wire."""
    usage = counts.usage
    return StatisticsSummary(
        total_executions=counts.total,
        success_count=counts.completed,
        failed_count=counts.failed,
        cancelled_count=counts.cancelled,
        avg_duration_ms=counts.average_ms,
        tokens_used=usage.total or UNSET,
        tokens_input=usage.input or UNSET,
        tokens_output=usage.output or UNSET,
        cost_usd=or_unset(usage.cost),
    )


def usage_or_unset(usage: outcomes.Usage | None) -> Usage | UnsetType:
    """What agents have cost, if there were any."""
    if usage is None:
        return UNSET
    return Usage(
        tokens_used=usage.total,
        tokens_input=usage.input,
        tokens_output=usage.output,
        tokens_cached=usage.cached,
        tokens_estimated=usage.estimated,
        cost_usd=or_unset(usage.cost),
    )


def _members(row: ExecutionRow) -> dict[str, Any]:
    return {
        "execution_id": row.id,
        "workflow_name": row.workflow,
        "status": row.status,
        "current_step": row.current_step,
        "started_at": moment(row.started_at),
        "updated_at": moment(row.updated_at),
        "running_since": _moment_or_unset(row.running_since),
        "completed_at": _moment_or_unset(row.completed_at),
        "waiting_for": or_unset(row.waiting_for),
        "waiting": [_waiting(each) for each in row.waiting] or UNSET,
        "error": or_unset(row.error),
        "exit_code": or_unset(row.exit_code),
        "resumed_from": or_unset(row.resumed_from),
        "usage": usage_or_unset(row.usage),
    }


def _waiting(asked: store.Waiting) -> Waiting:
    return Waiting(
        step=asked.step,
        name=asked.state,
        path=asked.path,
        kind=asked.kind,
        prompt=asked.prompt,
        choices=list(asked.choices),
        since=moment(asked.since),
        deadline=_moment_or_unset(asked.deadline),
    )


def _moment_or_unset(at: int | None) -> datetime | UnsetType:
    return UNSET if at is None else moment(at)


def or_unset(value: Any) -> Any:
    """A member that is left out where there is no value."""
    return UNSET if value is None else value
