"""Parallel blocks (workflow language, "Parallel"). Pure.

A branch is one state; where it would go next does not matter. It succeeds as its state would: ``continue_on_error`` and
retries count.
"""

from __future__ import annotations

import json

from awf.domain.workflow import Executable, ParallelState
from awf.engine.blocks import Ending, Verdict
from awf.engine.flow import Flow, changed
from awf.engine.state import Activity
from awf.journal.events import StepStarted, WorkflowClosing


class Parallel:
    """See ``awf.engine.flow.Block``."""

    def plan(self, flow: Flow, activity: Activity, state: ParallelState, fact: StepStarted) -> StepStarted:  # noqa: ARG002
        """Fix the branches."""
        return changed(fact, branches=state.branches)

    def proceed(self, flow: Flow, activity: Activity, state: ParallelState) -> None:
        """Enter the next branch, until as many run as may or the block is decided."""
        name = self._next(flow, activity, state)
        if name is None:
            return self._judge(flow, activity, state)
        flow.later(activity)
        return flow.enter(activity.path, f"{activity.path}/{name}", name, "branch")

    def child_left(
        self, flow: Flow, activity: Activity, state: ParallelState, child: Activity, verdict: Verdict
    ) -> None:
        """A branch is over."""
        del child, verdict
        self.proceed(flow, activity, state)

    def outcome(self, flow: Flow, activity: Activity, closing: WorkflowClosing | None = None) -> Ending:  # noqa: ARG002
        """A success with the branches' outputs."""
        outputs = {
            child.state: child.result.output
            for child in flow.state.children(activity.path)
            if child.result is not None
        }
        return Ending(output=json.dumps(outputs, ensure_ascii=False, separators=(",", ":")), response=outputs)

    def _next(self, flow: Flow, activity: Activity, state: ParallelState) -> str | None:
        if self._decided(flow, activity, state) is not None:
            return None
        children = flow.state.children(activity.path)
        open_now = sum(1 for child in children if not flow.is_over(child))
        if state.max_concurrent and open_now >= state.max_concurrent:
            return None
        entered = {child.state for child in children}
        return next((name for name in state.branches if name not in entered), None)

    def _decided(self, flow: Flow, activity: Activity, state: ParallelState) -> Ending | None:
        """The outcome, if what has ended by now already decides it."""
        ended = [child for child in flow.state.children(activity.path) if flow.is_over(child)]
        for child in ended:
            failed = _failed(flow, child)
            if failed and state.strategy == "all_succeed":
                return self._failure(child)
            if not failed and state.strategy == "any_succeed":
                return Ending()
        return None

    def _judge(self, flow: Flow, activity: Activity, state: ParallelState) -> None:
        decided = self._decided(flow, activity, state)
        children = flow.state.children(activity.path)
        everything = len(children) == len(state.branches) and all(flow.is_over(child) for child in children)
        if everything:
            if decided is None and state.strategy == "any_succeed":
                decided = self._failure(children[-1])
            failed = decided is not None and decided.failed
            flow.finish_block(activity, decided if decided and failed else self.outcome(flow, activity))
        elif decided is not None:
            flow.end_block(activity, decided)

    @staticmethod
    def _failure(child: Activity) -> Ending:
        result = child.result
        error = f"branch '{child.state}' failed" + (f": {result.error}" if result and result.error else "")
        return Ending(failed=True, error=error, exit_code=(result.exit_code if result else 0) or 1)


def _failed(flow: Flow, child: Activity) -> bool:
    known = flow.definition(child)
    if child.result is None:
        return getattr(known, "status", "success") == "failure"
    return child.result.failed and not (isinstance(known, Executable) and known.routing.continue_on_error)
