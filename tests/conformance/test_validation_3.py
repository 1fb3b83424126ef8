"""Sections 3.1 to 3.11: what `awf validate` says, where, and in which order."""

from __future__ import annotations

import pytest

from conformance.harness import refused, run
from conformance.loading import said


def states(body):
    return f"name: main\nstates:\n  initial: s\n{body}  d: {{type: terminal}}\n"


OK = "  s: {type: step, command: 'true', on_success: d}\n"


def test_3_1_types_in_any_case_and_both_names_of_steps():
    assert said(states("  s: {type: Command, command: 'true', on_success: d}\n")) == []
    assert said(states("  s: {type: STEP, command: 'true', on_success: d}\n")) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("  s: {command: x, on_success: d}\n", "4:3 state 's': required key 'type' is missing"),
        ("  s: {type: setp, on_success: d}\n", "4:13 state 's': unknown type 'setp' (did you mean 'step'?)"),
        ("  s: {type: step, on_success: d}\n", "4:3 state 's': either command or script_file is required"),
        (
            "  s: {type: step, command: [x], on_success: d}\n",
            "4:28 state 's': 'command' must be a string, not a list",
        ),
        (
            "  s: {type: step, command: 'true'}\n",
            "4:3 state 's': a step must have on_success, on_failure or transitions",
        ),
        (
            "  s: {type: step, command: 'true', on_success: d, timeout: -1}\n",
            "4:60 state 's': 'timeout': duration must not be negative: -1",
        ),
        (
            "  s: {type: step, command: 'true', on_success: d, timeout: soon}\n",
            "4:60 state 's': 'timeout': invalid duration: soon (write 500ms, 30s or 1m30s)",
        ),
        (
            "  s: {type: step, command: 'true', on_success: x}\n",
            "4:48 state 's' references undefined state 'x'",
        ),
        (
            "  s: {type: step, command: 'true', on_success: don}\n  done: {type: terminal}\n",
            "4:48 state 's' references undefined state 'don' (did you mean 'done'?)",
        ),
        (
            "  s: {type: step, command: 'true', on_success: d, on_failure: x}\n",
            "4:63 state 's' references undefined state 'x'",
        ),
        (
            "  s: {type: step, command: 'true', on_success: d, transitions: [{goto: x}]}\n",
            "4:72 state 's' references undefined state 'x'",
        ),
        (
            "  s: {type: terminal, status: bad}\n",
            "4:31 state 's': invalid terminal status 'bad': must be 'success' or 'failure'",
        ),
        ("  s: {type: parallel, on_success: d}\n", "4:3 state 's': "),
        (
            "  s: {type: parallel, parallel: [x], on_success: d}\n",
            "4:34 state 's' references undefined state 'x'",
        ),
        ("  s: {type: for_each, body: [d], on_complete: d}\n", "4:3 state 's': "),
        ("  s: {type: while, body: [d], on_complete: d}\n", "4:3 state 's': "),
        ("  s: {type: for_each, items: 'a', on_complete: d}\n", "4:3 state 's': "),
        (
            "  s: {type: for_each, items: 'a', body: [x], on_complete: d}\n",
            "4:42 state 's' references undefined state 'x'",
        ),
        ("  s: {type: call_workflow, on_success: d}\n", "4:3 state 's': "),
        ("  s: {type: operation, on_success: d}\n", "4:3 state 's': "),
        ("  s: {type: agent, prompt: x, on_success: d}\n", "4:3 state 's': "),
    ],
)
def test_3_errors_with_their_places(body, message):
    _has_one_error(body, message)


