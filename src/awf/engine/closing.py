"""Closing a graph, the execution's or a sub-workflow's: what still runs is ended, hooks run, the outcome takes effect. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from awf.domain.workflow import HookAction
from awf.engine.blocks import Verdict
from awf.journal.events import ExecutionCancelled, ExecutionCompleted, ExecutionFailed, WorkflowClosing

if TYPE_CHECKING:
    from awf.engine.flow import Flow


class Closing:
    """The closing of one execution's graphs."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def fail(self, sequence: str, verdict: Verdict, state: str) -> None:
        """A graph fails: the execution does, or the sub-workflow."""
        error = self._flow.sealer.mask(verdict.error)
        self.close(
            WorkflowClosing(
                path=sequence, status="failed", state=state, error=error, exit_code=verdict.exit_code
            )
        )

    def close(self, closing: WorkflowClosing) -> None:
        """A graph has its outcome: what still runs in it is ended, its closing hooks run, then it takes effect."""
        actions = self._actions(closing)
        if actions or self._busy(closing.path) or self._is_open(closing.path):
            self._flow.emit(closing)
            self.go_on(closing.path)
        else:
            self._take_effect(closing)

    def _actions(self, closing: WorkflowClosing) -> Sequence[HookAction]:
        """The closing hooks; none where ``workflow_start`` failed."""
        if closing.status == "failed" and self._flow.state.sequences[closing.path].start_error:
            return ()
        return self._flow.hooks.closing_actions(self._flow.workflow_of(closing.path), closing.status)

    def go_on(self, path: str) -> None:
        """The next closing hook, or the end."""
        sequence = self._flow.state.sequences[path]
        closing = sequence.closing
        assert closing is not None
        if self._busy(path):
            return
        self._flow.cancel_blocks(path)
        actions = self._actions(closing)
        if self._flow.hooks.run(
            path, self._flow.hooks.closing_name(closing.status), actions, sequence.hooks_done
        ):
            self._take_effect(closing)

    def _busy(self, path: str) -> bool:
        """Does a process run for the graph at a path?"""
        return bool(self._flow.state.flying(path) or self._flow.state.hooks_below(path))

    def _is_open(self, path: str) -> bool:
        """Is there a block or a step, started and not ended, in the graph at a path?"""
        return any(left.started is not None and left.result is None for left in self._flow.state.below(path))

    def _take_effect(self, closing: WorkflowClosing) -> None:
        """An outcome takes effect."""
        if closing.path:
            call = self._flow.state.activities[closing.path]
            outcome = self._flow.blocks[call.kind].outcome(self._flow, call, closing)
            return self._flow.finish_block(call, outcome)
        if closing.status == "completed":
            return self._flow.emit(
                ExecutionCompleted(state=closing.state, exit_code=closing.exit_code, message=closing.message)
            )
        if closing.status == "failed":
            return self._flow.emit(
                ExecutionFailed(error=closing.error, state=closing.state, exit_code=closing.exit_code)
            )
        return self._flow.emit(ExecutionCancelled(state=closing.state))

    def cancel_rest(self) -> None:
        """After a cancel: once no process is left, end what remains and the execution. Where anything had begun, a start
        hook too, there may be something to undo: the ``workflow_cancel`` hooks run."""
        state = self._flow.state
        if state.flying() or state.hooks:
            return
        self._flow.cancel_blocks("")
        closing = state.sequences[""].closing
        if closing is not None and closing.status == "cancelled":
            self.go_on("")
        elif state.begun or state.sequences[""].hooks_done:
            self.close(WorkflowClosing(path="", status="cancelled", state=state.current))
        else:
            self._take_effect(WorkflowClosing(path="", status="cancelled", state=state.current))
