"""Section 6: the template language, seen through what real commands print."""

from __future__ import annotations

import json

import pytest

from conformance.harness import refused, run
from conformance.loading import said

INPUTS = {
    "name": "Ada",
    "n": 5000000.0,
    "big": 12345678901234,
    "half": 0.5,
    "tiny": 1e-7,
    "on": True,
    "list": [1, "two", None, {"b": 2, "a": [1]}],
    "map": {"z": 1, "a": {"k": "v"}},
    "empty": "",
    "my-key": "dash",
    "word": " x ",
    "csv": "a, b ,c",
}


def workflow(text, extra=""):
    lines = "\n".join(f"      {line}" for line in text.split("\n"))
    return f"""\
name: main
states:
  initial: first
  first: {{type: step, command: "echo one; echo err >&2", on_success: s}}
  s:
    type: step
    on_success: done
    {extra}
    command: |
      cat <<'E_O_F'
{lines}
      E_O_F
  done: {{type: terminal}}
  catch: {{type: step, command: "echo caught", on_success: done}}
"""


def shown(text, inputs=None, **how):
    result = run(workflow(text), INPUTS if inputs is None else inputs, **how)
    assert result.status == "completed", result.error
    return result.outputs["s"].removesuffix("\n")


def error(text, inputs=None):
    result = run(workflow(text), INPUTS if inputs is None else inputs)
    assert result.status == "failed"
    return result.of("step.failed")[0].error


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{inputs.name}}", "Ada"),
        ("{{.inputs.name}}", "Ada"),
        ("{{ $.inputs.name }}", "Ada"),
        ('{{index .inputs "my-key"}}', "dash"),
        ("{{inputs.n}}", "5000000"),
        ("{{inputs.big}}", "12345678901234"),
        ("{{inputs.half}}", "0.5"),
        ("{{inputs.on}}", "true"),
        ("{{inputs.list}}", '[1,"two",null,{"a":[1],"b":2}]'),
        ("{{inputs.map}}", '{"a":{"k":"v"},"z":1}'),
        ("{{inputs.map.a.k}}", "v"),
        ("{{.inputs.map.a.k}}", "v"),
        ("{{index .inputs.list 1}}", "two"),
        ("[{{inputs.empty}}]", "[]"),
        ("{{json .inputs.list}}", '[1,"two",null,{"a":[1],"b":2}]'),
        ("{{json .inputs.name}}", '"Ada"'),
    ],
)
def test_6_2_and_6_5_values(text, result):
    assert shown(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("[{{.inputs.nothing}}]", "[<no value>]"),
        ("[{{inputs.map.nothing}}]", "[<no value>]"),
        ("{{range .inputs.list}}{{.}},{{end}}", "1,<no value>,"),
        ("[{{states.first.JSON}}]", "[<no value>]"),
        ("[{{or .inputs.nothing .inputs.nope}}]", "[<no value>]"),  # as in Go: the last of them
        ('[{{default "" .inputs.nothing}}]', "[]"),
        ("{{if .inputs.nothing}}a{{else}}b{{end}}", "b"),
        ("{{json .inputs.nothing}}", "null"),
    ],
)
def test_6_4_a_value_that_is_there_and_nil(text, result):
    assert shown(text, {"nothing": None, "map": {"nothing": None}, "list": [1, None]}) == result


