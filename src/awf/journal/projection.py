"""Rows as projections of the journal: pure, shared by all stores.

:func:`project` folds entries into an execution row and returns the step rows they touch. A store reads the row, folds,
and writes both back in the transaction that appends the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from awf.domain.outcomes import Usage
from awf.journal.events import (
    AttemptSpent,
    CancelRequested,
    Entry,
    ExecutionAccepted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    InputReceived,
    InputRequired,
    StateEntered,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepRetrying,
    StepReused,
    StepStarted,
)
from awf.journal.store import ExecutionRow, StepRow, Waiting

KnownStep = Callable[[int], StepRow | None]
"""Finds the row of a step that an earlier append wrote."""


def accepted_row(execution: str, order: int, entry: Entry, owner: str | None = None) -> ExecutionRow:
    """The row of a new execution, from its entry 1."""
    fact = entry.fact
    assert isinstance(fact, ExecutionAccepted)
    return ExecutionRow(
        id=execution,
        order=order,
        workflow=fact.workflow,
        status="pending",
        current_step=fact.initial,
        started_at=entry.at,
        updated_at=entry.at,
        inputs=fact.inputs,
        warnings=fact.warnings,
        resumed_from=fact.resumed.execution if fact.resumed else None,
        owner=owner,
    )


def project(row: ExecutionRow, entries: Iterable[Entry], known: KnownStep) -> dict[int, StepRow]:
    """Fold entries into ``row`` (in place) and return the step rows that are new or changed, by number."""
    steps: dict[int, StepRow] = {}

    def cut_short(attempts: Iterable[AttemptSpent]) -> None:
        for spent in attempts:
            step = steps.get(spent.step) or known(spent.step)
            if step is not None:
                steps[spent.step] = _spent(row, step, spent.usage)

    for entry in entries:
        row.last_seq = entry.seq
        row.updated_at = entry.at
        match entry.fact:
            case ExecutionStarted():
                _run(row, entry)
            case ExecutionRecovered(spent=spent):
                _run(row, entry)
                cut_short(spent)
            case ExecutionReleased(parked=parked, wake_at=wake_at, spent=spent):
                row.status = "running" if parked else "pending"
                row.owner, row.parked, row.wake_at = None, parked, wake_at
                cut_short(spent)
            case StateEntered(path=path):
                row.current_step = path
            case StepStarted() as fact:
                _wait(row, fact.path)
                steps[fact.step] = _started(steps.get(fact.step) or known(fact.step), entry, fact)
            case StepReused() as fact:
                steps[fact.step] = _reused(entry, fact)
            case InputRequired() as fact:
                _wait(row, fact.path, _waiting(entry, fact))
                talking = steps.get(fact.step) or known(fact.step) if fact.turn is not None else None
                if fact.turn is not None and talking is not None:
                    steps[fact.step] = _spent(row, talking, fact.turn.usage)
            case InputReceived(path=path):
                _wait(row, path)
            case StepCompleted() | StepFailed() as fact:
                _wait(row, fact.path)
                ended = steps.get(fact.step) or known(fact.step)
                if ended is not None:
                    steps[fact.step] = _spent(row, _ended(ended, entry, fact), fact.usage)
            case StepRetrying() as fact:
                _wait(row, fact.path)
                failed = steps.get(fact.step) or known(fact.step) if fact.usage is not None else None
                if failed is not None:
                    steps[fact.step] = _spent(row, failed, fact.usage)
            case ExecutionCompleted(exit_code=code):
                _finish(row, entry, "completed", None, code)
            case ExecutionFailed(error=error, exit_code=code):
                _finish(row, entry, "failed", error, code)
            case ExecutionCancelled():
                _finish(row, entry, "cancelled", "cancelled", None)
            case ExecutionAccepted() | StepOutput() | CancelRequested():
                pass
    return steps


def _run(row: ExecutionRow, entry: Entry) -> None:
    row.status = "running"
    if row.running_since is None:
        row.running_since = entry.at


def _started(before: StepRow | None, entry: Entry, fact: StepStarted) -> StepRow:
    shown = ""
    if fact.command is not None:
        shown = fact.command.display or fact.command.script
    elif fact.operation is not None:
        shown = fact.operation.display
    elif fact.agent is not None:
        shown = fact.agent.display
    return StepRow(
        step=fact.step,
        name=fact.state,
        path=fact.path,
        status="running",
        attempt=fact.attempt,
        started_at=before.started_at if before else entry.at,
        command=shown,
        warnings=fact.warnings,
        usage=before.usage if before else None,
        first_seq=entry.seq,
    )


def _waiting(entry: Entry, fact: InputRequired) -> Waiting:
    return Waiting(
        question=entry.seq,
        step=fact.step,
        state=fact.state,
        path=fact.path,
        kind=fact.kind,
        prompt=fact.prompt,
        choices=fact.choices,
        since=entry.at,
        deadline=fact.deadline,
    )


def _wait(row: ExecutionRow, path: str, waiting: Waiting | None = None) -> None:
    """What the step at a path waits for from here on, if anything."""
    if waiting is not None or row.waiting:
        others = tuple(other for other in row.waiting if other.path != path)
        row.waiting = others if waiting is None else (*others, waiting)
        row.waiting_for = "person" if row.waiting else None


def _reused(entry: Entry, fact: StepReused) -> StepRow:
    return StepRow(
        step=fact.step,
        name=fact.state,
        path=fact.path,
        status=fact.status,
        attempt=fact.attempt,
        exit_code=fact.exit_code,
        error=fact.error or None,
        started_at=fact.started_at,
        completed_at=fact.completed_at,
        reused=True,
        usage=fact.usage,
        first_seq=entry.seq,
        last_seq=entry.seq,
    )


def _ended(step: StepRow, entry: Entry, fact: StepCompleted | StepFailed) -> StepRow:
    step.status = "failed" if isinstance(fact, StepFailed) else "completed"
    step.error = fact.error if isinstance(fact, StepFailed) else None
    step.note = fact.note if isinstance(fact, StepCompleted) else ""
    step.exit_code = fact.exit_code
    step.completed_at = entry.at
    step.last_seq = entry.seq
    return step


def _spent(row: ExecutionRow, step: StepRow, usage: Usage | None) -> StepRow:
    """An attempt of a step has cost something."""
    if usage is not None:
        step.usage = usage if step.usage is None else step.usage + usage
        row.usage = usage if row.usage is None else row.usage + usage
    return step


def _finish(row: ExecutionRow, entry: Entry, status: str, error: str | None, code: int | None) -> None:
    row.status = status  # type: ignore[assignment]
    row.error = error
    row.exit_code = code
    row.completed_at = entry.at
    row.owner = None
    row.waiting, row.waiting_for = (), None
