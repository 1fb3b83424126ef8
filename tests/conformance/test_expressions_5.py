"""Section 5: expressions decide where an execution goes."""

from __future__ import annotations

import json

import pytest

from conformance.harness import run
from conformance.loading import said

INPUTS = {
    "n": "5",
    "f": "2.5",
    "yes": "true",
    "no": "False",
    "padded": "007",
    "name": "Ada Lovelace",
    "list": [1, "two", {"k": "v"}],
    "map": {"a": 1, "my-key": "dash"},
    "real": 7,
    "empty": "",
}


def workflow(*conditions):
    """Prints which of the conditions hold: ``1`` for one that does, ``0`` for one that does not."""
    states = {
        "initial": "s",
        "s": {"type": "step", "command": "printf 'ready now\\n\\n'; echo warn >&2", "on_success": "c0"},
        "never": {"type": "step", "command": "true", "on_success": "end"},
        "end": {"type": "terminal"},
        "broken": {"type": "terminal", "status": "failure", "message": "it failed"},
    }
    for number, when in enumerate(conditions):
        following = f"c{number + 1}" if number + 1 < len(conditions) else "end"
        states[f"c{number}"] = {
            "type": "step",
            "command": ":",
            "transitions": [{"when": when, "goto": f"y{number}"}],
            "on_success": following,
        }
        states[f"y{number}"] = {"type": "step", "command": ":", "on_success": following}
    return json.dumps({"name": "main", "states": states})


def held(conditions, inputs=None, **how):
    result = run(workflow(*conditions), INPUTS if inputs is None else inputs, **how)
    assert result.status == "completed", result.error
    return [when for number, when in enumerate(conditions) if f"y{number}" in result.steps]


TRUE = {
    "inputs": [
        "inputs.n == 5",
        "inputs.n != '5'",
        "inputs['n'] >= 5 and inputs.f < 3",
        "inputs.yes",
        "inputs.yes == true && !inputs.no",
        "inputs.padded == '007'",
        "inputs.real == 7",
        "inputs.list[2].k == 'v'",
        "inputs.map['my-key'] == 'dash'",
        "inputs.list[-1]['k'] == 'v'",
    ],
    "operators": [
        "inputs.name contains 'Love'",
        "inputs.name startsWith 'Ada' and inputs.name endsWith 'lace'",
        'inputs.name matches "^A.a\\\\s"',
        "not (inputs.name contains 'x') or false",
        "inputs.n == 6 || inputs.n == 5",
        "'two' in inputs.list",
        "'a' in inputs.map",
        "inputs.name[0:3] == 'Ada'",
        "inputs.list[1:] == ['two', {'k': 'v'}]",
        "(inputs.n > 3 ? 'big' : 'small') == 'big'",
        "(inputs.nothing_declared ?? 'x') == 'x'",
        "1 + 2 * 3 == 7 and 7 % 4 == 3 and 2 ** 3 == 8 and 7 / 2 == 3.5 and -2 + 3 == 1",
        "'a' + 'b' == 'ab' and 'a' < 'b' and 2 <= 2",
        "3 in 1..5 and not (6 in 1..5)",
    ],
    "functions": [
        "len(inputs.name) == 12 and len(inputs.list) == 3 and len(inputs.map) == 2",
        "lower('AbC') == 'abc' and upper('AbC') == 'ABC' and trim('  x ') == 'x'",
        "split('a,b', ',') == ['a', 'b'] and join(['a', 'b'], '-') == 'a-b'",
        "contains(inputs.name, 'Ada') and startsWith('abc', 'a') and endsWith('abc', 'c')",
        "has_prefix(inputs.name, 'Ada') and has_suffix(inputs.name, 'lace')",
        "contains('f(a, b)', '(a, b)')",
        "matches('abc', 'b')",
        "int('42') == 42 and float('1.5') == 1.5 and string(42) == '42' and abs(-3) == 3",
        "min(3, 1, 2) == 1 and max([3, 1, 2]) == 3",
        "any([1, 2], # > 1) and all([1, 2], # > 0) and not all([1, 2], {# > 1})",
        "filter([1, 2, 3], # > 1) == [2, 3] and map([1, 2], # * 2) == [2, 4]",
    ],
    "states": [
        "states.s.ExitCode == 0 and states.s.Status == 'completed'",
        "states.s.exit_code == 0 and states.s.status == 'completed'",
        "states.s.Output == 'ready now' and states.s.output == 'ready now'",
        "states.s.Stderr == 'warn'",
        "states['s'].Output contains 'ready'",
        "states.s.TokensUsed == 0 and states.s.TokensInput == 0 and states.s.JSON == nil",
        "states.never.Output != 'ready'",
        "not (states.never.ExitCode == 0)",
    ],
    "others": [
        "workflow.Name == 'main' and workflow.name == 'main'",
        "len(workflow.ID) == 36 and workflow.id == workflow.ID and len(workflow.Duration) > 0",
        "context.WorkingDir == context.working_dir and len(context.user) > 0 and len(context.Hostname) > 0",
        "env.COUNT > 4 and env.COUNT == 5 and env.MODE == 'fast'",
        "env.NO_SUCH_ONE == nil",
    ],
    "templates": [
        "'{{inputs.name}}' == 'Ada Lovelace'",
        "{{inputs.n}} == 5",
        "{{.states.s.ExitCode}} == 0",
        '"{{inputs.name}}" contains "Ada"',
    ],
}

