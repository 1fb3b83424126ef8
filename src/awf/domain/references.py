"""What the templates and expressions of a workflow refer to: inputs and states that exist, properties that they have,
results that can be there by then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from awf.domain.expressions import names
from awf.domain.findings import Findings
from awf.domain.graph import Graph
from awf.domain.problems import Position
from awf.domain.scope import NAMESPACES, STATE_FIELDS
from awf.domain.suggest import did_you_mean
from awf.domain.templates import Template
from awf.domain.workflow import InlineFailure, State, StepState, TerminalState, Workflow

UNKNOWN_NAMESPACE = "WORKFLOW.VALIDATION.UNKNOWN_NAMESPACE"
UNDEFINED_INPUT = "WORKFLOW.VALIDATION.UNDEFINED_INPUT"
MISSING_STATE = "WORKFLOW.VALIDATION.MISSING_STATE"
INVALID_PROPERTY = "WORKFLOW.VALIDATION.INVALID_PROPERTY"
FORWARD_REFERENCE = "WORKFLOW.VALIDATION.FORWARD_REFERENCE"
OUT_OF_CONTEXT = "WORKFLOW.VALIDATION.OUT_OF_CONTEXT"

AWF_FIELDS = (
    "prompts_dir",
    "scripts_dir",
    "config_dir",
    "data_dir",
    "workflows_dir",
    "plugins_dir",
    "skills_dir",
    "roles_dir",
)
_MOST_STATES = 1000
"""Orders of execution are looked at in workflows up to this size: the work grows with its square."""
_BRANCH = re.compile(r"\{\{-?\s*(?:if|with|range)\b")


@dataclass(frozen=True, slots=True)
class Use:
    """One reference: read in ``field`` of a state, before it runs or (``after``) when it has run.

    ``guarded``: in a template that asks whether it is there. ``optional``: what has not run yet need not make it fail,
    because it stands in an expression, or in a template with branches.
    """

    path: tuple[str, ...]
    position: Position
    state: str
    field: str
    after: bool
    guarded: bool = False
    optional: bool = False


def uses(state: State) -> Iterator[Use]:
    """Every reference of a state's templates and expressions."""
    for field, template in _templates(state):
        after = field == "on_failure"
        asked = {reference.path[:2] for reference in template.references if reference.guarded}
        branches = _BRANCH.search(template.source) is not None
        for reference in template.references:
            guarded = reference.path[:2] in asked
            yield Use(reference.path, reference.position, state.name, field, after, guarded, branches)
    if isinstance(state, StepState):
        for transition in state.routing.transitions:
            for found in transition.when.references if transition.when else ():
                yield Use(found.path, found.position, state.name, "transition", after=True, optional=True)


def _templates(state: State) -> Iterator[tuple[str, Template]]:
    if isinstance(state, TerminalState):
        if state.message is not None:
            yield "message", state.message
        return
    yield "command", state.command
    if state.dir is not None:
        yield "dir", state.dir
    for name, value in state.env.items():
        yield f"env.{name}", value
    if isinstance(state.timeout, Template):
        yield "timeout", state.timeout
    if isinstance(state.routing.on_failure, InlineFailure):
        yield "on_failure", state.routing.on_failure.message


def check_references(
    workflow: Workflow,
    graph: Graph,
    states: Collection[str],
    inputs_declared: bool,
    findings: Findings,
) -> None:
    """``states``: every name under ``states:``, also of states that could not be read."""
    check = _Check(workflow, graph, states, inputs_declared, findings)
    for state in workflow.states.values():
        for use in uses(state):
            check.use(use)


class _Check:
    def __init__(
        self,
        workflow: Workflow,
        graph: Graph,
        states: Collection[str],
        inputs_declared: bool,
        findings: Findings,
    ) -> None:
        self._inputs = [item.name for item in workflow.inputs]
        self._inputs_declared = inputs_declared
        self._states = states
        self._graph = graph
        self._ordered = len(states) <= _MOST_STATES and len(states) == len(workflow.states)
        self._findings = findings

    def use(self, use: Use) -> None:
        space = use.path[0]
        if space not in NAMESPACES:
            hint = did_you_mean(space, NAMESPACES, '"')
            self._error(use, UNKNOWN_NAMESPACE, f'unknown namespace "{space}" in {use.field}{hint}')
        elif space in {"loop", "error"}:
            where = "a loop" if space == "loop" else "an error hook"
            path = ".".join(use.path)
            self._error(use, OUT_OF_CONTEXT, f"{path} is used outside of {where} in {use.field}")
        elif len(use.path) > 1:
            self._named(use, space, use.path[1])

    def _named(self, use: Use, space: str, name: str) -> None:
        if space == "inputs":
            self._input(use, name)
        elif space == "states":
            self._state(use, name)
        elif space == "awf":
            if name not in AWF_FIELDS:
                self._property(use, space, name, AWF_FIELDS)
        elif names.canonical(space, name) is None:
            self._property(use, space, name, names.fields(space) or ())

    def _property(self, use: Use, space: str, name: str, known: Collection[str]) -> None:
        hint = did_you_mean(name, known, '"')
        self._error(use, INVALID_PROPERTY, f'{space} has no property "{name}" in {use.field}{hint}')

    def _input(self, use: Use, name: str) -> None:
        if name in self._inputs:
            return
        hint = did_you_mean(name, self._inputs, '"')
        message = f'undefined input "{name}" referenced in {use.field}{hint}'
        if self._inputs_declared and not use.guarded:
            self._error(use, UNDEFINED_INPUT, message)
        else:
            self._warn(use, UNDEFINED_INPUT, message)

    def _state(self, use: Use, name: str) -> None:
        if name not in self._states:
            hint = did_you_mean(name, self._states)
            message = f"state '{use.state}' references undefined state '{name}' in {use.field}{hint}"
            self._findings.error(use.position, MISSING_STATE, message)
            return
        if len(use.path) > 2 and use.path[2] not in STATE_FIELDS:
            self._state_property(use, name, use.path[2])
        if self._ordered and use.state in self._graph.reached:
            self._order(use, name)

    def _state_property(self, use: Use, state: str, name: str) -> None:
        message = f'invalid state property "{name}" for state "{state}" in {use.field}'
        right = names.canonical("state", name) or _respelled(name)
        hint = f", use '{right}' instead" if right else did_you_mean(name, STATE_FIELDS, '"')
        self._error(use, INVALID_PROPERTY, message + hint)

    def _order(self, use: Use, name: str) -> None:
        if use.after and name == use.state:
            return
        if use.guarded or use.optional:
            if not self._graph.can_follow(name, use.state):
                message = f'"{name}" can never have run when {use.field} refers to it'
                self._warn(use, FORWARD_REFERENCE, message)
        elif not self._graph.can_precede(name, use.state):
            message = (
                f'forward reference to state "{name}" in {use.field} (referenced state has not executed yet)'
            )
            self._error(use, FORWARD_REFERENCE, message)

    def _error(self, use: Use, code: str, message: str) -> None:
        self._findings.error(use.position, code, f"state '{use.state}': {message}")

    def _warn(self, use: Use, code: str, message: str) -> None:
        self._findings.warn(use.position, code, f"state '{use.state}': {message}")


def _respelled(name: str) -> str | None:
    """The property that ``name`` means in another case, or with other separators."""
    folded = name.replace("_", "").replace("-", "").casefold()
    return next((known for known in STATE_FIELDS if known.casefold() == folded), None)
