"""What can be known of one execution: its state, its workflows, and what templates in it see. Changes nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from awf.domain.expressions import Expression, test
from awf.domain.packs import callees
from awf.domain.sealing import Sealer
from awf.domain.templates import (
    FileReader,
    Template,
    TemplateFailure,
    Text,
    Value,
    render,
    render_parts,
    render_value,
)
from awf.domain.workflow import CallState, State, TerminalState, Workflow
from awf.engine.files import local_first, read_beside
from awf.engine.scope import inputs_of, loop_fields, scope_of
from awf.engine.state import Activity, ExecutionState
from awf.engine.stimuli import World


class View:
    """One execution: its state, its pinned workflows by identifier (one is its own), its real inputs, and the world as it
    is at the stimulus being answered."""

    def __init__(
        self,
        state: ExecutionState,
        workflows: Mapping[str, Workflow],
        inputs: Mapping[str, Any],
        sealer: Sealer,
    ) -> None:
        self.state = state
        self.workflows = workflows
        self.inputs = inputs
        self.sealer = sealer
        self.world = World(now=0, engine="")

    def workflow_of(self, sequence: str) -> Workflow:
        """The workflow whose graph a sequence runs."""
        if not sequence:
            return self.workflows[self.state.accepted.workflow]
        call = self.state.activities[sequence]
        outer = self.workflow_of(self.state.sequence_of(sequence))
        state = outer.states[call.state]
        assert isinstance(state, CallState)
        child = self.called(outer, state)
        assert child is not None
        return child

    def called(self, caller: Workflow, state: CallState) -> Workflow | None:
        """The workflow that a state calls, if it is pinned: in a pack, a bare name means the pack's own first."""
        names = callees(caller.identifier, state.workflow)
        return next((self.workflows[name] for name in names if name in self.workflows), None)

    def definition(self, activity: Activity) -> State:
        """The state, as the workflow has it, that an activity performs."""
        return self.workflow_of(self.state.sequence_of(activity.path)).states[activity.state]

    def identity(self, path: str) -> tuple[str, Mapping[str, Any]]:
        """The workflow that an activity at a path (or a sequence) belongs to, and the real values of its inputs."""
        sequence = self.sequence_at(path)
        return self.workflow_of(sequence).identifier, inputs_of(self, sequence)

    def scope(self, path: str) -> Mapping[str, Any]:
        """What templates and expressions of the activity at a path (or of a sequence) see."""
        return scope_of(self, path)

    def text(self, template: Template, path: str) -> str:
        """A template rendered for the activity at a path (or for a sequence). Raises TemplateFailure."""
        if template.literal:
            return template.source
        return render(template, self.scope(path), files=self.files(path))

    def value(self, template: Template, path: str) -> Any:
        """Like ``text``; a template that is one single action keeps the type of its value. Raises TemplateFailure."""
        return render_value(template, self.scope(path), files=self.files(path))

    def rendered(self, value: Any, path: str) -> Any:
        """A JSON value with the templates in it rendered; one that is a single action keeps its type. Raises
        TemplateFailure."""
        if isinstance(value, Template):
            return self.value(value, path)
        if isinstance(value, (list, tuple)):
            return [self.rendered(part, path) for part in value]
        if isinstance(value, dict):
            return {name: self.rendered(part, path) for name, part in value.items()}
        return value

    def parts(self, template: Template, path: str) -> list[Text | Value]:
        """Like ``text``, in parts; paths in awf's own directories are those beside the workflow where they exist."""
        if template.literal:
            return render_parts(template, {})
        parts = render_parts(template, self.scope(path), files=self.files(path))
        return local_first(self, self._workflow_at(path), parts)

    def files(self, path: str) -> FileReader:
        """What ``readFile`` reads there: paths are meant from the workflow's directory."""
        return partial(read_beside, self, self._workflow_at(path))

    def sequence_at(self, path: str) -> str:
        """The sequence at a path, or that of the activity at it."""
        return path if path in self.state.sequences else self.state.sequence_of(path)

    def _workflow_at(self, path: str) -> Workflow:
        return self.workflow_of(self.sequence_at(path))

    def test(self, expression: Expression, path: str) -> bool:
        """Evaluate a condition. Raises ExpressionFailure."""
        return test(expression, self.scope(path))

    def test_in_loop(self, expression: Expression, loop: Activity, index: int) -> bool:
        """Evaluate a loop's condition as its iteration ``index`` would see it. Raises ExpressionFailure."""
        return test(expression, {**self.scope(loop.path), "loop": loop_fields(self.state, loop, index)})

    def is_over(self, activity: Activity) -> bool:
        """Is there nothing left to do in it? Its ``post`` hooks belong to it."""
        known = self.definition(activity)
        if isinstance(known, TerminalState):
            return True
        result = activity.result
        return result is not None and (result.reused or activity.hooks_done >= len(known.hooks.post))

    def render_or_source(self, template: Template, path: str) -> str:
        """A message; where it cannot be rendered, its source."""
        try:
            return self.text(template, path)
        except TemplateFailure:
            return template.source