def test_6_4_nil_is_data_in_a_shell_command():
    text = workflow("x").replace(
        "cat <<'E_O_F'\n      x\n      E_O_F",
        "echo \"{{.inputs.nothing}}\" '{{.inputs.nothing}}' {{.inputs.nothing}}",
    )
    result = run(text, {"nothing": None})
    assert result.outputs["s"] == "<no value> <no value> <no value>\n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{states.first.Output}}", "one\n"),
        ("{{.states.first.Output | trimSpace}}", "one"),
        ("{{states.first.Stderr}}", "err\n"),
        ("{{states.first.ExitCode}}", "0"),
        ("{{states.first.Status}}", "completed"),
        ("{{.states.first.TokensUsed}}", "0"),
        ("{{workflow.Name}} {{.workflow.name}}", "main main"),
        ("{{workflow.CurrentState}} {{workflow.current_state}}", "s s"),
        ("{{len (print .workflow.ID)}} {{eq .workflow.ID .workflow.id}}", "36 true"),
        ("{{eq context.WorkingDir .context.working_dir}}", "true"),
        ("{{if context.User}}u{{end}}{{if .context.hostname}}h{{end}}", "uh"),
        ("{{env.GREETING}} {{.env.GREETING}}", "hi hi"),
    ],
)
def test_6_2_namespaces_dotted_and_dotless(text, result):
    assert shown(text, environ={"GREETING": "hi"}) == result


def test_6_2_loop_in_every_spelling():
    command = (
        "echo '{{loop.Item}}{{loop.item}}{{.loop.Item}}{{.loop.item}} {{loop.Index}}{{loop.index1}} {{.loop.first}}"
        ' {{loop.Last}} {{loop.length}} {{loop.Item.k}} {{trimSpace .loop.Item.t}} {{eq .loop.Item.k "v"}}\''
    )
    text = {
        "name": "main",
        "states": {
            "initial": "each",
            "each": {
                "type": "for_each",
                "items": [{"k": "v", "t": " x "}],
                "body": ["say"],
                "on_complete": "done",
            },
            "say": {"type": "step", "command": command},
            "done": {"type": "terminal"},
        },
    }
    result = run(json.dumps(text))
    item = '{"k":"v","t":" x "}'
    assert result.outputs["each[0]/say"] == f"{item * 4} 01 true true 1 v x true\n"


def test_6_2_error_in_every_spelling():
    result = run("""
        name: main
        hooks:
          workflow_error:
            - {log: "{{error.Message}}|{{error.message}}|{{.error.State}}|{{error.exit_code}}|{{.error.ExitCode}}|{{error.Type}}"}
        states:
          initial: s
          s: {type: step, command: "echo bad >&2; exit 7", on_success: done}
          done: {type: terminal}
        """)
    message = result.of("hook.finished")[0].message
    assert message == f"{result.error}|{result.error}|s|7|7|execution"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{escape .inputs.name}} {{escape .inputs.word}}", "Ada ' x '"),
        ('{{join (split .inputs.csv ",") "+"}}', "a+b+c"),
        ('{{range split .inputs.csv ","}}<{{.}}>{{end}}', "<a><b><c>"),
        ("{{trimSpace .inputs.word}}", "x"),
        ('{{default "none" .inputs.nope}} {{.inputs.name | default "none"}}', "none Ada"),
        (
            '{{printf "%s-%05d|%q|%v" .inputs.name 42 "a" .inputs.list}}',
            'Ada-00042|"a"|[1,"two",null,{"a":[1],"b":2}]',
        ),
        ('{{print "a" 1 2 "b"}}{{println "x"}}', "a1 2bx\n"),
        ("{{len .inputs.list}} {{len .inputs.name}} {{len .inputs.map}}", "4 3 2"),
        ("{{slice .inputs.name 1 3}}", "da"),
        (
            '{{eq .inputs.name "Ada"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 2 2}}',
            "true true true true false true",
        ),
        ('{{and true 0}} {{or "" "x"}} {{not .inputs.on}}', "0 x false"),
        ('{{if and .inputs.on (eq .inputs.name "Ada")}}yes{{else}}no{{end}}', "yes"),
        ("{{if .inputs.empty}}a{{else if .inputs.on}}b{{else}}c{{end}}", "b"),
        (
            "{{range $i, $x := .inputs.list}}{{$i}}={{$x}};{{end}}",
            '0=1;1=two;2=<no value>;3={"a":[1],"b":2};',
        ),
        ("{{range $k, $v := .inputs.map}}{{$k}} {{end}}", "a z "),
        ('{{range .inputs.nothing_here | default (split "" ",")}}x{{else}}none{{end}}', "none"),
        ("{{range .inputs.list}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{break}}{{end}}", "two"),
        ("{{with .inputs.map}}{{.z}}{{end}}{{with .inputs.empty}}x{{else}}-{{end}}", "1-"),
        ("{{$x := 1}}{{$x = 2}}{{$x}}", "2"),
        (
            '{{define "t"}}[{{.}}]{{end}}{{template "t" .inputs.name}}{{block "u" 3}}({{.}}){{end}}',
            "[Ada](3)",
        ),
        ("a  {{- /* a comment */ -}}  b", "ab"),
        ('{{html "<&>"}} {{urlquery "a b&"}} {{js "it\'s"}}', "&lt;&amp;&gt; a+b%26 it\\'s"),
        ("{{`raw {{ text`}}", "raw {{ text"),
    ],
)
def test_6_3_functions_and_actions(text, result):
    assert shown(text) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{inputs.nmae}}", "inputs.nmae is not defined (did you mean inputs.name?)"),
        ("{{.inputs.nmae}}", "inputs.nmae is not defined (did you mean inputs.name?)"),
        ("{{inputs.qqqqq}}", "inputs.qqqqq is not defined"),
        ("{{inputs.map.a.kk}}", "inputs.map.a.kk is not defined"),
        ("{{env.NO_SUCH_VARIABLE_HERE}}", "env.NO_SUCH_VARIABLE_HERE is not defined"),
    ],
)
def test_6_4_a_missing_key_is_an_error_with_its_place(text, message):
    found = error(text)
    assert found.startswith(f"template: {message}")
    assert found.endswith("(.awf/workflows/main.yaml:11:9)")