STEP = "  s: {type: step, command: 'true', on_success: d, %s}\n"
LOOP = (
    "  s: {type: for_each, items: 'a', body: [b], on_complete: d, %s}\n  b: {type: step, command: 'true'}\n"
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            STEP % "on_failure: [x]",
            "4:63 state 's': 'on_failure' must be the name of a state, or a map of message and status, not a list",
        ),
        (
            STEP % "on_failure: {message: x, status: 300}",
            "4:84 state 's': on_failure: 'status' must be from 0 to 255, not 300",
        ),
        (
            STEP % "on_failure: {message: x, status: abc}",
            "4:84 state 's': on_failure: 'status' must be a whole number, not a string",
        ),
        (STEP % "transitions: [{goto: ''}]", "4:65 state 's': transition 1: goto is required"),
        (
            STEP % "transitions: {goto: d}",
            "4:64 state 's': 'transitions' must be a list of maps with when and goto, not a map",
        ),
        (
            STEP % "continue_on_error: maybe",
            "4:70 state 's': 'continue_on_error' must be true or false, not a string",
        ),
        (
            STEP % "hooks: {pre: x}",
            "4:64 state 's': hooks: 'pre' must be a list of maps with log or command, not a string",
        ),
        (
            STEP % "capture: {max_size: lots}",
            "4:71 state 's': capture: 'max_size': invalid size: lots (write 1048576, 512KB or 10MB)",
        ),
        (
            LOOP % "max_iterations: 1.5",
            "4:78 state 's': 'max_iterations' must be a whole number, or text that gives one, not a number",
        ),
        (
            LOOP.replace("on_complete: d", "on_complete: q") % "x: 1",
            "4:59 state 's' references undefined state 'q'",
        ),
        (
            "  s: {type: terminal, message: [x]}\n",
            "4:32 state 's': 'message' must be a string, not a list",
        ),
    ],
)
def test_3_further_errors_with_their_places(body, message):
    _has_one_error(body, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (STEP % "depends_on: [x]", "4:51 state 's': key 'depends_on' has no effect here"),
        (STEP % "on_sucess: d", "4:51 state 's': unknown key 'on_sucess' (did you mean 'on_success'?)"),
        (STEP % "hooks: {prre: []}", "4:59 state 's': hooks: unknown key 'prre' (did you mean 'pre'?)"),
        (
            STEP % "hooks: {pre: [{}]}",
            "4:65 state 's': hooks: pre 1: has neither log nor command, and does nothing",
        ),
        (
            STEP % "capture: {stdout: v}",
            "4:61 state 's': capture: key 'stdout' has no effect here: the text is states",
        ),
        ("  s: {type: terminal, on_success: d}\n", "4:23 state 's': key 'on_success' has no effect here"),
    ],
)
def test_2_1_and_3_2_keys_that_do_nothing_are_warned_of(body, message):
    assert any(line.startswith(f"warning {message}") for line in said(states(body)))
    assert not any(line.startswith("error") for line in said(states(body)))


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ("tags: x", "error 1:7 'tags' must be a list of strings, not a string"),
        ("env: [A]", "warning 1:1 key 'env' has no effect here"),
        ("plugins: {a: b}", "warning 1:1 key 'plugins' has no effect here"),
        (
            "hooks: {workflow_strat: []}",
            "warning 1:9 hooks: unknown key 'workflow_strat' (did you mean 'workflow_start'?)",
        ),
        (
            "outputs: [{name: o, from: states.q.Output}]",
            "error 1:27 the workflow references undefined state 'q' in outputs.o",
        ),
        (
            "outputs: [{name: o, from: states.s.Output}, {name: o, from: states.s.Output}]",
            "error 1:52 output 'o' is declared twice",
        ),
    ],
)
def test_2_2_top_level_keys(top, message):
    assert said(f"{top}\n" + states(OK)) == [message]


def _has_one_error(body, message):
    errors = [line for line in said(states(body)) if line.startswith("error")]
    assert len(errors) == 1, errors
    assert errors[0].startswith(f"error {message}")


def test_3_10_initial_and_terminal():
    assert said("name: main\nstates:\n  initial: dane\n  done: {type: terminal}\n") == [
        "error 3:12 initial state 'dane' is not defined (did you mean 'done'?)"
    ]
    assert said("name: main\nstates:\n  initial: s\n  s: {type: step, command: 'true', on_success: s}\n") == [
        "error 3:12 at least one terminal state is required"
    ]


def test_3_10_everything_at_once_in_the_order_of_the_file():
    text = """\
name: main
inputs: [{name: a, type: nope}]
states:
  initial: s
  s: {type: step, command: "echo {{inputs.b}}", on_success: gone}
  t: {type: step, command: "echo {{states.z.Output}}", on_success: d}
  d: {type: terminal, status: odd}
"""
    errors = [line for line in said(text) if line.startswith("error")]
    assert [line.split(" ", 2)[1].split(":")[0] for line in errors] == ["2", "5", "5", "6", "7"]


def nested(depth):
    blocks = ("for_each, items: [1], body", "while, while: 'loop.Index < 1', body", "parallel, parallel")
    lines = [f"  b{n}: {{type: {blocks[n % 3]}: [b{n + 1}], on_success: d}}\n" for n in range(depth)]
    text = states("".join([*lines, f"  b{depth}: {{type: step, command: 'echo {{{{loop.Index}}}}'}}\n"]))
    return text.replace("initial: s", "initial: b0")


def test_2_1_blocks_are_nested_at_most_100_deep():
    result = run(nested(100))
    assert (result.status, len(result.steps)) == ("completed", 101)
    assert refused(nested(101)) == (
        "workflow 'main' is invalid: state 'b101': loops and parallel states are nested more than 100 deep "
        "(.awf/workflows/main.yaml:105:3)"
    )


