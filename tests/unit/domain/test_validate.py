from __future__ import annotations

from awf.domain.load import Loaded, load_workflow


def load(states: str, initial: str = "a") -> Loaded:
    return load_workflow(f"name: w\nstates:\n  initial: {initial}\n{states}", "w.yaml", "w")


def texts(result: Loaded) -> list[str]:
    return [f"{problem.severity}: {problem}" for problem in result.problems]


def test_every_dangling_reference_reads_the_same() -> None:
    result = load(
        "  a:\n"
        "    type: step\n"
        "    command: x\n"
        "    transitions:\n"
        "      - when: 'true'\n"
        "        goto: ghost\n"
        "    on_success: phantom\n"
        "    on_failure: spirit\n"
        "  end: {type: terminal}\n"
    )
    assert texts(result) == [
        "error: state 'a' references undefined state 'ghost' (w.yaml:9:15)",
        "error: state 'a' references undefined state 'phantom' (w.yaml:10:17)",
        "error: state 'a' references undefined state 'spirit' (w.yaml:11:17)",
    ]
    assert {problem.code for problem in result.problems} == {"WORKFLOW.VALIDATION.MISSING_STATE"}


def test_the_initial_state() -> None:
    assert texts(load("  a: {type: terminal}\n", initial="b")) == [
        "error: initial state 'b' is not defined (w.yaml:3:12)"
    ]
    missing = load_workflow("name: w\nstates:\n  a: {type: terminal}\n", "w.yaml", "w")
    assert texts(missing) == ["error: states: required key 'initial' is missing (w.yaml:2:1)"]
    empty = load_workflow("name: w\nstates:\n  initial:\n  a: {type: terminal}\n", "w.yaml", "w")
    assert texts(empty) == ["error: states: required key 'initial' is missing (w.yaml:3:3)"]
    none = load_workflow("name: w\n", "w.yaml", "w")
    assert texts(none) == ["error: required key 'states' is missing (w.yaml:1:1)"]


def test_there_must_be_an_end() -> None:
    assert texts(load("  a: {type: step, command: x, on_success: a}\n")) == [
        "error: at least one terminal state is required (w.yaml:3:12)"
    ]
    inline = load("  a: {type: step, command: x, on_success: a, on_failure: {message: m}}\n")
    assert inline.errors == ()
    assert texts(inline) == ["warning: no terminal state can be reached from 'a' (w.yaml:3:12)"]


def test_a_state_that_could_not_be_read_is_not_also_missed() -> None:
    result = load("  a: {type: step, command: x, on_success: b}\n  b: {type: parallel}\n")
    assert texts(result) == ["error: state 'b': branches are required for parallel-type steps (w.yaml:5:3)"]


def test_states_that_nothing_leads_to() -> None:
    result = load(
        "  a: {type: step, command: x, on_success: end}\n"
        "  b: {type: step, command: x, on_success: c}\n"
        "  c: {type: step, command: x, on_success: b}\n"
        "  end: {type: terminal}\n"
    )
    assert texts(result) == [
        "warning: state 'b' can never be reached (w.yaml:5:3)",
        "warning: state 'c' can never be reached (w.yaml:6:3)",
    ]


def test_a_success_that_leads_nowhere() -> None:
    result = load(
        "  a: {type: step, command: x, on_failure: end, continue_on_error: true}\n  end: {type: terminal}\n"
    )
    assert texts(result) == ["warning: state 'a' names no next state for when it succeeds (w.yaml:4:3)"]
    assert result.workflow is not None


def test_cycles_are_legal() -> None:
    result = load(
        "  a: {type: step, command: x, on_success: end, on_failure: b}\n"
        "  b: {type: step, command: sleep 5, on_success: a}\n"
        "  end: {type: terminal}\n"
    )
    assert result.problems == ()
