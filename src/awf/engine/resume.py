"""Where a failed or cancelled execution can be resumed, and what it takes along. Pure.

``from_step`` (HTTP API decisions, "Run, executions, cancel, resume"): absent or ``current`` is the last failed step,
else the last non-terminal state entered, else the initial one; ``previous`` is the last completed step; anything else
is the name of a top-level state. Steps that completed before the entry point keep their results, what came after is
dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

from awf.domain.suggest import did_you_mean
from awf.domain.workflow import TerminalState, Workflow
from awf.engine.state import ExecutionState, StepResult
from awf.errors import ResumePointInvalid
from awf.journal.events import StepReused


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where to enter, and the last entry of the original's journal that counts for what is taken along."""

    path: str
    upto: int


def resume_point(state: ExecutionState, workflow: Workflow, from_step: str | None) -> ResumePoint:
    """Resolve ``from_step`` against a finished execution and the workflow that the new one will run.

    Raises ResumePointInvalid where it names no step, or ``previous`` finds none.
    """
    path = _entry(state, workflow, from_step)
    target = workflow.states.get(path)
    if target is None:
        names = [name for name, known in workflow.states.items() if not isinstance(known, TerminalState)]
        raise ResumePointInvalid(
            f"from_step: '{path}' is not a step of workflow '{workflow.identifier}'{did_you_mean(path, names)}"
        )
    if isinstance(target, TerminalState):
        raise ResumePointInvalid(f"from_step: '{path}' is a terminal of '{workflow.identifier}', not a step")
    return ResumePoint(path, state.began.get(path, state.seq + 1) - 1)


def _entry(state: ExecutionState, workflow: Workflow, from_step: str | None) -> str:
    if from_step is None or from_step == "current":
        failed = _latest(state, "failed")
        return failed.path if failed else state.last_active or workflow.initial
    if from_step == "previous":
        completed = _latest(state, "completed")
        if completed is None:
            raise ResumePointInvalid(
                "from_step: no completed step to resume from; leave it out to start over"
            )
        return completed.path
    return from_step


def _latest(state: ExecutionState, status: str) -> StepResult | None:
    found = [result for result in state.history.values() if result.status == status]
    return max(found, key=lambda result: result.order, default=None)


def kept_results(at_entry: ExecutionState, workflow: Workflow, path: str) -> list[StepResult]:
    """What a resume at ``path`` takes along of the original as it stood there (its journal up to ``upto``)."""
    kept = [
        result
        for result in at_entry.history.values()
        if result.status == "completed" and result.path != path and result.state in workflow.states
    ]
    return sorted(kept, key=lambda result: result.order)


def reused_facts(at_entry: ExecutionState, numbers: tuple[int, ...]) -> tuple[StepReused, ...]:
    """The facts that carry the original's results, as they stood at the entry, into the new execution, from number 1."""
    by_step = {result.step: result for result in at_entry.history.values()}
    return tuple(
        StepReused(
            step=index,
            state=result.state,
            path=result.path,
            attempt=result.attempt,
            exit_code=result.exit_code,
            output=result.output,
            stderr=result.stderr,
            started_at=result.started_at,
            completed_at=result.completed_at,
            response=result.response,
            json=result.json,
            session=result.session,
            usage=result.usage,
        )
        for index, result in enumerate((by_step[number] for number in numbers if number in by_step), start=1)
    )
