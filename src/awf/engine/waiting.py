"""Steps that wait for a person: asking, answers, deadlines, and letting go of what only people can move. Pure.

Whoever asks (``kind``) says in ``_ANSWERED`` what an answer means. A step that waits has no process and holds no slot. An
execution in which nothing else is going on is parked: a row without an engine, until there is an intent for it or the
first time limit that runs meanwhile (a question's deadline, the timeout of a block around it) is due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from awf.engine import approvals, budgets, conversations, crashes
from awf.engine.flow import Flow
from awf.engine.state import BLOCKS, Activity, ExecutionState
from awf.engine.stimuli import Respond
from awf.journal.events import ExecutionReleased, InputReceived, StepFailed

UNANSWERED_EXIT = 124

SHORTEST_REST = 5_000_000
"""Microseconds: what is due sooner than this is waited for, not parked."""

_ANSWERED: Mapping[str, Callable[[Flow, Activity, InputReceived], None]] = {
    "approval": approvals.answered,
    "budget": budgets.answered,
    "conversation": conversations.answered,
    "crash": crashes.answered,
}


def respond(flow: Flow, stimulus: Respond) -> None:
    """A person answered. An answer to what nobody waits for any more, or that is no choice, changes nothing."""
    state = flow.state
    asked = (state.activities[path].question for path in state.asking)
    found = next((each for each in asked if each and each.number == stimulus.question), None)
    if found is None or state.cancel_requested:
        return
    fact = found.fact
    activity = state.activities[fact.path]
    if flow.is_ending(activity) or (fact.choices and stimulus.response not in fact.choices):
        return
    mask, sealed = flow.sealer.mask, flow.sealer.seal(stimulus.response)
    flow.emit(
        InputReceived(
            step=fact.step,
            state=fact.state,
            path=fact.path,
            response=mask(stimulus.response),
            comment=mask(stimulus.comment),
            by=mask(stimulus.by),
            sealed="" if sealed == stimulus.response else sealed,
            limit=flow.budgets.granted(activity) if fact.kind == "budget" else None,
        )
    )
    act(flow, activity)


def act(flow: Flow, activity: Activity) -> None:
    """Do what the answer that an activity has says."""
    question, answer = activity.question, activity.answer
    assert question is not None
    assert answer is not None
    _ANSWERED[question.fact.kind](flow, activity, answer)
    if activity.result is not None:
        flow.settle(activity)


def expire(flow: Flow, activity: Activity) -> None:
    """Nobody answered in time: the step fails."""
    question = activity.question
    assert question is not None
    fact = question.fact
    flow.emit(
        StepFailed(
            step=fact.step,
            state=fact.state,
            path=fact.path,
            attempt=fact.attempt,
            exit_code=UNANSWERED_EXIT,
            error=f"nobody answered in time what step '{fact.state}' asked",
            **approvals.unanswered(fact),
        )
    )
    flow.settle(activity)


def park(flow: Flow) -> None:
    """Let the execution go where only people can move it on."""
    state = flow.state
    if not state.asking or state.released or state.cancel_requested or not _only_asks(state):
        return
    wake_at = _first_limit(state)
    if wake_at is None or wake_at - flow.world.now >= SHORTEST_REST:
        flow.emit(ExecutionReleased(engine=flow.world.engine, parked=True, wake_at=wake_at))


def _only_asks(state: ExecutionState) -> bool:
    """Is everything that is open a question, or a block around one?"""
    return not state.hooks and all(
        (activity.asks and not activity.runs) or (activity.kind in BLOCKS and activity.flying)
        for activity in state.activities.values()
        if activity.is_open
    )


def _first_limit(state: ExecutionState) -> int | None:
    """When the first deadline, or time limit of a block, is due."""
    limits = []
    for activity in state.activities.values():
        started, question = activity.started, activity.question
        if question is not None and activity.asks and question.fact.deadline is not None:
            limits.append(question.fact.deadline)
        if (
            activity.kind in BLOCKS
            and activity.flying
            and started is not None
            and started.timeout is not None
        ):
            limits.append(activity.attempt_at + round(started.timeout * 1_000_000))
    return min(limits, default=None)