FALSE = [
    "states.never.ExitCode == 0",
    "states.never.ExitCode > 0",
    "states.never.ExitCode <= 0",
    "states.never.Output contains ''",
    "states.never.Output startsWith 'x'",
    "inputs.undeclared_one == 'x'",
    "inputs.undeclared_one > 1",
    "inputs.no",
    "inputs.undeclared_one",
    "inputs.n == '5'",
    "1 == true",
]


@pytest.mark.parametrize("topic", TRUE)
def test_5_what_holds(topic):
    assert held(TRUE[topic], environ={"COUNT": "5", "MODE": "fast"}) == TRUE[topic]


def test_5_3_what_does_not_hold():
    assert held(FALSE) == []


def test_5_4_a_value_is_never_pasted_as_text():
    assert held(["'{{inputs.x}}' == 'plain'"], {"x": "' == '' or true or '"}) == []
    assert held(["'{{inputs.x}}' == 'plain'"], {"x": "plain"}) != []


@pytest.mark.parametrize(
    "when",
    [
        "inputs.name > 5",
        "inputs.name + 1 == 2",
        "int('x') == 1",
        "1 / 0 == 1",
        "inputs.list[9] == 1",
        "inputs.name",
    ],
)
def test_5_what_cannot_be_evaluated_fails_the_execution_with_its_reason(when):
    result = run(workflow(when), INPUTS)
    assert result.status == "failed"
    assert "y0" not in result.steps


MISTAKES = """\
name: main
states:
  initial: s
  s:
    type: step
    command: "true"
    transitions:
    - when: >-
        %s
      goto: d
    on_success: d
  d: {type: terminal}
"""


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("states.bulid.ExitCode == 0", "references undefined state 'bulid'"),
        ("states.s.ExitKode == 0", "did you mean"),
        ("input.n == 1", "did you mean"),
        ("lenn(inputs.n) == 1", "did you mean"),
        ("True", "'True' is not defined"),
        ("workflow.Nmae == 'x'", "did you mean"),
        ("inputs.n ==", ""),
        ("inputs.n == 'x", ""),
        ("(inputs.n", ""),
        ("loop.Index == 1", "loop.Index is used outside of a loop"),
        ("inputs.name matches '('", ""),
        ("__import__('os')", "there is no function '__import__'"),
    ],
)
def test_5_mistakes_are_found_at_load_with_their_place(when, message):
    lines = [line for line in said(MISTAKES % when) if line.startswith("error")]
    assert len(lines) == 1, lines
    assert lines[0].startswith("error 9:")
    assert message in lines[0]


ELSEWHERE = """\
name: main
outputs: [{name: o, from: "%s"}]
states:
  initial: w
  w:
    type: while
    while: "%s"
    break_when: "%s"
    body: [b]
    on_complete: d
  b: {type: step, command: "true"}
  d: {type: terminal}
"""


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("states.bb.ExitCode == 0", "references undefined state 'bb'"),
        ("states.b.ExitKode == 0", "did you mean 'ExitCode'?"),
        ("lenn('x') == 1", "did you mean"),
        ("workflow.Nmae == 'x'", "did you mean"),
        ("1 +", "unexpected end"),
        ("'x' matches '(?=a)'", "invalid pattern"),
    ],
)
@pytest.mark.parametrize(("place", "line"), [(0, 2), (1, 7), (2, 8)], ids=["outputs", "while", "break_when"])
def test_5_mistakes_are_found_at_load_in_every_place(place, line, mistake, message):
    good = ["states.b.Output", "states.b.Output != 'ready'", "false"]
    good[place] = mistake
    (told,) = [text for text in said(ELSEWHERE % tuple(good)) if text.startswith("error")]
    assert told.startswith(f"error {line}:")
    assert message in told


@pytest.mark.parametrize("when", ["inputs.v matches '^(a+)+$'", "matches(inputs.v, '(a|a)*b')"])
def test_5_patterns_take_time_in_proportion_to_the_text(when):
    assert held([when], {"v": "a" * 5000 + "!"}) == []


def test_5_inputs_are_checked_where_they_are_declared():
    text = """\
name: main
inputs: [{name: region}]
states:
  initial: s
  s:
    type: step
    command: "true"
    transitions: [{when: inputs.regoin == 'x', goto: d}]
    on_success: d
  d: {type: terminal}
"""
    assert said(text) == [
        'error 8:26 state \'s\': undefined input "regoin" referenced in transition (did you mean "region"?)'
    ]


def test_5_evaluation_is_bounded():
    result = run(workflow("len(filter(1..2000000, # > 0)) > 0"), {})
    assert "takes more than" in result.error


def test_5_the_same_functions_in_while_and_break_when():
    result = run("""
        name: main
        states:
          initial: w
          w:
            type: while
            while: "len(trim(states.b.Output ?? '')) < 1 or lower(states.b.Output) != 'stop'"
            break_when: "contains(states.b.output, 'never') or has_suffix(states.b.Output, 'p')"
            body: [b]
            on_complete: done
          b: {type: step, command: "if [ {{loop.Index}} = 2 ]; then echo STop; else echo go; fi"}
          done: {type: terminal}
        """)
    assert result.outputs["w"] == "completed 3 iterations"
