from __future__ import annotations

import pytest

from awf.domain.files import FileMissing
from awf.domain.load import Loaded, load_workflow
from awf.domain.workflow import AgentState, ForEachState, InlineFailure, Retry, StepState

GREET = """\
name: greet
parameters:
  - {name: who, required: true}
  - {name: tries, default: 3}
  - {name: note}
states:
  initial: greet
  greet:
    type: step
    command: |
      echo "hello {{parameters.who}}{{ .parameters.note }}"
      echo {{- parameters.who -}} {{.inputs.x}}
    dir: /srv/{{parameters.who}}
    env: {WHO: "{{  parameters.who  }}"}
    timeout: "{{parameters.tries}}m"
    retry: {max_attempts: "{{parameters.tries}}"}
    on_failure: {message: "no {{parameters.who}}", status: 2}
"""
FILES = {"greet": GREET}


def load(state: str, **templates: str) -> Loaded:
    """State a is written as given, b ends."""
    known = {f".awf/templates/{name}.yaml": text for name, text in {**FILES, **templates}.items()}

    def files(path: str) -> str:
        if path not in known:
            raise FileMissing(path)
        return known[path]

    return load_workflow(
        f"name: w\ninputs: [{{name: x}}]\nstates:\n  initial: a\n  a: {state}\n  b: {{type: terminal}}\n",
        "flows/w.yaml",
        "w",
        files,
    )


def step(state: str, **templates: str) -> StepState:
    result = load(state, **templates)
    assert [str(problem) for problem in result.problems] == []
    assert result.workflow is not None
    found = result.workflow.states["a"]
    assert isinstance(found, StepState)
    return found


def texts(result: Loaded) -> list[str]:
    return [str(problem) for problem in result.problems]


def test_a_state_of_a_template_needs_neither_type_nor_command() -> None:
    state = step("{use_template: greet, parameters: {who: Ada, note: '!'}, on_success: b}")
    assert state.command.source == 'echo "hello Ada!"\necho' + "Ada" + "{{.inputs.x}}\n"
    assert state.dir is not None
    assert state.dir.source == "/srv/Ada"
    assert state.env["WHO"].source == "Ada"
    assert (state.timeout, state.retry) == (180, Retry(3))
    assert isinstance(state.routing.on_failure, InlineFailure)
    assert state.routing.on_failure.message.source == "no Ada"
    assert state.routing.on_success == "b"
    assert str(state.position) == "flows/w.yaml:5:3"
    assert state.command.position.file == ".awf/templates/greet.yaml"


def test_a_parameter_that_is_the_whole_value_keeps_its_type() -> None:
    assert step("{use_template: greet, parameters: {who: x, tries: 5}, on_success: b}").retry == Retry(5)
    result = load("{use_template: greet, parameters: {who: x, tries: many}, on_success: b}")
    assert texts(result) == [
        "state 'a': retry: 'max_attempts' must be a whole number, not a string (flows/w.yaml:5:56)",
        "state 'a': 'timeout': invalid duration: manym (write 500ms, 30s or 1m30s) (.awf/templates/greet.yaml:15:14)",
    ]


def test_lists_and_maps_as_parameters() -> None:
    template = (
        "name: each\nparameters: [{name: items}, {name: options}]\nstates:\n  each:\n    type: for_each\n"
        "    items: '{{parameters.items}}'\n    body: [c]\n    on_complete: b\n"
        "    break_when: \"'{{parameters.items}}' == ''\"\n"
    )
    result = load(
        "{use_template: each, parameters: {items: [1, two]}}\n  c: {type: step, command: x, on_success: a}",
        each=template,
    )
    assert result.errors == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, ForEachState)
    assert state.items == (1, "two")
    assert state.break_when is not None
    assert state.break_when.source == "'[1,\"two\"]' == ''"


def test_the_states_own_keys_win() -> None:
    state = step(
        "{use_template: greet, parameters: {who: x}, command: mine, timeout: 1s, env: {A: b}, on_success: b,"
        " on_failure: b, retry: {max_attempts: 9}}"
    )
    assert (state.command.source, state.timeout, set(state.env)) == ("mine", 1, {"A"})
    assert (state.routing.on_failure, state.retry) == ("b", Retry(9))
    assert state.dir is not None


def test_an_own_script_takes_the_place_of_the_templates_command() -> None:
    result = load("{use_template: greet, parameters: {who: x}, script_file: no.sh, on_success: b}")
    assert texts(result) == ["state 'a': script_file: file not found: no.sh (flows/w.yaml:5:63)"]


