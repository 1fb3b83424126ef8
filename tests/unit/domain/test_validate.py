from __future__ import annotations

import pytest

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


def test_what_is_held_need_not_say_where_to_go() -> None:
    result = load(
        "  a: {type: for_each, items: x, body: [b, p], on_complete: end}\n  b: {type: step, command: x}\n"
        "  p: {type: parallel, parallel: [c, d]}\n  c: {type: step, command: x}\n"
        "  d: {type: call_workflow, workflow: v}\n  end: {type: terminal}\n"
    )
    assert result.problems == ()


def test_a_step_must_say_where_to_go() -> None:
    result = load("  a: {type: step, command: x, continue_on_error: true}\n  end: {type: terminal}\n")
    assert texts(result) == [
        "error: state 'a': a step must have on_success, on_failure or transitions (w.yaml:4:3)"
    ]
    assert result.errors[0].code == "WORKFLOW.VALIDATION.NO_WAY_ON"


@pytest.mark.parametrize(
    "state",
    [
        "{type: for_each, items: x, body: [b]}",
        "{type: while, while: 'true', body: [b]}",
        "{type: parallel, parallel: [b]}",
        "{type: call_workflow, workflow: v, on_failure: end}",
        "{type: agent, provider: claude, prompt: x, on_failure: end}",
        "{type: operation, operation: http.request, on_failure: end}",
    ],
)
def test_every_state_of_the_main_line_should_say_where_to_go(state: str) -> None:
    result = load(
        f"  a: {state}\n  b: {{type: step, command: x, on_success: end}}\n  end: {{type: terminal}}\n"
    )
    assert result.workflow is not None
    assert "warning: state 'a' names no next state for when it succeeds (w.yaml:4:3)" in texts(result)


def test_states_that_hold_themselves() -> None:
    result = load(
        "  a: {type: for_each, items: x, body: [b], on_complete: end}\n"
        "  b: {type: parallel, parallel: [c, a]}\n  c: {type: step, command: x}\n  end: {type: terminal}\n"
    )
    assert texts(result) == ["error: state 'a' contains itself: a -> b -> a (w.yaml:4:3)"]
    assert result.errors[0].code == "WORKFLOW.VALIDATION.HOLDS_ITSELF"
    direct = load("  a: {type: while, while: 'true', body: [a], on_complete: end}\n  end: {type: terminal}\n")
    assert texts(direct) == ["error: state 'a' contains itself: a -> a (w.yaml:4:3)"]


def test_what_only_branches_name_can_never_be_reached() -> None:
    result = load(
        "  a: {type: parallel, parallel: [b], on_success: end}\n"
        "  b: {type: step, command: x, on_success: c}\n  c: {type: step, command: x, on_success: end}\n"
        "  end: {type: terminal}\n"
    )
    assert texts(result) == ["warning: state 'c' can never be reached (w.yaml:6:3)"]


def test_ends_that_are_no_ends() -> None:
    branch = load(
        "  a: {type: parallel, parallel: [end], on_success: b}\n  b: {type: step, command: x, on_success: a}\n"
        "  end: {type: terminal}\n"
    )
    assert texts(branch) == ["warning: no terminal state can be reached from 'a' (w.yaml:3:12)"]
    body = load(
        "  a: {type: while, while: 'true', body: [b, end], on_success: a}\n  b: {type: step, command: x}\n"
        "  end: {type: terminal}\n"
    )
    assert body.problems == ()


@pytest.mark.parametrize(
    ("condition", "constant"),
    [
        ("states.b.Output != 'ready'", True),
        ("states.b.Output != 'ready' and states.a.ExitCode == 0", True),
        ("states.b.Output != 'ready' and loop.Index < 3", False),
        ("states.c.Output != 'ready'", False),
        ("states.d.Output != states.b.Output", False),
        ("workflow.Duration != states.b.Output", False),
        ("true", False),
        ("inputs.x == 1", False),
    ],
)
def test_a_while_that_never_changes(condition: str, constant: bool) -> None:
    states = (
        "  b: {type: step, command: x, on_success: a}\n"
        f'  a: {{type: while, while: "{condition}", body: [c, p], on_complete: end'
    )
    rest = (
        "}\n  c: {type: step, command: x}\n  p: {type: parallel, parallel: [d]}\n  d: {type: step, command: x}\n"
        "  end: {type: terminal}\n"
    )
    found = [text for text in texts(load(states + rest, initial="b")) if "undefined input" not in text]
    message = (
        "warning: state 'a': 'while' can only read states outside the loop: it never changes (w.yaml:5:28)"
    )
    assert (message in found) == constant
    stopped = texts(load(f"{states}, break_when: 'loop.Index > 3'{rest}", initial="b"))
    assert message not in stopped


def test_body_steps_lead_where_they_say() -> None:
    result = load(
        "  a: {type: for_each, items: x, body: [b, c], on_complete: end}\n"
        "  b: {type: step, command: x, on_failure: out}\n  c: {type: step, command: x, on_failure: a}\n"
        "  out: {type: step, command: x, on_success: end}\n  end: {type: terminal}\n"
    )
    assert result.problems == ()
