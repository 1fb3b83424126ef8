from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow
from awf.domain.templates import Template
from awf.domain.workflow import ForEachState, ParallelState, WhileState

TAIL = (
    "  b: {type: step, command: x, on_success: c}\n  c: {type: step, command: x, on_success: b}\n"
    "  done: {type: terminal}\n"
)


def load(keys: str, kind: str = "for_each") -> Loaded:
    """State a of this type with these keys goes on to done; b and c are steps."""
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    return load_workflow(
        f"name: w\nstates:\n  initial: a\n  a:\n    type: {kind}\n    on_success: done\n{lines}{TAIL}",
        "w.yaml",
        "w",
    )


def texts(result: Loaded) -> list[str]:
    return [str(problem) for problem in result.problems if "never be reached" not in problem.message]


def for_each(keys: str) -> ForEachState:
    result = load(f"body: [b]\n{keys}")
    assert texts(result) == []
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, ForEachState)
    return state


def test_a_for_each_with_everything() -> None:
    result = load(
        "items: '{{.inputs.files}}'\nbody: [b, c]\nmax_iterations: 5\nbreak_when: states.c.ExitCode == 3\n"
        "on_complete: done\non_failure: {message: bad, status: 4}\ntimeout: 5m\ncontinue_on_error: true\n"
        "transitions: [{when: 'true', goto: done}]\nretry: {max_attempts: 2}\n"
        "hooks: {pre: [{log: before}], post: [{log: after}]}"
    )
    assert [problem.message for problem in result.problems] == [
        "state 'a': undefined input \"files\" referenced in items"
    ]
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, ForEachState)
    assert isinstance(state.items, Template)
    assert state.items.source == "{{.inputs.files}}"
    assert (state.body, state.limit, state.timeout) == (("b", "c"), 5, 300)
    assert state.break_when is not None
    assert state.break_when.source == "states.c.ExitCode == 3"
    assert (state.routing.on_complete, state.routing.on_success) == ("done", "done")
    assert state.routing.continue_on_error
    assert len(state.routing.transitions) == 1
    assert state.retry is not None
    assert (len(state.hooks.pre), len(state.hooks.post)) == (1, 1)


def test_items_of_a_list_keep_their_types_and_may_have_templates() -> None:
    items = for_each('items: [1, text, "{{.env.HOME}}", {name: "{{.env.USER}}", deep: [2.5, null]}]').items
    assert isinstance(items, tuple)
    number, text, template, nested = items
    assert (number, text) == (1, "text")
    assert isinstance(template, Template)
    assert isinstance(nested["name"], Template)
    assert nested["deep"] == [2.5, None]
    assert for_each("items: []").items == ()


@pytest.mark.parametrize("written", ["a, b, c", "'[\"a\", 1]'", "'{{.env.LIST}}'", "5", "'[{{.env.A}}]'"])
def test_items_of_text(written: str) -> None:
    assert isinstance(for_each(f"items: {written}").items, Template)


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("1", 1),
        ("10000", 10_000),
        ("0", None),
        ("", None),
        ("'7'", 7),
        ("2 * (3 + 1)", 8),
        ("''", None),
        ("'7 / 2'", 3),
    ],
)
def test_limits_that_are_known_at_load(written: str, limit: int | None) -> None:
    assert for_each(f"items: x\nmax_iterations: {written}").limit == limit


def test_a_limit_that_is_not() -> None:
    limit = for_each("items: x\nmax_iterations: '{{.env.N}} + 1'").limit
    assert isinstance(limit, Template)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("body: [b]", "state 'a': items is required for for_each steps (w.yaml:4:3)"),
        ("items:\nbody: [b]", "state 'a': items is required for for_each steps (w.yaml:7:5)"),
        ("items: x", "state 'a': body is required for loop steps (w.yaml:4:3)"),
        ("items: x\nbody: []", "state 'a': body is required for loop steps (w.yaml:8:5)"),
        (
            "items: x\nbody: b",
            "state 'a': 'body' must be a list of names of states, not a string (w.yaml:8:11)",
        ),
        (
            "items: x\nbody: [b, [c]]",
            "state 'a': 'body' must be a list of names of states, not a list (w.yaml:8:15)",
        ),
        ("items: x\nbody: [b, '']", "state 'a': 'body' holds an empty name (w.yaml:8:15)"),
        (
            "items: x\nbody: [b, c, b]",
            "state 'a': invalid loop body: duplicate step 'b' in body at indices 0 and 2 (w.yaml:8:18)",
        ),
        ("items: x\nbody: [b, ghost]", "state 'a' references undefined state 'ghost' (w.yaml:8:15)"),
        (
            "items: x\nbody: [b]\non_complete: ghost",
            "state 'a' references undefined state 'ghost' (w.yaml:9:18)",
        ),
        (
            "items: {a: 1}\nbody: [b]",
            "state 'a': 'items' must be a list, or text that gives one, not a map (w.yaml:7:12)",
        ),
        (
            "items: '[1, 2'\nbody: [b]",
            "state 'a': items: looks like JSON and is not: Expecting ',' delimiter: line 1 column 6 (char 5) (w.yaml:7:12)",
        ),
        (
            "items: '{\"a\": 1}'\nbody: [b]",
            "state 'a': items: a JSON object is not a list; give an array (w.yaml:7:12)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: -1",
            "state 'a': max_iterations must be non-negative (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: 10001",
            "state 'a': max_iterations exceeds maximum allowed limit (10000) (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: 2.5",
            "state 'a': 'max_iterations' must be a whole number, or text that gives one, not a number (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: [1]",
            "state 'a': 'max_iterations' must be a whole number, or text that gives one, not a list (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: true",
            "state 'a': 'max_iterations' must be a whole number, or text that gives one, not a boolean (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: many",
            "state 'a': max_iterations: value \"many\" is invalid: must be an integer (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: '3 - 3'",
            "state 'a': max_iterations: value 0 must be at least 1 (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nmax_iterations: '9999 * 9'",
            "state 'a': max_iterations: value 89991 exceeds maximum allowed limit of 10000 (w.yaml:9:21)",
        ),
        (
            "items: x\nbody: [b]\nbreak_when: 'states.b.Output =='",
            "state 'a': expression: unexpected end (w.yaml:9:36)",
        ),
    ],
)
def test_what_a_for_each_cannot_have(keys: str, message: str) -> None:
    assert texts(load(keys)) == [message]