@pytest.mark.parametrize(
    "text",
    [
        "{{if .inputs.nope}}a{{else}}none{{end}}",
        "{{if inputs.nope}}a{{else}}none{{end}}",
        "{{with .inputs.nope}}a{{else}}none{{end}}",
        "{{if and .inputs.on .inputs.nope}}a{{else}}none{{end}}",
        "{{if or .inputs.empty .inputs.nope}}a{{else}}none{{end}}",
        "{{if not .inputs.nope}}none{{end}}",
        '{{default "none" inputs.nope}}',
        '{{.inputs.map.zz.yy | default "none"}}',
    ],
)
def test_6_4_where_it_is_asked_for_a_missing_key_is_just_false(text):
    assert shown(text) == "none"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{nope .inputs.name}}", "function nope is not defined"),
        ("{{trimspace .inputs.name}}", "function trimspace is not defined (did you mean trimSpace?)"),
        ("{{if .inputs.name}}", ""),
        ("{{inputs.name", ""),
        ("{{end}}", ""),
    ],
)
def test_6_4_syntax_errors_are_found_at_load_with_their_place(text, message):
    (line,) = [line for line in said(workflow(text)) if line.startswith("error")]
    assert line.startswith("error 11:")
    assert f"state 's': template: {message}" in line


@pytest.mark.parametrize(
    "text", ['{{split .inputs.list ","}}', "{{len 5}}", "{{index .inputs.list 9}}", '{{lt 1 "a"}}']
)
def test_6_4_values_that_do_not_suit_a_function_fail_the_step(text):
    assert error(text).startswith("template: ")


def test_6_4_a_failure_of_a_template_is_routable():
    result = run(workflow("{{inputs.nope}}", "on_failure: catch"), {"name": "x"})
    assert (result.status, result.outputs["catch"]) == ("completed", "caught\n")


