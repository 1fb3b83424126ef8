"""Where to go after a state that has ended. Pure.

In order (workflow language, "Control flow"): transitions, ``continue_on_error``, ``on_success`` / ``on_failure``, else the
failure is the parent's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awf.domain.expressions import ExpressionFailure
from awf.domain.workflow import InlineFailure, Routing, TerminalState
from awf.engine.blocks import Verdict
from awf.engine.state import REJECT, TIMEOUT, Activity, StepResult

if TYPE_CHECKING:
    from awf.engine.flow import Flow


def verdict_of(flow: Flow, activity: Activity) -> Verdict:
    """What an ended activity means for its parent."""
    result, known = activity.result, flow.definition(activity)
    assert result is not None
    assert not isinstance(known, TerminalState)
    if result.goto:
        return Verdict(result.goto, "left")
    routing, broken = known.routing, ""
    for index, transition in enumerate(routing.transitions):
        try:
            if transition.when is None or flow.test(transition.when, activity.path):
                return Verdict(transition.goto, f"transition[{index}]")
        except ExpressionFailure as failure:
            broken = f"step '{known.name}': transition {index + 1}: {failure.message}"
            break
    if (not result.failed or routing.continue_on_error) and not broken:
        target = routing.after_success
        return Verdict(target, "on_success") if target else _nowhere(known.name, result)
    after = _after_failure(routing, activity)
    if isinstance(after, InlineFailure):
        message = flow.render_or_source(after.message, activity.path)
        return Verdict(failed=True, error=message, exit_code=after.status, final=True)
    if after is not None:
        return Verdict(after, "on_failure")
    error = broken or f"step '{known.name}' failed: {result.error}"
    return Verdict(failed=True, error=error, exit_code=result.exit_code or 1)


def _after_failure(routing: Routing, activity: Activity) -> str | InlineFailure | None:
    """What is to be done about the failure: an approval tells how it failed by its output."""
    own = None
    if activity.kind == "approval" and activity.result is not None:
        own = {REJECT: routing.on_reject, TIMEOUT: routing.on_timeout}.get(activity.result.output)
    return own or routing.on_failure


def _nowhere(name: str, result: StepResult) -> Verdict:
    """Nothing says where to go after a success (or a failure that was to be continued)."""
    how = "failed and continues on error" if result.failed else "succeeded"
    return Verdict(error=f"state '{name}' {how} but names no next state", exit_code=1)