def test_parameters_may_hold_templates_and_everything_else_of_any_type_of_state() -> None:
    template = (
        "name: review\nparameters: [{name: what, required: true}]\nstates:\n  review:\n    type: agent\n"
        "    provider: claude\n    prompt: 'Review {{parameters.what}}'\n    options: {model: '{{parameters.what}}'}\n"
    )
    result = load(
        "{use_template: review, parameters: {what: '{{.inputs.x}}'}, on_success: b}", review=template
    )
    assert texts(result) == []
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, AgentState)
    assert state.prompt is not None
    assert state.prompt.source == "Review {{.inputs.x}}"
    assert [reference.path for reference in state.options["model"].references] == [("inputs", "x")]


def test_templates_that_use_templates() -> None:
    outer = (
        "name: outer\nparameters: [{name: name, required: true}]\nstates:\n  outer:\n    use_template: greet\n"
        "    parameters: {who: 'dear {{parameters.name}}'}\n    timeout: 7s\n"
    )
    state = step("{use_template: outer, parameters: {name: Ada}, on_success: b}", outer=outer)
    assert state.command.source.startswith('echo "hello dear Ada"')
    assert (state.timeout, state.retry) == (7, Retry(3))


def test_one_template_used_twice() -> None:
    result = load(
        "{use_template: greet, parameters: {who: x}, on_success: c}\n"
        "  c: {use_template: greet, parameters: {who: y}, on_success: b}"
    )
    assert texts(result) == []
    assert result.workflow is not None
    a, c = result.workflow.states["a"], result.workflow.states["c"]
    assert isinstance(a, StepState)
    assert isinstance(c, StepState)
    assert (a.env["WHO"].source, c.env["WHO"].source) == ("x", "y")
    assert set(result.files) == {".awf/templates/greet.yaml"}


@pytest.mark.parametrize(
    ("states", "source"),
    [
        ("{other: {type: step, command: o}, t: {type: step, command: named}}", "named"),
        ("{initial: two, one: {type: step, command: o}, two: {type: step, command: initial}}", "initial"),
        ("{one: {type: step, command: first}, two: {type: step, command: o}}", "first"),
    ],
)
def test_which_state_of_a_template_it_is(states: str, source: str) -> None:
    result = load("{use_template: t, on_success: b}", t=f"name: t\nstates: {states}\n")
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, StepState)
    assert state.command.source == source
    (warning,) = result.warnings
    assert "has no effect" in warning.message
    assert warning.position.file == ".awf/templates/t.yaml"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            "{use_template: greet, on_success: b}",
            'state \'a\': template "greet" missing required parameter "who" (flows/w.yaml:5:21)',
        ),
        (
            "{use_template: greet, parameters: {who: }, on_success: b}",
            'state \'a\': template "greet" missing required parameter "who" (flows/w.yaml:5:21)',
        ),
        (
            "{use_template: greet, parameters: [x], on_success: b}",
            "state 'a': 'parameters' must be a map of names to values, not a list (flows/w.yaml:5:40)",
        ),
        (
            "{use_template: [greet]}",
            "state 'a': 'use_template' must be the name of a template, not a list (flows/w.yaml:5:21)",
        ),
        (
            "{use_template: none}",
            "state 'a': template 'none': file not found: .awf/templates/none.yaml, nor templates/none.yaml of the "
            "storage or the data directory (flows/w.yaml:5:21)",
        ),
        ("{use_template: ../x}", "state 'a': '../x' cannot be the name of a template (flows/w.yaml:5:21)"),
        ("{use_template: /x}", "state 'a': '/x' cannot be the name of a template (flows/w.yaml:5:21)"),
    ],
)
def test_what_cannot_be_used(state: str, message: str) -> None:
    assert texts(load(state)) == [message]


