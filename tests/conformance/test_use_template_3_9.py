"""Section 3.9: states that are copied from a template."""

from __future__ import annotations

import pytest

from awf.catalog import Catalog
from conformance.harness import run
from conformance.loading import said, written

ECHO = """
name: echo
parameters:
  - {name: text, required: true}
  - {name: mark, default: "!"}
states:
  initial: echo
  echo:
    type: step
    command: "echo '{{parameters.text}}{{ parameters.mark }}' {{.parameters.text}} {{inputs.who}}"
    env: {MARK: "{{- parameters.mark -}}"}
    timeout: 5s
    on_success: done
"""


def workflow(state, more=""):
    return f"name: main\ninputs: [{{name: who, default: me}}]\nstates:\n  initial: s\n  s: {state}\n{more}  done: {{type: terminal}}\n"


def templates(**texts):
    return {f".awf/templates/{name}.yaml": text for name, text in texts.items()}


def test_the_using_state_needs_neither_type_nor_command():
    result = run(workflow("{use_template: echo, parameters: {text: hi}}"), files=templates(echo=ECHO))
    assert result.outputs["s"] == "hi! hi me\n"
    started = result.of("step.started")[0]
    assert (started.timeout, started.env) == (5.0, {"MARK": "!"})


def test_its_own_keys_win():
    state = "{use_template: echo, parameters: {text: hi}, command: echo own, timeout: 9s, on_success: other}"
    result = run(
        workflow(state, "  other: {type: step, command: echo other, on_success: done}\n"),
        files=templates(echo=ECHO),
    )
    assert (result.outputs["s"], result.outputs["other"]) == ("own\n", "other\n")
    assert result.of("step.started")[0].timeout == 9.0


def test_a_parameter_that_is_the_whole_value_keeps_its_type():
    loop = """
    parameters: [{name: what, required: true}, {name: most, default: 2}]
    states:
      loop: {type: for_each, items: "{{parameters.what}}", max_iterations: "{{parameters.most}}", body: [say], on_complete: done}
    """
    state = "{use_template: loop, parameters: {what: [a, b, c]}}"
    result = run(
        workflow(state, "  say: {type: step, command: 'echo {{loop.Item}}'}\n"), files=templates(loop=loop)
    )
    assert [result.outputs[f"s[{number}]/say"] for number in range(2)] == ["a\n", "b\n"]
    assert "s[2]/say" not in result.outputs


EVERYWHERE = """
parameters: [{name: p, required: true}]
states:
  every:
    type: step
    command: "echo {{ parameters.p }} | cat; exit 3"
    dir: "{{parameters.p}}"
    env: {P: "<{{.parameters.p}}>"}
    timeout: "{{parameters.p}}0s"
    retry: {max_attempts: 2, retryable_exit_codes: ["{{ parameters.p }}"]}
    hooks: {pre: [{log: "pre {{parameters.p}}"}], post: [{command: "echo post {{  parameters.p  }}"}]}
    transitions: [{when: "states.s.ExitCode == {{parameters.p}}", goto: "to{{parameters.p}}"}]
    on_failure: {message: "no {{parameters.p}}", status: 2}
"""


def test_parameters_stand_in_any_text_of_any_field():
    text = workflow(
        "{use_template: every, parameters: {p: 3}}",
        "  to3: {type: terminal, status: failure, message: routed}\n",
    )
    result = run(text, files={**templates(every=EVERYWHERE), "3/x": ""})
    assert (result.status, result.error, result.outputs["s"]) == ("failed", "routed", "3\n")
    first, again = result.of("step.started")
    assert (first.dir, first.env, first.timeout, again.attempt) == ("3", {"P": "<3>"}, 30.0, 2)
    assert [fact.message for fact in result.of("hook.finished")] == ["pre 3", "post 3\n"]


def test_templates_nest():
    outer = """
    parameters: [{name: who, required: true}]
    states:
      outer: {use_template: echo, parameters: {text: "to {{parameters.who}}", mark: "?"}}
    """
    result = run(
        workflow("{use_template: outer, parameters: {who: you}}"), files=templates(echo=ECHO, outer=outer)
    )
    assert result.outputs["s"] == "to you? to you me\n"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("{use_template: echo}", 'error 5:21 state \'s\': template "echo" missing required parameter "text"'),
        ("{use_template: a}", "circular template reference: a -> b -> a"),
        ("{use_template: self}", "circular template reference: self -> self"),
        (
            "{use_template: nope}",
            "error 5:21 state 's': template 'nope': file not found: .awf/templates/nope.yaml",
        ),
        ("{use_template: ../x}", "error 5:21 state 's': '../x' cannot be the name of a template"),
        ("{use_template: bad, parameters: {}}", "template 'bad' has no parameter 'txt'"),
    ],
)
def test_mistakes_are_load_errors(state, message):
    files = templates(
        echo=ECHO,
        a="states: {a: {use_template: b}}",
        b="states: {b: {use_template: a}}",
        self="states: {self: {use_template: self}}",
        bad="states: {bad: {type: step, command: 'echo {{parameters.txt}}', on_success: done}}",
    )
    assert any(line.startswith("error") and message in line for line in said(workflow(state), files))


