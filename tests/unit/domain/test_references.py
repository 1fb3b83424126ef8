from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow

INPUTS = "inputs: [{name: model}, {name: my-name}]\n"


def load(command: str = "x", *, inputs: str = INPUTS, more: str = "", when: str = "'true'") -> Loaded:
    """States a, b, c in a line; ``command`` and ``when`` are those of b, from which there is a way back to a."""
    return load_workflow(
        f"name: w\n{inputs}states:\n  initial: a\n"
        "  a: {type: step, command: x, on_success: b}\n"
        f"  b:\n    type: step\n    command: |-\n      echo {command}\n    on_success: c\n    on_failure: a\n"
        f"    transitions: [{{when: {when}, goto: c}}]\n{more}"
        "  c: {type: step, command: x, on_success: end}\n"
        "  unread: {type: step, command: x, on_success: end}\n"
        "  end: {type: terminal}\n",
        "w.yaml",
        "w",
    )


def texts(result: Loaded) -> list[str]:
    return [
        f"{problem.severity}: {problem.message}"
        for problem in result.problems
        if "never be reached" not in problem.message
    ]


@pytest.mark.parametrize(
    "command",
    [
        "{{inputs.model}} {{.inputs.model}}",
        '{{index .inputs "my-name"}}',
        "{{states.a.Output}} {{.states.a.JSON.deep.er}}",
        "{{workflow.ID}} {{workflow.id}} {{.workflow.current_state}} {{.workflow.StartedAt}}",
        "{{context.working_dir}} {{context.WorkingDir}} {{env.ANYTHING}} {{awf.scripts_dir}}",
        '{{if .states.b}}again{{end}} {{default "none" .states.b.Output}}',
    ],
)
def test_what_may_be_referred_to(command: str) -> None:
    assert texts(load(command)) == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "{{inputs.modle}}",
            'state \'b\': undefined input "modle" referenced in command (did you mean "model"?)',
        ),
        ("{{states.aa.Output}}", "state 'b' references undefined state 'aa' in command"),
        (
            "{{.states.a.output}}",
            'invalid state property "output" for state "a" in command, use \'Output\' instead',
        ),
        ("{{.states.a.exit_code}}", "use 'ExitCode' instead"),
        (
            "{{.states.a.Outptu}}",
            'invalid state property "Outptu" for state "a" in command (did you mean "Output"?)',
        ),
        ("{{.workflow.Nmae}}", 'workflow has no property "Nmae" in command (did you mean "Name"?)'),
        ("{{.context.Home}}", 'context has no property "Home" in command'),
        ("{{.awf.script_dir}}", 'awf has no property "script_dir" in command (did you mean "scripts_dir"?)'),
        ("{{.loop.Item}}", "loop.Item is used outside of a loop in command"),
        ("{{.error.Message}}", "error.Message is used outside of an error hook in command"),
        (
            "{{.states.c.Output}}",
            'forward reference to state "c" in command (referenced state has not executed yet)',
        ),
        ("{{.states.b.Output}}", 'forward reference to state "b" in command'),
        ("{{.states.unread.Output}}", 'forward reference to state "unread" in command'),
    ],
)
def test_what_cannot_be_there_is_an_error(command: str, message: str) -> None:
    result = load(command)
    assert len(texts(result)) == 1, texts(result)
    assert message in result.errors[0].message
    assert result.errors[0].position.line == 9


def test_a_result_that_comes_later_is_an_error_only_where_the_template_would_fail() -> None:
    assert texts(load("{{if .states.b}}again {{.states.b.Output}}{{end}}")) == []
    assert texts(load('{{if eq .env.HOME "/x"}}{{.states.b.Output}}{{end}}')) == []
    assert texts(load("{{if .states.unread}}x{{end}}")) == [
        "warning: state 'b': \"unread\" can never have run when command refers to it"
    ]