def test_everything_that_a_loop_is_missing_is_told_at_once() -> None:
    assert texts(load("max_iterations: -1", "while")) == [
        "state 'a': body is required for loop steps (w.yaml:4:3)",
        "state 'a': condition is required for while steps (w.yaml:4:3)",
        "state 'a': max_iterations must be non-negative (w.yaml:7:21)",
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "true",
        "'true'",
        "\"states.b.Output != 'ready'\"",
        "'loop.Index < {{.env.N}}'",
        '"len(states.b.Output) < 3"',
    ],
)
def test_conditions(condition: str) -> None:
    result = load(f"while: {condition}\nbody: [b]", "while")
    assert texts(result) == []
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, WhileState)
    assert (state.body, state.limit, state.break_when) == (("b",), None, None)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("''", "state 'a': condition is required for while steps (w.yaml:7:5)"),
        ("[1]", "state 'a': 'while' must be an expression, not a list (w.yaml:7:12)"),
        ('"states.b.Outputt == 1"', "state 'a': expression: "),
        ('"stats.b.Output == 1"', "state 'a': expression: "),
        ('"states.ghost.Output == 1"', "state 'a' references undefined state 'ghost' in while (w.yaml:7:13)"),
    ],
)
def test_conditions_that_are_none(condition: str, message: str) -> None:
    (text,) = texts(load(f"while: {condition}\nbody: [b]", "while"))
    assert text.startswith(message)


def test_parallel() -> None:
    result = load("parallel: [b, c]\nstrategy: Any_Succeed\nmax_concurrent: 1\ntimeout: 500ms", "parallel")
    assert texts(result) == []
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, ParallelState)
    assert (state.branches, state.strategy, state.max_concurrent) == (("b", "c"), "any_succeed", 1)
    assert state.timeout == 0.5
    usual = load("parallel: [b]\nstrategy: ''", "parallel").workflow
    assert usual is not None
    state = usual.states["a"]
    assert isinstance(state, ParallelState)
    assert (state.strategy, state.max_concurrent) == ("all_succeed", 0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("strategy: best_effort", "state 'a': branches are required for parallel-type steps (w.yaml:4:3)"),
        ("parallel: []", "state 'a': branches are required for parallel-type steps (w.yaml:7:5)"),
        (
            "parallel: {b: 1}",
            "state 'a': 'parallel' must be a list of names of states, not a map (w.yaml:7:15)",
        ),
        (
            "parallel: [b, c, c]",
            "state 'a': duplicate branch 'c' in parallel at indices 1 and 2 (w.yaml:7:22)",
        ),
        ("parallel: [b, ghost]", "state 'a' references undefined state 'ghost' (w.yaml:7:19)"),
        (
            "parallel: [b]\nstrategy: some",
            (
                "state 'a': invalid parallel strategy 'some': must be one of all_succeed, any_succeed, best_effort"
                " (w.yaml:8:15)"
            ),
        ),
        (
            "parallel: [b]\nmax_concurrent: -1",
            "state 'a': 'max_concurrent' must be from 0 to 1000000, not -1 (w.yaml:8:21)",
        ),
        (
            "parallel: [b]\nmax_concurrent: two",
            "state 'a': 'max_concurrent' must be a whole number, not a string (w.yaml:8:21)",
        ),
    ],
)
def test_what_a_parallel_cannot_have(keys: str, message: str) -> None:
    assert texts(load(keys, "parallel")) == [message]


def test_steps_are_not_said_to_be_stuck_where_it_is_not_known_what_holds_them() -> None:
    result = load_workflow(
        "name: w\nstates:\n  initial: a\n  a: {type: for_each, items: x, bdy: [b], on_success: d}\n"
        "  b: {type: step, command: x}\n  d: {type: terminal}\n",
        "w.yaml",
        "w",
    )
    assert texts(result) == [
        "state 'a': body is required for loop steps (w.yaml:4:3)",
        "state 'a': unknown key 'bdy' (did you mean 'body'?) (w.yaml:4:33)",
    ]


def test_keys_of_loops_have_no_effect_elsewhere() -> None:
    result = load("parallel: [b]\nbody: [c]\nbreak_when: x\non_complete: done", "parallel")
    assert texts(result) == [
        "state 'a': key 'body' has no effect here (w.yaml:8:5)",
        "state 'a': key 'break_when' has no effect here (w.yaml:9:5)",
        "state 'a': key 'on_complete' has no effect here (w.yaml:10:5)",
    ]


def test_a_best_effort_never_fails_so_its_retry_never_applies() -> None:
    keys = "parallel: [b]\nretry: {max_attempts: 2}\nstrategy: best_effort"
    assert texts(load(keys, "parallel")) == [
        "state 'a': retry can never apply: with best_effort the state never fails (w.yaml:8:5)"
    ]
    assert texts(load(f"{keys}\ntimeout: 3s", "parallel")) == []