PLAIN = "states: {t: {type: step, command: 'echo NAME', on_success: done}}"


def made(*places):
    """What the state ``s`` that uses template ``t`` says, with a template at each of these places."""
    paths = {
        "project": ".awf/templates/t.yaml",
        "yml": ".awf/templates/t.yml",
        "storage": ".awf/storage/templates/t.yaml",
        "data": ".local/share/awf/templates/t.yaml",
    }
    files = {paths[place]: PLAIN.replace("NAME", place) for place in places}
    return run(workflow("{use_template: t}"), files=files).outputs["s"]


def test_templates_are_those_of_the_project_then_of_the_storage_then_of_the_user():
    assert made("project", "yml", "storage", "data") == "project\n"
    assert made("yml", "storage", "data") == "yml\n"
    assert made("storage", "data") == "storage\n"
    assert made("data") == "data\n"


def test_the_storage_directory_can_be_another_and_the_data_directory_as_well(tmp_path):
    files = {
        "project/.awf/workflows/main.yaml": workflow("{use_template: t}"),
        "elsewhere/templates/t.yaml": PLAIN.replace("NAME", "storage"),
        "share/awf/templates/t.yaml": PLAIN.replace("NAME", "data"),
    }
    project = written(tmp_path, files) / "project"
    environ = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")}

    def command(catalog):
        return catalog.find("main").loaded.workflow.states["s"].command.source

    assert command(Catalog(project, environ, tmp_path / "elsewhere")) == "echo storage"
    assert command(Catalog(project, environ)) == "echo data"


def test_a_template_that_appears_in_a_nearer_place_is_seen_by_the_next_look(tmp_path):
    files = {
        ".awf/workflows/main.yaml": workflow("{use_template: t}"),
        ".local/share/awf/templates/t.yaml": PLAIN.replace("NAME", "data"),
    }
    catalog = Catalog(written(tmp_path, files), {"HOME": str(tmp_path)})
    assert catalog.find("main").loaded.workflow.states["s"].command.source == "echo data"
    written(tmp_path, {".awf/templates/t.yaml": PLAIN.replace("NAME", "project")})
    assert catalog.find("main").loaded.workflow.states["s"].command.source == "echo project"


def test_a_broken_template_is_not_passed_over_for_a_good_one_further_on():
    files = {
        ".awf/templates/t.yaml": "states: [",
        "home/.local/share/awf/templates/t.yaml": PLAIN,
    }
    (line,) = [line for line in said(workflow("{use_template: t}"), files) if line.startswith("error")]
    assert line.startswith("error .awf/templates/t.yaml:1:10 invalid YAML")


def test_a_mistake_in_the_users_template_names_its_place():
    bad = "states:\n  t: {type: step, command: 'echo {{parameters.x}}', on_success: done}\n"
    (line,) = [
        line
        for line in said(workflow("{use_template: t}"), {"home/.local/share/awf/templates/t.yaml": bad})
        if line.startswith("error")
    ]
    assert line.startswith("error {{awf.data_dir}}/templates/t.yaml:2:28 template 't' has no parameter 'x'")


def test_an_execution_is_pinned_to_the_users_templates_too():
    first = "  s0: {type: step, command: 'mkdir .awf/templates; cp x .awf/templates/t.yaml', on_success: s}\n"
    text = workflow("{use_template: t}", first).replace("initial: s\n", "initial: s0\n")
    files = {".local/share/awf/templates/t.yaml": PLAIN.replace("NAME", "mine"), "./x": PLAIN}
    assert run(text, files=files).outputs["s"] == "mine\n"


def test_unknown_parameters_are_warned_of():
    state = "{use_template: echo, parameters: {text: a, marc: b}}"
    assert said(workflow(state), templates(echo=ECHO)) == [
        "warning 5:49 state 's': template 'echo' has no parameter 'marc' (did you mean 'mark'?)"
    ]


def test_an_execution_is_pinned_to_its_templates():
    first = "  s0: {type: step, command: 'echo broken > .awf/templates/echo.yaml', on_success: s}\n"
    text = workflow("{use_template: echo, parameters: {text: hi}}", first).replace(
        "initial: s\n", "initial: s0\n"
    )
    assert run(text, files=templates(echo=ECHO)).outputs["s"] == "hi! hi me\n"