def test_without_declared_inputs_every_name_may_come() -> None:
    assert texts(load("{{inputs.file}}", inputs="")) == [
        "warning: state 'b': undefined input \"file\" referenced in command"
    ]
    assert load("{{inputs.file}}", inputs="").workflow is not None
    assert texts(load("{{if .inputs.file}}x{{end}}")) == [
        "warning: state 'b': undefined input \"file\" referenced in command"
    ]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("states.b.exit_code == 0 and states.a.Output != inputs.model", None),
        ("states.unread.Status == 'completed'", "warning: state 'b': \"unread\" can never have run"),
        ("states.bb.ExitCode == 0", "error: state 'b' references undefined state 'bb' in transition"),
        ("states.b.ExitCod == 0", "error: state 'b': transition 1: expression: "),
        ("inputs.modle == 'x'", "error: state 'b': undefined input \"modle\" referenced in transition"),
        ("loop.Index == 0", "error: state 'b': loop.Index is used outside of a loop in transition"),
    ],
)
def test_expressions(when: str, message: str | None) -> None:
    found = texts(load(when=f'"{when}"'))
    assert len(found) == (message is not None)
    assert message is None or found[0].startswith(message)


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ('dir: "{{inputs.x}}"', "dir"),
        ('env: {A: "{{inputs.x}}"}', "env.A"),
        ('timeout: "{{inputs.x}}s"', "timeout"),
        ('on_failure: {message: "{{inputs.x}} {{states.d.Stderr}}"}', "on_failure"),
    ],
)
def test_every_templated_key_of_a_step_is_looked_at(keys: str, field: str) -> None:
    more = f"  d:\n    type: step\n    command: y\n    on_success: end\n    {keys}\n"
    result = load(more=more.replace("unread", "c"))
    assert f"state 'd': undefined input \"x\" referenced in {field}" in [
        item.message for item in result.errors
    ]
    assert len(result.errors) == 1


def test_messages_of_terminals_are_looked_at() -> None:
    result = load(more='  last: {type: terminal, message: "{{inputs.x}} {{states.a.output}}"}\n')
    assert [problem.message for problem in result.errors] == [
        "state 'last': undefined input \"x\" referenced in message",
        "state 'last': invalid state property \"output\" for state \"a\" in message, use 'Output' instead",
    ]


def blocks(**commands: str) -> list[str]:
    """What is found in a workflow of nested blocks; ``commands`` are those of its steps."""
    command = {
        name: commands.get(name, "x") for name in ("first", "one", "two", "inner", "left", "right", "last")
    }
    keys = {
        name: commands.get(name, default)
        for name, default in (
            ("items", "x"),
            ("condition", "'true'"),
            ("break_when", "'false'"),
            ("pre", "x"),
            ("post", "x"),
            ("when", "'true'"),
        )
    }
    steps = {name: f"{{type: step, command: 'echo {text}'}}" for name, text in command.items()}
    result = load_workflow(
        "name: w\nstates:\n  initial: first\n"
        f"  first: {steps['first'][:-1]}, on_success: outer}}\n"
        f"  outer:\n    type: for_each\n    items: '{keys['items']}'\n    body: [one, nested, sides, two]\n"
        f"    break_when: {keys['break_when']}\n    on_complete: last\n"
        f"    hooks: {{pre: [{{log: '{keys['pre']}'}}], post: [{{log: '{keys['post']}'}}]}}\n"
        f"    transitions: [{{when: {keys['when']}, goto: last}}]\n"
        f"  one: {steps['one']}\n"
        f"  nested: {{type: while, while: {keys['condition']}, body: [inner]}}\n"
        f"  inner: {steps['inner']}\n"
        "  sides: {type: parallel, parallel: [left, right]}\n"
        f"  left: {steps['left']}\n  right: {steps['right']}\n  two: {steps['two']}\n"
        f"  last: {steps['last'][:-1]}, on_success: end}}\n"
        "  end: {type: terminal}\n",
        "w.yaml",
        "w",
    )
    return texts(result)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("one", "{{.loop.Item}} {{loop.index}} {{.loop.First}} {{.loop.Item.name}} {{loop.Parent}}"),
        (
            "inner",
            "{{.loop.Parent.Item.name}} {{loop.parent.index}} {{.loop.Parent.Parent}} {{.loop.Length}}",
        ),
        ("left", "{{.loop.Item}}"),
        ("condition", "'loop.Index < 3 and loop.Parent.Item != nil and states.inner.Output != nil'"),
        ("break_when", "'loop.Last or states.two.ExitCode == 1'"),
        (
            "two",
            "{{.states.one.Output}} {{.states.nested.Output}} {{.states.left.Output}} {{.states.first.Output}}",
        ),
        ("last", "{{.states.outer.Output}} {{.states.one.Output}} {{.states.inner.Output}}"),
        ("post", "{{.states.outer.Output}} {{.states.one.Output}}"),
        ("when", "'states.outer.Status == \"failed\"'"),
        ("items", "{{.states.first.Output}}"),
    ],
)
def test_what_may_be_read_in_blocks(where: str, text: str) -> None:
    assert blocks(**{where: text}) == []