def test_6_1_message_dir_env_and_timeout_are_templated():
    result = run(
        """
        name: main
        states:
          initial: s
          s:
            type: step
            command: "pwd; echo $X"
            dir: "{{inputs.d}}"
            env: {X: "{{inputs.x}}"}
            timeout: "{{inputs.t}}"
            on_success: bad
          bad: {type: terminal, status: failure, message: "{{inputs.x}}: {{states.s.ExitCode}}"}
        """,
        {"d": "sub", "x": "v", "t": "5s"},
        files={"sub/x": ""},
    )
    assert result.outputs["s"].endswith("/sub\nv\n")
    assert result.error == "v: 0"
    assert result.of("step.started")[0].timeout == 5.0


def test_6_4_rendering_is_bounded():
    found = error(
        '{{$x := "0123456789"}}{{range $i, $a := split (printf "%9999d" 1) ""}}{{printf "%9999d" 1}}{{end}}'
    )
    assert "10 MiB" in found or "steps" in found


def test_6_3_read_file_is_relative_to_the_workflows_directory():
    files = {".awf/workflows/notes/a.txt": "from $(id) the file", ".awf/data/b.txt": "beside"}
    assert shown('{{readFile "notes/a.txt"}}|{{readFile ".awf/data/b.txt"}}', files=files) == (
        "from $(id) the file|beside"
    )


def test_6_3_read_file_of_a_sub_workflow_and_in_hooks_and_inputs():
    result = run(
        """
        name: main
        hooks: {workflow_end: [{log: '{{readFile "a.txt"}}'}]}
        states:
          initial: call
          call: {type: call_workflow, workflow: child, inputs: {x: '{{readFile "a.txt"}}'}, on_success: each}
          each: {type: for_each, items: '{{readFile "items.txt"}}', body: [say], on_complete: done}
          say: {type: step, command: "echo '{{loop.Item}}'"}
          done: {type: terminal}
        """,
        files={
            ".awf/workflows/a.txt": "text",
            ".awf/workflows/items.txt": "a,b",
            "child": """
            name: child
            inputs: [{name: x}]
            states:
              initial: s
              s: {type: step, command: 'echo "{{inputs.x}}" "{{readFile "a.txt"}}"', on_success: ok}
              ok: {type: terminal}
            """,
        },
    )
    assert result.outputs["call/s"] == "text text\n"
    assert result.outputs["each[1]/say"] == "b\n"
    assert result.of("hook.finished")[0].message == "text"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no.txt", "No such file"),
        (".", "Is a directory"),
        ("/dev/zero", "not a regular file"),
        ("big.bin", "larger than 1 MiB"),
        ("", "not a path"),
    ],
)
def test_6_3_read_file_refuses_what_is_no_small_file(path, reason):
    result = run(
        workflow(f'{{{{readFile "{path}"}}}}'), files={".awf/workflows/big.bin": "x" * (1024 * 1024 + 1)}
    )
    found = result.of("step.failed")[0].error
    assert found.startswith("template: readFile")
    assert reason in found


def test_6_3_a_further_attempt_runs_what_was_read_first():
    result = run(
        """
        name: main
        states:
          initial: s
          s:
            type: step
            command: "echo '{{readFile \\"a.txt\\"}}'; echo new > .awf/workflows/a.txt; test -e again || { touch again; exit 1; }"
            retry: {max_attempts: 2, initial_delay: 1ms}
            on_success: done
          done: {type: terminal}
        """,
        files={".awf/workflows/a.txt": "old"},
    )
    assert result.status == "completed"
    assert [fact.command.display for fact in result.of("step.started")][1].startswith("echo 'old'")
    assert result.outputs["s"] == "old\n"


def test_6_2_undefined_inputs_are_found_before_the_run():
    text = "inputs: [{name: region}]\nstates:\n  initial: s\n  s: {type: step, command: 'echo {{inputs.regoin}}', on_success: d}\n  d: {type: terminal}\n"
    assert 'undefined input "regoin" referenced in command (did you mean "region"?)' in refused(
        "name: main\n" + text
    )
