"""What becomes of the attempt that was in flight when its engine died, or was told to stop: ``on_crash``. Pure.

``rerun`` starts the next attempt; ``fail`` fails the step, and no retry runs it again; ``skip`` counts it as completed
with what it had written; ``ask`` lets a person choose between the three.
"""

from __future__ import annotations

from typing import Any

from awf.domain.workflow import LeafState
from awf.engine.blocks import Verdict
from awf.engine.budgets import stopped
from awf.engine.flow import CANCELLED_EXIT, Flow
from awf.engine.state import CANCELLED, Activity
from awf.journal.events import InputReceived, InputRequired, StepCompleted, StepFailed, Stream

MAX_DEATHS = 3
"""So many engines may die with the same step in flight; then the execution fails, where it would be run again."""

CHOICES = ("rerun", "skip", "fail")

LONGEST_EXCERPT = 2000
"""Characters of each stream that a person is shown."""


def after_crash(flow: Flow, activity: Activity, *, orderly: bool) -> bool:
    """Decide about an attempt that was in flight; ``orderly``: its engine was told to stop. Emits, but routes nothing.
    True where the execution has failed."""
    known = flow.definition(activity)
    policy = known.on_crash if isinstance(known, LeafState) else "rerun"
    if flow.is_ending(activity):
        _fail(flow, activity, CANCELLED, CANCELLED_EXIT)
    elif activity.stopped and activity.answer is not None:
        _fail(flow, activity, stopped(activity.answer))
    elif policy == "ask":
        _ask(flow, activity, orderly=orderly)
    elif policy == "fail":
        _fail(flow, activity, f"{_what_happened(activity, orderly=orderly)} (on_crash: fail)")
    elif policy == "skip":
        _skip(flow, activity, f"{_what_happened(activity, orderly=orderly)} (on_crash: skip)")
    elif activity.deaths >= MAX_DEATHS:
        error = f"step '{activity.state}' was running when its engine died, {activity.deaths} times in a row"
        _fail(flow, activity, error)
        flow.closing.fail("", Verdict(failed=True, error=error, exit_code=1), activity.state)
        return True
    else:
        flow.repeat(activity, recovered=True)
    return False


def answered(flow: Flow, activity: Activity, answer: InputReceived) -> None:
    """A person has chosen what becomes of it."""
    said = f": {answer.comment}" if answer.comment else ""
    if answer.response == "rerun":
        flow.repeat(activity, recovered=True)
    elif answer.response == "skip":
        _skip(flow, activity, f"its engine ended while it ran; skipped by a person{said}")
    else:
        _fail(flow, activity, f"its engine ended while step '{activity.state}' ran; failed by a person{said}")


def _ask(flow: Flow, activity: Activity, *, orderly: bool) -> None:
    workflow = flow.workflow_of(flow.state.sequence_of(activity.path)).identifier
    written = [
        f"The end of its {stream}:\n{text}" for stream, text in _excerpts(activity).items() if text
    ] or ["It had written nothing."]
    prompt = "\n".join(
        (
            f"{_what_happened(activity, orderly=orderly)}, in workflow '{workflow}'.",
            "Run it again (rerun), count it as completed (skip), or as failed (fail)?",
            *written,
        )
    )
    flow.emit(InputRequired(**activity.place, kind="crash", prompt=flow.sealer.mask(prompt), choices=CHOICES))


def _what_happened(activity: Activity, *, orderly: bool) -> str:
    where = f"step '{activity.state}'" + (f" ({activity.path})" if activity.path != activity.state else "")
    return f"{where} was running when its engine {'was stopped' if orderly else 'died'}"


def _excerpts(activity: Activity) -> dict[str, str]:
    return {stream: "".join(pieces).strip()[-LONGEST_EXCERPT:] for stream, pieces in activity.written.items()}


def _skip(flow: Flow, activity: Activity, note: str) -> None:
    flow.emit(StepCompleted(**activity.place, **_sizes(activity), provider=activity.provider, note=note))


def _fail(flow: Flow, activity: Activity, error: str, exit_code: int = 1) -> None:
    flow.emit(
        StepFailed(
            **activity.place,
            **_sizes(activity),
            provider=activity.provider,
            exit_code=exit_code,
            error=error,
        )
    )


def _sizes(activity: Activity) -> dict[str, Any]:
    """How much of it is known to have been written."""
    return {f"{stream}_bytes": _size(activity, stream) for stream in activity.written}


def _size(activity: Activity, stream: Stream) -> int:
    return sum(len(piece.encode()) for piece in activity.written[stream])
