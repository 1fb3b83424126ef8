"""What the templates and expressions of a workflow refer to: inputs and states that exist, properties that they have,
results that can be there by then.
"""

from __future__ import annotations

from collections.abc import Collection

from awf.domain.expressions import names
from awf.domain.findings import Findings
from awf.domain.graph import Graph
from awf.domain.packs import pack_of
from awf.domain.scope import AWF_FIELDS, NAMESPACES, STATE_FIELDS
from awf.domain.uses import Use, uses
from awf.domain.workflow import Workflow

UNKNOWN_NAMESPACE = "WORKFLOW.VALIDATION.UNKNOWN_NAMESPACE"
UNDEFINED_INPUT = "WORKFLOW.VALIDATION.UNDEFINED_INPUT"
MISSING_STATE = "WORKFLOW.VALIDATION.MISSING_STATE"
INVALID_PROPERTY = "WORKFLOW.VALIDATION.INVALID_PROPERTY"
FORWARD_REFERENCE = "WORKFLOW.VALIDATION.FORWARD_REFERENCE"
OUT_OF_CONTEXT = "WORKFLOW.VALIDATION.OUT_OF_CONTEXT"

_MOST_STATES = 1000
"""Orders of execution are looked at in workflows up to this size: the work grows with its square."""


def check_references(
    workflow: Workflow,
    graph: Graph,
    states: Collection[str],
    inputs_declared: bool,
    findings: Findings,
) -> None:
    """``states``: every name under ``states:``, also of states that could not be read."""
    check = _Check(workflow, graph, states, inputs_declared, findings)
    for use in uses(workflow):
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
        self._inputs = {item.name for item in workflow.inputs}
        self._inputs_declared = inputs_declared
        self._awf = AWF_FIELDS if pack_of(workflow.identifier) is None else (*AWF_FIELDS, "pack_name")
        self._states = states
        self._graph = graph
        self._whole = len(states) == len(workflow.states)
        self._ordered = self._whole and len(states) <= _MOST_STATES
        self._findings = findings

    def use(self, use: Use) -> None:
        space = use.path[0]
        if space not in NAMESPACES:
            hint = self._findings.did_you_mean(space, NAMESPACES, '"')
            self._error(use, UNKNOWN_NAMESPACE, f'unknown namespace "{space}" in {use.field}{hint}')
        elif space == "loop":
            self._loop(use)
        elif space == "error" and use.when != "error":
            self._outside(use, "an error hook")
        elif len(use.path) > 1:
            self._named(use, space, use.path[1])

    def _loop(self, use: Use) -> None:
        names_of_loop = [name for name in use.path[1:] if name != "Parent"]
        field = names_of_loop[0] if names_of_loop else None
        parents = use.path[1:].index(field) if field is not None else max(0, len(use.path) - 2)
        if self._whole and not self._graph.circle:
            self._depth(use, parents + 1)
        if field is not None and names.canonical("loop", field) is None:
            self._property(use, "loop", field, names.fields("loop") or ())

    def _depth(self, use: Use, needed: int) -> None:
        """Whether so many loops are around the place; ``loop.Parent`` itself may be nothing."""
        least, most = self._graph.loops(use.state) if use.state else (0, 0)
        own = use.when == "between"
        if most + own < needed:
            self._outside(use, "a loop" if needed == 1 else f"{needed} loops")
        elif least + own < needed and not (use.guarded or use.optional):
            path = ".".join(use.path)
            message = f"{path} is used in {use.field}, and the state can also run outside of a loop"
            self._warn(use, OUT_OF_CONTEXT, message)

    def _outside(self, use: Use, where: str) -> None:
        path = ".".join(use.path)
        self._error(use, OUT_OF_CONTEXT, f"{path} is used outside of {where} in {use.field}")

    def _named(self, use: Use, space: str, name: str) -> None:
        if space == "inputs":
            self._input(use, name)
        elif space == "states":
            self._state(use, name)
        elif space == "awf":
            if name not in self._awf:
                self._property(use, space, name, self._awf)
        elif names.canonical(space, name) is None:
            self._property(use, space, name, names.fields(space) or ())

    def _property(self, use: Use, space: str, name: str, known: Collection[str]) -> None:
        hint = self._findings.did_you_mean(name, known, '"')
        self._error(use, INVALID_PROPERTY, f'{space} has no property "{name}" in {use.field}{hint}')

    def _input(self, use: Use, name: str) -> None:
        if name in self._inputs:
            return
        hint = self._findings.did_you_mean(name, self._inputs, '"')
        message = f'undefined input "{name}" referenced in {use.field}{hint}'
        if self._inputs_declared and not use.guarded:
            self._error(use, UNDEFINED_INPUT, message)
        else:
            self._warn(use, UNDEFINED_INPUT, message)

    def _state(self, use: Use, name: str) -> None:
        if name not in self._states:
            who = f"state '{use.state}'" if use.state else "the workflow"
            hint = self._findings.did_you_mean(name, self._states)
            message = f"{who} references undefined state '{name}' in {use.field}{hint}"
            self._findings.error(use.position, MISSING_STATE, message)
            return
        if len(use.path) > 2 and use.path[2] not in STATE_FIELDS:
            self._state_property(use, name, use.path[2])
        if self._ordered and (not use.state or self._graph.entered[use.state]):
            self._order(use, name)

    def _state_property(self, use: Use, state: str, name: str) -> None:
        message = f'invalid state property "{name}" for state "{state}" in {use.field}'
        right = names.canonical("state", name) or _respelled(name)
        hint = f", use '{right}' instead" if right else self._findings.did_you_mean(name, STATE_FIELDS, '"')
        self._error(use, INVALID_PROPERTY, message + hint)

    def _order(self, use: Use, name: str) -> None:
        if use.when == "after" and name == use.state:
            return
        if use.guarded or use.optional or use.when in {"end", "error"}:
            if not self._can_follow(use, name):
                message = f'"{name}" can never have run when {use.field} refers to it'
                self._warn(use, FORWARD_REFERENCE, message)
        elif use.state and self._graph.side_by_side(name, use.state):
            message = f'"{name}" runs beside this state, in another branch: {use.field} may come too early'
            self._warn(use, FORWARD_REFERENCE, message)
        elif use.when == "start" or not self._graph.can_precede(name, self._place(use)):
            message = (
                f'forward reference to state "{name}" in {use.field} (referenced state has not executed yet)'
            )
            self._error(use, FORWARD_REFERENCE, message)

    def _can_follow(self, use: Use, name: str) -> bool:
        if use.when == "start":
            return False
        if use.when in {"end", "error"}:
            return bool(self._graph.entered[name])
        return self._graph.can_follow(name, self._place(use)) or self._graph.side_by_side(name, use.state)

    def _place(self, use: Use) -> str:
        if use.when == "between":
            return self._graph.test(use.state)
        return self._graph.end(use.state) if use.when == "after" else use.state

    def _error(self, use: Use, code: str, message: str) -> None:
        self._findings.error(use.position, code, _subject(use) + message)

    def _warn(self, use: Use, code: str, message: str) -> None:
        self._findings.warn(use.position, code, _subject(use) + message)


def _subject(use: Use) -> str:
    return f"state '{use.state}': " if use.state else ""


def _respelled(name: str) -> str | None:
    """The property that ``name`` means in another case, or with other separators."""
    folded = name.replace("_", "").replace("-", "").casefold()
    return next((known for known in STATE_FIELDS if known.casefold() == folded), None)
