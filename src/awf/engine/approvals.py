"""``type: approval``: a state that asks a person, and ends as they say. Pure.

An approval completes; a rejection, and no answer in time, fail it. Its output is how it ended (``approve``, ``reject``,
``timeout``), its response has that, the comment, who answered as far as they said, and when.
"""

from __future__ import annotations

from typing import Any

from awf.domain.templates import TemplateFailure
from awf.domain.timestamps import rfc3339
from awf.domain.workflow import ApprovalState
from awf.engine.blocks import Ending
from awf.engine.flow import Flow
from awf.engine.state import APPROVE, REJECT, TIMEOUT, Activity
from awf.journal.events import InputReceived, InputRequired, StepCompleted, StepFailed, StepStarted

REFUSED_EXIT, REJECTED_EXIT = 126, 1

LONGEST_PROMPT = 64 * 1024
"""Characters of a message that a person is shown; the row of a waiting execution stays small."""


class Approval:
    """``type: approval``; see ``awf.engine.blocks.Processless``."""

    def plan(self, flow: Flow, activity: Activity, state: ApprovalState, fact: StepStarted) -> StepStarted:
        """There is nothing to be started: the question has a fact of its own."""
        del flow, activity, state
        return fact

    def proceed(self, flow: Flow, activity: Activity, state: ApprovalState) -> None:
        """Ask. A message that cannot be rendered fails the state."""
        started = activity.started
        assert started is not None
        try:
            message = flow.sealer.mask(flow.text(state.message, activity.path))
        except TemplateFailure as failure:
            return flow.finish_block(activity, Ending(True, failure.message, REFUSED_EXIT))
        limit = started.timeout
        left_out = len(message) - LONGEST_PROMPT
        return flow.emit(
            InputRequired(
                **activity.place,
                kind="approval",
                prompt=f"{message[:LONGEST_PROMPT]}… ({left_out} more characters)"
                if left_out > 0
                else message,
                choices=(APPROVE, REJECT),
                deadline=None if limit is None else activity.attempt_at + round(limit * 1_000_000),
            )
        )


def answered(flow: Flow, activity: Activity, answer: InputReceived) -> None:
    """A person has approved, or rejected."""
    said: dict[str, Any] = {
        **activity.place,
        "duration": max(0.0, (flow.world.now - activity.attempt_at) / 1_000_000),
        "output": answer.response,
        "response": {
            "response": answer.response,
            "comment": answer.comment,
            "by": answer.by,
            "at": rfc3339(flow.state.at),
        },
    }
    if answer.response == APPROVE:
        return flow.emit(StepCompleted(**said))
    who = f" by {answer.by}" if answer.by else ""
    why = f": {answer.comment}" if answer.comment else ""
    return flow.emit(StepFailed(**said, exit_code=REJECTED_EXIT, error=f"rejected{who}{why}"))


def unanswered(fact: InputRequired) -> dict[str, Any]:
    """The result of an approval to which nobody has said anything in time; other questions have none."""
    if fact.kind != "approval":
        return {}
    return {"output": TIMEOUT, "response": {"response": TIMEOUT, "comment": "", "by": "", "at": ""}}