def test_3_10_run_refuses_what_validate_finds_with_the_place():
    text = states("  s: {type: step, command: 'true', on_success: x}\n")
    assert refused(text) == (
        "workflow 'main' is invalid: state 's' references undefined state 'x' (.awf/workflows/main.yaml:4:48)"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            OK + "  lost: {type: step, command: 'true', on_success: d}\n",
            "5:3 state 'lost' can never be reached",
        ),
        (
            "  s: {type: step, command: 'true', on_failure: d}\n",
            "4:3 state 's' names no next state for when it succeeds",
        ),
        (
            "  s: {type: step, command: 'true', on_success: d, on_failure: error}\n  error: {type: terminal}\n",
            "5:3 state 'error': ends the execution as a success; if it means a failure, write 'status: failure'",
        ),
        (
            (
                "  s: {type: step, command: 'true', on_success: w}\n"
                "  w: {type: while, while: 'states.s.ExitCode == 0', body: [b], on_complete: d}\n"
                "  b: {type: step, command: 'true'}\n"
            ),
            "state 'w': 'while' can only read states outside the loop: it never changes",
        ),
        (
            "  s: {type: step, command: 'true', on_success: t}\n  t: {type: step, command: 'true', on_success: s}\n",
            "3:12 no terminal state can be reached from 's'",
        ),
    ],
)
def test_3_10_warnings(body, message):
    lines = said(states(body))
    assert all(line.startswith("warning") for line in lines), lines
    assert any(message in line for line in lines), lines


def test_3_10_a_retry_that_can_never_apply_is_warned_of():
    body = "  s: {type: step, command: 'true', on_success: d, retry: {max_attempts: 1}}\n"
    assert any(line.startswith("warning") and "retry" in line for line in said(states(body)))


def test_3_10_warnings_do_not_keep_it_from_running():
    assert run(states(OK + "  lost: {type: step, command: 'true', on_success: d}\n")).status == "completed"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("{{states.z.Output}}", "state 's' references undefined state 'z' in command"),
        (
            "{{states.t.Output}}",
            'forward reference to state "t" in command (referenced state has not executed yet)',
        ),
        (
            "{{states.s.Output}}",
            'forward reference to state "s" in command (referenced state has not executed yet)',
        ),
        (
            "{{states.p.output}}",
            'invalid state property "output" for state "p" in command, use \'Output\' instead',
        ),
        (
            "{{states.p.exit_code}}",
            'invalid state property "exit_code" for state "p" in command, use \'ExitCode\' instead',
        ),
        ("{{error.Message}}", "error.Message is used outside of an error hook in command"),
        ("{{loop.Item}}", "loop.Item is used outside of a loop in command"),
        ("{{.input.x}}", 'unknown namespace "input" in command (did you mean "inputs"?)'),
        ("{{workflow.Nmae}}", 'workflow has no property "Nmae" in command (did you mean "Name"?)'),
        ("{{context.Dir}}", 'context has no property "Dir" in command'),
        ("{{awf.script_dir}}", 'awf has no property "script_dir" in command (did you mean "scripts_dir"?)'),
    ],
)
def test_3_11_references_of_templates(command, message):
    text = f"""\
name: main
states:
  initial: p
  p: {{type: step, command: "true", on_success: s}}
  s:
    type: step
    command: echo {command}
    on_success: t
  t: {{type: step, command: "true", on_success: d}}
  d: {{type: terminal}}
"""
    errors = [line for line in said(text) if line.startswith("error")]
    assert len(errors) == 1, errors
    assert errors[0].startswith("error 7:2")
    assert message in errors[0]


@pytest.mark.parametrize(
    "command",
    [
        "{{eq 1 1}}",
        '{{printf "%s" .inputs.x}}',
        "{{$v := 1}}{{$v}}",
        "{{- .inputs.x -}}",
        "{{len .inputs.x}}",
        "{{if .states.t.Output}}a{{end}}",
    ],
)
def test_3_11_no_false_alarms(command):
    text = states(
        f"  s:\n    type: step\n    command: |\n      echo {command}\n    on_success: t\n  t: {{type: step, command: 'true', on_success: s, on_failure: d}}\n"
    )
    assert [line for line in said("inputs: [{name: x}]\n" + text) if line.startswith("error")] == []


@pytest.mark.parametrize(
    "command",
    [
        '"echo a\\necho {{states.zz.Output}}"',
        "echo a\n      echo {{states.zz.Output}}",
        "'true\n\n      echo {{states.zz.Output}}'",
    ],
)
def test_3_where_the_text_has_other_lines_than_the_file_its_beginning_is_named(command):
    body = f"  s:\n    type: step\n    on_success: d\n    command: {command}\n"
    column = 14 if command.startswith("echo") else 15
    assert said(states(body)) == [f"error 7:{column} state 's' references undefined state 'zz' in command"]
