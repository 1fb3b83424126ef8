from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow
from awf.domain.workflow import HookAction, StepState, Workflow


def load(hooks: str, top: str = "") -> Loaded:
    """``hooks`` of the step a, ``top``: of the workflow."""
    return load_workflow(
        "name: w\ninputs: [{name: x}]\nstates:\n  initial: a\n  a:\n    type: step\n    command: x\n"
        f"    on_success: b\n    hooks: {hooks}\n  b: {{type: terminal}}\n{top}",
        "w.yaml",
        "w",
    )


def loaded(hooks: str = "", top: str = "") -> Workflow:
    result = load(hooks, top)
    assert result.problems == ()
    assert result.workflow is not None
    return result.workflow


def sources(actions: tuple[HookAction, ...]) -> list[tuple[str, str]]:
    return [
        ("log", action.log.source)
        if action.log
        else ("command", action.command.source if action.command else "")
        for action in actions
    ]


def test_the_hooks_of_a_state() -> None:
    state = loaded("{pre: [{log: 'go {{.inputs.x}}'}, {command: make}], post: [{log: done}]}").states["a"]
    assert isinstance(state, StepState)
    assert sources(state.hooks.pre) == [("log", "go {{.inputs.x}}"), ("command", "make")]
    assert sources(state.hooks.post) == [("log", "done")]
    assert [str(action.position) for action in state.hooks.pre] == ["w.yaml:9:19", "w.yaml:9:46"]
    assert all(action.escaping for action in state.hooks.pre)


def test_the_hooks_of_the_workflow() -> None:
    hooks = loaded(
        top=(
            "hooks:\n  workflow_start: [{log: a}]\n  workflow_end:\n    - command: b\n    - log: c\n"
            "  workflow_error: [{log: '{{error.Message}} {{.error.exit_code}}'}]\n"
            "  workflow_cancel: [{command: 'echo \"{{error.State}}\"'}]\n"
        )
    ).hooks
    assert sources(hooks.start) == [("log", "a")]
    assert sources(hooks.end) == [("command", "b"), ("log", "c")]
    assert sources(hooks.error) == [("log", "{{error.Message}} {{.error.exit_code}}")]
    assert sources(hooks.cancel) == [("command", 'echo "{{error.State}}"')]


def test_absent_ones() -> None:
    workflow = loaded("{}", "hooks:\n")
    state = workflow.states["a"]
    assert isinstance(state, StepState)
    assert (state.hooks.pre, state.hooks.post, workflow.hooks.error) == ((), (), ())


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ("[x]", "state 'a': 'hooks' must be a map with pre and post, not a list (w.yaml:9:12)"),
        (
            "{pre: {log: x}}",
            "state 'a': hooks: 'pre' must be a list of maps with log or command, not a map (w.yaml:9:18)",
        ),
        (
            "{pre: [x]}",
            "state 'a': hooks: pre 1 must be a map with log or command, not a string (w.yaml:9:19)",
        ),
        (
            "{post: [{log: [x]}]}",
            "state 'a': hooks: post 1: 'log' must be a string, not a list (w.yaml:9:26)",
        ),
        (
            "{post: [{command: {a: b}}]}",
            "state 'a': hooks: post 1: 'command' must be a string, not a map (w.yaml:9:30)",
        ),
        ("{pre: [{log: '{{if}}'}]}", "state 'a': hooks: pre 1: template: "),
        ("{pre: [{command: '{{'}]}", "state 'a': hooks: pre 1: template: "),
        (
            "{pre: [{command: 'echo \\{{.inputs.x}}'}]}",
            "state 'a': hooks: pre 1: command: a value directly after a backslash has no safe form (w.yaml:9:36)",
        ),
        ("{pre: [{log: '{{.inputs.y}}'}]}", "state 'a': undefined input \"y\" referenced in hooks.pre"),
        (
            "{pre: [{log: '{{.states.a.Output}}'}]}",
            "state 'a': forward reference to state \"a\" in hooks.pre",
        ),
        (
            "{pre: [{log: '{{error.Message}}'}]}",
            "state 'a': error.Message is used outside of an error hook in hooks.pre",
        ),
    ],
)
def test_what_they_cannot_be(hooks: str, message: str) -> None:
    (error,) = load(hooks).errors
    assert str(error).startswith(message)


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        (
            "{pre: [{}]}",
            "state 'a': hooks: pre 1: has neither log nor command, and does nothing (w.yaml:9:19)",
        ),
        (
            "{pre: [{command: ' '}]}",
            "state 'a': hooks: pre 1: has neither log nor command, and does nothing (w.yaml:9:19)",
        ),
        (
            "{pre: [{log: x, command: y}]}",
            "state 'a': hooks: pre 1: 'command' has no effect beside 'log' (w.yaml:9:28)",
        ),
        ("{before: [{log: x}]}", "state 'a': hooks: unknown key 'before' (w.yaml:9:13)"),
        (
            "{pre: [{lgo: x}]}",
            "state 'a': hooks: pre 1: unknown key 'lgo' (did you mean 'log'?) (w.yaml:9:20)",
        ),
        (
            "{pre: [{command: '{{.inputs.x}}'}]}",
            "state 'a': hooks: pre 1: command: the whole command is one value: it is code (w.yaml:9:30)",
        ),
    ],
)
def test_what_they_may_not_mean(hooks: str, message: str) -> None:
    result = load(hooks)
    assert result.workflow is not None
    assert message in [str(problem) for problem in result.warnings]


