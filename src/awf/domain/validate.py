"""What only the whole workflow shows: states that do not exist, states that cannot be reached, ends that are missing."""

from __future__ import annotations

from awf.domain.draft import Draft, Target
from awf.domain.fields import INVALID_VALUE, NO_WAY_ON
from awf.domain.findings import Findings
from awf.domain.graph import MAIN, Graph, ends
from awf.domain.placement import placement_problems
from awf.domain.problems import Position
from awf.domain.references import MISSING_STATE, check_references
from awf.domain.workflow import AgentState, ParallelState, TerminalState, WhileState, Workflow

NO_TERMINAL = "WORKFLOW.VALIDATION.NO_TERMINAL"
UNREACHABLE_STATE = "WORKFLOW.VALIDATION.UNREACHABLE_STATE"
HOLDS_ITSELF = "WORKFLOW.VALIDATION.HOLDS_ITSELF"
TOO_DEEP = "WORKFLOW.VALIDATION.NESTING"
CONSTANT_CONDITION = "WORKFLOW.VALIDATION.CONSTANT_CONDITION"
MOST_NESTING = 100
"""Loops and parallel states inside one another."""


def validate(workflow: Workflow, draft: Draft, inputs_declared: bool, findings: Findings) -> None:
    """Add to ``findings`` what is wrong with the workflow as a whole.

    ``inputs_declared`` tells whether the file has ``inputs`` at all: only then are names of inputs held against it.
    """
    _check_targets(draft, findings)
    if draft.states or not findings.failed:
        _check_ends(workflow, draft, findings)
    graph = Graph(workflow)
    if graph.circle:
        way = " -> ".join(graph.circle)
        place = workflow.states[graph.circle[0]].position
        findings.error(place, HOLDS_ITSELF, f"state '{graph.circle[0]}' contains itself: {way}")
    else:
        _check_nesting(workflow, graph, findings)
    _check_places(workflow, draft, findings)
    check_references(workflow, graph, tuple(draft.places), inputs_declared, findings)
    if not findings.failed:
        _warn_of_the_graph(workflow, graph, draft, findings)


def _check_targets(draft: Draft, findings: Findings) -> None:
    for target in draft.targets:
        if target.name not in draft.places:
            hint = findings.did_you_mean(target.name, draft.places)
            message = f"state '{target.state}' references undefined state '{target.name}'{hint}"
            findings.error(target.position, MISSING_STATE, message)
        elif target.continues:
            _check_continued(target, draft, findings)
    if draft.initial_place is not None and draft.initial not in draft.places:
        hint = findings.did_you_mean(draft.initial, draft.places)
        findings.error(
            draft.initial_place, MISSING_STATE, f"initial state '{draft.initial}' is not defined{hint}"
        )


def _check_continued(target: Target, draft: Draft, findings: Findings) -> None:
    """Only agents have conversations, and only some of them keep theirs."""
    state = draft.states.get(target.name)
    subject = f"state '{target.state}': continue_from: state '{target.name}'"
    if state is None:
        return
    if not isinstance(state, AgentState):
        findings.error(target.position, INVALID_VALUE, f"{subject} is no agent, so it has no conversation")
    elif state.mode == "single" and state.conversation is None:
        message = f"{subject} keeps no conversation; give it 'conversation: {{}}'"
        findings.warn(target.position, INVALID_VALUE, message)


def _check_ends(workflow: Workflow, draft: Draft, findings: Findings) -> None:
    for name, place in draft.stuck.items():
        if draft.all_held and name not in draft.held:
            message = f"state '{name}': a step must have on_success, on_failure or transitions"
            findings.error(place, NO_WAY_ON, message)
    unread = len(draft.places) > len(draft.states)
    if not unread and not any(ends(state) for state in workflow.states.values()):
        findings.error(_start(workflow, draft), NO_TERMINAL, "at least one terminal state is required")


def _start(workflow: Workflow, draft: Draft) -> Position:
    return draft.initial_place or Position(workflow.file, 1, 1)


def _check_nesting(workflow: Workflow, graph: Graph, findings: Findings) -> None:
    """Told once: of the first state in the file that is too deep inside others."""
    deep = next((name for name in workflow.states if graph.nesting(name) > MOST_NESTING), None)
    if deep is not None:
        message = f"state '{deep}': loops and parallel states are nested more than {MOST_NESTING} deep"
        findings.error(workflow.states[deep].position, TOO_DEEP, message)


def _check_places(workflow: Workflow, draft: Draft, findings: Findings) -> None:
    samples = {item.name: item.default for item in workflow.inputs if isinstance(item.default, str)}
    for command in draft.commands:
        for problem in placement_problems(command, samples):
            findings.add(problem)


def _warn_of_the_graph(workflow: Workflow, graph: Graph, draft: Draft, findings: Findings) -> None:
    for name, state in workflow.states.items():
        entered = graph.entered[name]
        if not entered:
            findings.warn(state.position, UNREACHABLE_STATE, f"state '{name}' can never be reached")
        if isinstance(state, TerminalState):
            continue
        routing = state.routing
        in_line = MAIN in entered or not (entered or graph.holders[name])
        if in_line and not (routing.after_success or routing.transitions):
            findings.warn(
                state.position, NO_WAY_ON, f"state '{name}' names no next state for when it succeeds"
            )
        if isinstance(state, WhileState):
            _warn_of_a_constant(state, graph, findings)
    if not any(_can_end(name, workflow, graph) for name in workflow.states):
        message = f"no terminal state can be reached from '{workflow.initial}'"
        findings.warn(_start(workflow, draft), NO_TERMINAL, message)


def _can_end(name: str, workflow: Workflow, graph: Graph) -> bool:
    """Whether the execution ends where this state is entered: a terminal, other than as a parallel branch."""
    return isinstance(workflow.states[name], TerminalState) and any(
        not isinstance(workflow.states.get(holder), ParallelState) for holder in graph.entered[name]
    )


def _warn_of_a_constant(state: WhileState, graph: Graph, findings: Findings) -> None:
    """A condition that reads states, and only such as the loop does not run, stays what it is."""
    if state.break_when is not None:
        return
    paths = [reference.path for reference in state.condition.references]
    read = {path[1] for path in paths if path[0] == "states" and len(path) > 1}
    moving = any(
        path[0] == "loop" or path == ("states",) or path[:2] == ("workflow", "Duration") for path in paths
    )
    if read and not moving and read.isdisjoint(graph.inside(state.name)):
        message = f"state '{state.name}': 'while' can only read states outside the loop: it never changes"
        findings.warn(state.condition.position, CONSTANT_CONDITION, message)
