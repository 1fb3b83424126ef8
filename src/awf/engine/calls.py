"""Sub-workflows (workflow language, "Sub-workflows"): a graph inside its parent's execution. Pure."""

from __future__ import annotations

import json
from posixpath import join
from typing import Any

from awf.domain.calls import MAX_DEPTH
from awf.domain.expressions import ExpressionFailure, evaluate
from awf.domain.inputs import failure_text, resolve_inputs
from awf.domain.templates import TemplateFailure
from awf.domain.variables import exported
from awf.domain.workflow import CallState
from awf.engine.blocks import Ending, Verdict
from awf.engine.flow import Flow, changed
from awf.engine.render import CannotStart
from awf.engine.state import Activity
from awf.journal.events import StepStarted, WorkflowClosing


class Call:
    """See ``awf.engine.flow.Block``."""

    def plan(self, flow: Flow, activity: Activity, state: CallState, fact: StepStarted) -> StepStarted:
        """Fix the inputs of the child."""
        child = flow.called(flow.workflow_of(flow.state.sequence_of(activity.path)), state)
        if child is None:
            raise CannotStart(f"sub-workflow not found: {state.workflow}")
        if (
            sum(1 for block in flow.state.ancestors(activity.path) if block.kind == "call_workflow")
            >= MAX_DEPTH
        ):
            raise CannotStart(
                f"maximum sub-workflow nesting depth exceeded (depth: {MAX_DEPTH}, max: {MAX_DEPTH})"
            )
        try:
            given = {name: flow.rendered(value, activity.path) for name, value in state.inputs.items()}
        except TemplateFailure as failure:
            raise CannotStart(failure.message) from failure
        resolved = resolve_inputs(
            child,
            given,
            file_exists=lambda path: flow.world.file_exists(join(flow.state.accepted.working_dir, path)),
        )
        if resolved.errors:
            raise CannotStart(f"sub-workflow '{state.workflow}': {failure_text(resolved.errors)}")
        left_out = exported(resolved.values, ()).left_out
        return changed(
            fact,
            inputs=flow.sealer.sealed(dict(resolved.values)),
            warnings=(*resolved.warnings, *left_out),
        )

    def proceed(self, flow: Flow, activity: Activity, state: CallState) -> None:
        """Begin the child's graph, or go on with closing it."""
        del state
        sequence = flow.state.sequences[activity.path]
        if sequence.closing is not None:
            flow.closing.go_on(activity.path)
        elif not sequence.entered:
            flow.begin_sequence(activity.path)

    def child_left(
        self, flow: Flow, activity: Activity, state: CallState, child: Activity, verdict: Verdict
    ) -> None:
        """Never called: the child's graph moves by itself (``Flow.leave``)."""
        raise AssertionError(f"{activity.path}: {child.path} {verdict} {state.name} {flow}")

    def outcome(self, flow: Flow, activity: Activity, closing: WorkflowClosing | None = None) -> Ending:
        """How the call ends with how its graph was closed."""
        assert closing is not None
        if closing.status != "completed":
            return Ending(
                failed=True, error=closing.error or closing.status, exit_code=closing.exit_code or 1
            )
        state = flow.definition(activity)
        assert isinstance(state, CallState)
        child = flow.workflow_of(activity.path)
        scope = flow.scope(activity.path)
        try:
            found = {output.name: evaluate(output.source, scope) for output in child.outputs}
        except ExpressionFailure as failure:
            return Ending(failed=True, error=f"outputs of '{state.workflow}': {failure.message}", exit_code=1)
        response = {state.outputs.get(name, name): value for name, value in found.items()}
        if not found:
            last = max(
                (
                    result
                    for result in flow.state.sequences[activity.path].results.values()
                    if not result.cancelled
                ),
                key=lambda result: result.order,
                default=None,
            )
            return Ending(output=last.output if last else "")
        values = list(response.values())
        output = (
            values[0]
            if len(values) == 1 and isinstance(values[0], str)
            else _json(response if len(values) > 1 else values[0])
        )
        return Ending(output=output, response=response)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