@pytest.mark.parametrize(
    ("where", "text", "message"),
    [
        ("first", "{{.loop.Item}}", "error: state 'first': loop.Item is used outside of a loop in command"),
        ("last", "{{loop.index}}", "error: state 'last': loop.Index is used outside of a loop in command"),
        ("items", "{{.loop.Item}}", "error: state 'outer': loop.Item is used outside of a loop in items"),
        ("pre", "{{.loop.Item}}", "error: state 'outer': loop.Item is used outside of a loop in hooks.pre"),
        (
            "when",
            "'loop.Index > 1'",
            "error: state 'outer': loop.Index is used outside of a loop in transition",
        ),
        (
            "one",
            "{{.loop.Parent.Item}}",
            "error: state 'one': loop.Parent.Item is used outside of 2 loops in command",
        ),
        (
            "inner",
            "{{.loop.Parent.Parent.Index}}",
            "error: state 'inner': loop.Parent.Parent.Index is used outside of 3 loops in command",
        ),
        (
            "one",
            "{{.loop.Itme}}",
            'error: state \'one\': loop has no property "Itme" in command (did you mean "Item"?)',
        ),
        ("inner", "{{.loop.Parent.Idx}}", "error: state 'inner': loop has no property \"Idx\" in command"),
        (
            "one",
            "{{.states.two.Output}}",
            "error: state 'one': forward reference to state \"two\" in command (referenced state has not executed yet)",
        ),
        (
            "one",
            "{{.states.outer.Output}}",
            "error: state 'one': forward reference to state \"outer\" in command",
        ),
        (
            "items",
            "{{.states.one.Output}}",
            "error: state 'outer': forward reference to state \"one\" in items",
        ),
        (
            "left",
            "{{.states.right.Output}}",
            "warning: state 'left': \"right\" runs beside this state, in another branch: command may come too early",
        ),
        (
            "condition",
            '"states.last.Output == nil or loop.Index > 1"',
            "warning: state 'nested': \"last\" can never have run when while refers to it",
        ),
    ],
)
def test_what_cannot_be_there_in_blocks(where: str, text: str, message: str) -> None:
    (found,) = blocks(**{where: text})
    assert found.startswith(message)


def test_a_state_inside_and_outside_of_a_loop() -> None:
    def found(command: str) -> list[str]:
        return texts(
            load_workflow(
                "name: w\nstates:\n  initial: a\n  a: {type: for_each, items: x, body: [b], on_complete: b}\n"
                f"  b: {{type: step, command: '{command}', on_success: c}}\n  c: {{type: terminal}}\n",
                "w.yaml",
                "w",
            )
        )

    assert found("echo {{.loop.Item}}") == [
        "warning: state 'b': loop.Item is used in command, and the state can also run outside of a loop"
    ]
    assert found("echo {{if .loop.Item}}x{{end}}") == []


def test_loops_that_could_not_be_read_are_not_also_missed() -> None:
    result = load_workflow(
        "name: w\nstates:\n  initial: a\n  a: {type: for_each, itms: x, body: [b], on_complete: c}\n"
        "  b: {type: step, command: 'echo {{.loop.Item}}'}\n  c: {type: terminal}\n",
        "w.yaml",
        "w",
    )
    assert [problem.message for problem in result.errors] == [
        "state 'a': items is required for for_each steps"
    ]