def test_a_broken_template_is_told_once_where_it_is_broken_and_again_where_it_is_used() -> None:
    result = load("{use_template: t}\n  c: {use_template: t}", t="name: t\nstates: [\n")
    assert texts(result)[0] == "state 'c': template 't' cannot be used (flows/w.yaml:6:21)"
    assert result.problems[1].position.file == ".awf/templates/t.yaml"
    assert len(result.problems) == 2


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("name: t\n", "required key 'states' is missing (.awf/templates/t.yaml:1:1)"),
        (
            "name: t\nstates: x\n",
            "'states' must be a map with a state, not a string (.awf/templates/t.yaml:2:9)",
        ),
        ("name: t\nstates: {initial: x}\n", "state 'a': template 't' has no state (flows/w.yaml:5:21)"),
        ("name: t\nstates: {t: [x]}\n", "state 't' must be a map, not a list (.awf/templates/t.yaml:2:13)"),
        (
            "name: t\nparameters: x\nstates: {t: {type: step, command: x}}\n",
            "'parameters' must be a list of maps with a name, not a string (.awf/templates/t.yaml:2:13)",
        ),
        (
            "name: t\nparameters: [x]\nstates: {t: {type: step, command: x}}\n",
            "parameter 1 must be a map with a name, not a string (.awf/templates/t.yaml:2:14)",
        ),
        (
            "name: t\nparameters: [{default: x}]\nstates: {t: {type: step, command: x}}\n",
            "parameter 1: required key 'name' is missing (.awf/templates/t.yaml:2:14)",
        ),
        (
            "name: t\nstates:\n  t:\n    type: step\n    command: echo {{parameters.y}}\n",
            "template 't' has no parameter 'y' (.awf/templates/t.yaml:5:14)",
        ),
        (
            "name: t\nstates: {t: {use_template: t}}\n",
            "state 'a': circular template reference: t -> t (.awf/templates/t.yaml:2:28)",
        ),
        (
            "name: t\nstates: {t: {command: x}}\n",
            "state 'a': required key 'type' is missing (flows/w.yaml:5:3)",
        ),
        (
            "name: t\nstates:\n  t:\n    type: step\n    command: echo \\{{.inputs.x}}\n",
            "state 'a': command: a value directly after a backslash has no safe form (.awf/templates/t.yaml:5:20)",
        ),
        (
            "name: t\nstates:\n  t:\n    type: step\n    command: echo {{.inputs.y}}\n",
            "state 'a': undefined input \"y\" referenced in command (.awf/templates/t.yaml:5:21)",
        ),
    ],
)
def test_what_a_template_cannot_be(template: str, message: str) -> None:
    assert [str(problem) for problem in load("{use_template: t, on_success: b}", t=template).errors] == [
        message
    ]


def test_templates_that_use_each_other() -> None:
    result = load(
        "{use_template: one}",
        one="name: one\nstates: {one: {use_template: two}}\n",
        two="name: two\nstates: {two: {use_template: one}}\n",
    )
    assert texts(result) == [
        "state 'a': circular template reference: one -> two -> one (.awf/templates/two.yaml:2:30)"
    ]


def test_what_templates_may_not_mean() -> None:
    result = load(
        "{use_template: t, parameters: {wo: x}, on_success: b}",
        t="name: t\nparameter: []\nparameters: [{name: who, requird: true}]\nstates: {t: {type: step, command: x}}\n",
    )
    assert result.workflow is not None
    assert texts(result) == [
        "state 'a': template 't' has no parameter 'wo' (did you mean 'who'?) (flows/w.yaml:5:37)",
        "unknown key 'parameter' (did you mean 'parameters'?) (.awf/templates/t.yaml:2:1)",
        "parameter 1: unknown key 'requird' (did you mean 'required'?) (.awf/templates/t.yaml:3:26)",
    ]


def test_parameters_without_a_template_have_no_effect() -> None:
    assert texts(load("{type: step, command: x, on_success: b, parameters: {a: 1}}")) == [
        "state 'a': key 'parameters' has no effect here (flows/w.yaml:5:46)"
    ]


def test_templates_cannot_grow_without_end() -> None:
    chain = {
        f"t{n}": (
            f"name: t{n}\nparameters: [{{name: x}}]\nstates:\n  t:\n    use_template: t{n + 1}\n"
            "    parameters: {x: '{{parameters.x}}{{parameters.x}}'}\n"
        )
        for n in range(40)
    }
    last = "name: t40\nparameters: [{name: x}]\nstates: {t: {type: step, command: '{{parameters.x}}'}}\n"
    result = load("{use_template: t0, parameters: {x: abcdefgh}, on_success: b}", **chain, t40=last)
    assert result.workflow is None
    assert [problem.message for problem in result.errors] == [
        "state 'a': what its template makes of it is too large"
    ]


def test_where_a_parameter_was_put_in_the_beginning_of_the_text_is_named() -> None:
    template = (
        "name: t\nparameters: [{name: p}]\nstates:\n  t:\n    type: step\n"
        '    command: "echo {{parameters.p}} {{.inputs.y}}"\n'
    )
    result = load("{use_template: t, parameters: {p: 'a\n\n\n  b'}, on_success: b}", t=template)
    assert [str(problem) for problem in result.errors] == [
        "state 'a': undefined input \"y\" referenced in command (.awf/templates/t.yaml:6:15)"
    ]