def test_a_post_hook_sees_the_result_of_its_state() -> None:
    assert load("{post: [{log: '{{.states.a.Output}}'}]}").problems == ()


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        (
            "workflow_end: [{log: '{{error.Message}}'}]",
            "error.Message is used outside of an error hook in workflow_end",
        ),
        ("workflow_error: [{log: '{{error.Mesage}}'}]", 'error has no property "Mesage" in workflow_error'),
        ("workflow_error: [{log: '{{loop.Item}}'}]", "loop.Item is used outside of a loop in workflow_error"),
        (
            "workflow_end: [{log: '{{.states.c.Output}}'}]",
            "the workflow references undefined state 'c' in workflow_end",
        ),
        (
            "workflow_end: [{log: '{{.states.a.output}}'}]",
            'invalid state property "output" for state "a" in workflow_end',
        ),
        (
            "workflow_start: [{log: '{{.states.a.Output}}'}]",
            'forward reference to state "a" in workflow_start (referenced state has not executed yet)',
        ),
        (
            "workflow_end: [{command: 'echo ${A:-{{.inputs.x}}}'}]",
            "hooks: workflow_end 1: command: a value inside ${…} has no safe form",
        ),
    ],
)
def test_what_hooks_of_the_workflow_cannot_read(hooks: str, message: str) -> None:
    (error,) = load("", f"hooks: {{{hooks}}}\n").errors
    assert error.message.startswith(message)
    assert error.position.line == 11


def test_hooks_at_the_end_may_read_any_state_that_is_ever_entered() -> None:
    assert load("", "hooks: {workflow_end: [{log: '{{.states.a.Output}}'}]}\n").problems == ()
    result = load(
        "",
        "  u: {type: step, command: x, on_success: b}\nhooks: {workflow_end: [{log: '{{.states.u.Output}}'}]}\n",
    )
    assert [problem.message for problem in result.warnings] == [
        "state 'u' can never be reached",
        '"u" can never have run when workflow_end refers to it',
    ]


@pytest.mark.parametrize(("where", "escaped"), [("workflow", [False, False]), ("state", [False, True])])
def test_escaping_that_is_off(where: str, escaped: list[bool]) -> None:
    result = load_workflow(
        ("escaping: off\n" if where == "workflow" else "") + "name: w\nstates:\n  initial: a\n"
        "  a:\n    type: step\n    command: echo \\{{.env.X}}\n    on_success: b\n"
        + ("    escaping: off\n" if where == "state" else "")
        + "    hooks: {pre: [{command: 'echo {{.env.X}}'}]}\n"
        "  b: {type: terminal}\nhooks: {workflow_end: [{command: 'echo {{.env.X}}'}]}\n",
        "w.yaml",
        "w",
    )
    assert result.errors == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, StepState)
    assert not state.escaping
    assert [state.hooks.pre[0].escaping, result.workflow.hooks.end[0].escaping] == escaped
    assert [problem.message for problem in result.warnings] == [
        "state 'a': command: escaping is off: the value is code",
        "state 'a': hooks: pre 1: command: escaping is off: the value is code",
        "hooks: workflow_end 1: command: escaping is off: the value is code",
    ][: 3 if where == "workflow" else 2]


def test_a_state_may_turn_escaping_on_again() -> None:
    result = load_workflow(
        "name: w\nescaping: off\nstates:\n  initial: a\n"
        "  a: {type: step, command: 'echo {{.env.X}}', escaping: on, on_success: b}\n  b: {type: terminal}\n",
        "w.yaml",
        "w",
    )
    assert result.problems == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, StepState)
    assert state.escaping
