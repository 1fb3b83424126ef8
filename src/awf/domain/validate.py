"""What only the whole workflow shows: states that do not exist, states that cannot be reached, ends that are missing."""

from __future__ import annotations

from dataclasses import replace

from awf.domain.fields import NO_WAY_ON
from awf.domain.findings import Findings
from awf.domain.graph import Graph
from awf.domain.placement import placement_problems
from awf.domain.problems import Position
from awf.domain.references import check_references
from awf.domain.states import States
from awf.domain.suggest import did_you_mean
from awf.domain.workflow import InlineFailure, StepState, TerminalState, Workflow

MISSING_STATE = "WORKFLOW.VALIDATION.MISSING_STATE"
NO_TERMINAL = "WORKFLOW.VALIDATION.NO_TERMINAL"
UNREACHABLE_STATE = "WORKFLOW.VALIDATION.UNREACHABLE_STATE"


def validate(workflow: Workflow, found: States, inputs_declared: bool, findings: Findings) -> None:
    """Add to ``findings`` what is wrong with the workflow as a whole.

    ``inputs_declared`` tells whether the file has ``inputs`` at all: only then are names of inputs held against it.
    """
    _check_targets(found, findings)
    if found.states or not findings.failed:
        _check_ends(workflow, found, findings)
    graph = Graph(workflow)
    _check_places(workflow, found, findings)
    check_references(workflow, graph, tuple(found.places), inputs_declared, findings)
    if not findings.failed:
        _warn_of_the_graph(workflow, graph, found, findings)


def _check_targets(found: States, findings: Findings) -> None:
    for target in found.targets:
        if target.name not in found.places:
            message = f"state '{target.state}' references undefined state '{target.name}'"
            findings.error(target.position, MISSING_STATE, message)
    if found.initial_place is not None and found.initial not in found.places:
        hint = did_you_mean(found.initial, found.places)
        findings.error(
            found.initial_place, MISSING_STATE, f"initial state '{found.initial}' is not defined{hint}"
        )


def _check_ends(workflow: Workflow, found: States, findings: Findings) -> None:
    ends = any(
        isinstance(state, TerminalState) or isinstance(state.routing.on_failure, InlineFailure)
        for state in workflow.states.values()
    )
    unread = len(found.places) > len(found.states)
    if not ends and not unread:
        place = found.initial_place or Position(workflow.file, 1, 1)
        findings.error(place, NO_TERMINAL, "at least one terminal state is required")


def _check_places(workflow: Workflow, found: States, findings: Findings) -> None:
    samples = {item.name: item.default for item in workflow.inputs if isinstance(item.default, str)}
    for state, command in found.commands.items():
        if "{{" in command.text:
            for problem in placement_problems(command, samples):
                findings.add(replace(problem, message=f"state '{state}': {problem.message}"))


def _warn_of_the_graph(workflow: Workflow, graph: Graph, found: States, findings: Findings) -> None:
    for name, state in workflow.states.items():
        if name not in graph.reached:
            message = f"state '{name}' can never be reached"
            findings.warn(state.position, UNREACHABLE_STATE, message)
        if isinstance(state, StepState) and not (state.routing.on_success or state.routing.transitions):
            message = f"state '{name}' names no next state for when it succeeds"
            findings.warn(state.position, NO_WAY_ON, message)
    if not any(isinstance(workflow.states[name], TerminalState) for name in graph.reached):
        place = found.initial_place or Position(workflow.file, 1, 1)
        message = f"no terminal state can be reached from '{workflow.initial}'"
        findings.warn(place, NO_TERMINAL, message)
