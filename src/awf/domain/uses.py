"""Where a workflow reads what: every reference of its templates and expressions, with when it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from awf.domain.expressions import Expression
from awf.domain.problems import Position
from awf.domain.templates import Template
from awf.domain.workflow import (
    AgentState,
    ApprovalState,
    CallState,
    ForEachState,
    HookAction,
    InlineFailure,
    LoopState,
    OperationState,
    State,
    StepState,
    TerminalState,
    WhileState,
    Workflow,
)

When: TypeAlias = Literal["before", "between", "after", "start", "end", "error"]
"""Before a state, between the iterations of a loop, after a state; before the first state of all, at the end, at the end
with an error."""

_BRANCH = re.compile(r"\{\{-?\s*(?:if|with|range)\b")


class Use(Struct, frozen=True):
    """One reference: read in ``field`` of a state, or (``state`` empty) of the workflow.

    ``guarded``: in a template that asks whether it is there. ``optional``: what has not run yet need not make it fail,
    because it stands in an expression, or in a template with branches.
    """

    path: tuple[str, ...]
    position: Position
    state: str
    field: str
    when: When
    guarded: bool = False
    optional: bool = False


_Part: TypeAlias = tuple[str, When, Template | Expression | None]


def uses(workflow: Workflow) -> Iterator[Use]:
    """Every reference, state by state, then those of the workflow itself."""
    for name, state in workflow.states.items():
        for part in _parts(state):
            yield from _uses(name, *part)
    hooks = workflow.hooks
    yield from _hook_uses("workflow_start", "start", hooks.start)
    yield from _hook_uses("workflow_end", "end", hooks.end)
    yield from _hook_uses("workflow_error", "error", hooks.error)
    yield from _hook_uses("workflow_cancel", "error", hooks.cancel)
    for output in workflow.outputs:
        yield from _uses("", f"outputs.{output.name}", "end", output.source)


def _hook_uses(field: str, when: When, actions: Iterable[HookAction]) -> Iterator[Use]:
    for part in _hook_parts(field, when, actions):
        yield from _uses("", *part)


def _uses(state: str, field: str, when: When, source: Template | Expression | None) -> Iterator[Use]:
    if isinstance(source, Expression):
        for found in source.references:
            yield Use(found.path, found.position, state, field, when, optional=True)
    elif source is not None and source.references:
        asked = {reference.path[:2] for reference in source.references if reference.guarded}
        branches = _BRANCH.search(source.source) is not None
        for reference in source.references:
            guarded = reference.path[:2] in asked
            yield Use(reference.path, reference.position, state, field, when, guarded, branches)


def _parts(state: State) -> Iterator[_Part]:
    if isinstance(state, TerminalState):
        yield "message", "before", state.message
        return
    yield from _own_parts(state)
    if isinstance(state.timeout, Template):
        yield "timeout", "before", state.timeout
    yield from _hook_parts("hooks.pre", "before", state.hooks.pre)
    yield from _hook_parts("hooks.post", "after", state.hooks.post)
    routing = state.routing
    for key, failure in (
        ("on_reject", routing.on_reject),
        ("on_timeout", routing.on_timeout),
        ("on_failure", routing.on_failure),
    ):
        if isinstance(failure, InlineFailure):
            yield key, "after", failure.message
    for transition in routing.transitions:
        yield "transition", "after", transition.when


def _own_parts(state: State) -> Iterator[_Part]:
    match state:
        case StepState():
            yield "script_file" if state.script else "command", "before", state.command
            yield "dir", "before", state.dir
            yield from _nested("env", state.env)
        case LoopState():
            yield from _loop_parts(state)
        case ApprovalState():
            yield "message", "before", state.message
        case CallState() | OperationState():
            yield from _nested("inputs", state.inputs)
        case AgentState():
            yield "provider", "before", state.provider
            yield "prompt", "before", state.prompt
            yield "prompt_file", "before", state.prompt_file
            yield "system_prompt", "before", state.system_prompt
            yield from _nested("role", state.role)
            yield from _nested("options", state.options)
            yield "dir", "before", state.dir
            yield from _nested("env", state.env)


def _loop_parts(state: LoopState) -> Iterator[_Part]:
    if isinstance(state, ForEachState):
        yield from _nested("items", state.items)
    if isinstance(state, WhileState):
        yield "while", "between", state.condition
    if isinstance(state.limit, Template):
        yield "max_iterations", "before", state.limit
    yield "break_when", "between", state.break_when


def _hook_parts(field: str, when: When, actions: Iterable[HookAction]) -> Iterator[_Part]:
    for action in actions:
        yield field, when, action.log
        yield field, when, action.command


def _nested(field: str, value: Any) -> Iterator[_Part]:
    if isinstance(value, Template):
        yield field, "before", value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _nested(f"{field}.{name}", inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _nested(field, inner)
