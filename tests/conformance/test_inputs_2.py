"""Sections 2.3 and 2.4: inputs are coerced once, kept typed, and every failure is told at once."""

from __future__ import annotations

import pytest

from conformance.harness import refused, run
from conformance.loading import said

SHOW = """
states:
  initial: show
  show: {type: step, command: "printf '%s' '{{json .inputs}}'", on_success: done}
  done: {type: terminal}
"""


def seen(inputs_block, values):
    """The inputs as a step sees them, as JSON."""
    result = run(f"name: main\n{inputs_block}\n{SHOW}", values)
    assert result.status == "completed", result.error
    return result.outputs["show"]


def failure(inputs_block, values):
    text = refused(f"name: main\n{inputs_block}\n{SHOW}", values)
    assert text.startswith("input validation failed: ")
    return text.removeprefix("input validation failed: ")


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("string", "07", '"07"'),
        ("string", 7, '"7"'),
        ("string", 5000000.0, '"5000000"'),
        ("string", True, '"true"'),
        ("string", ["a"], r'"[\"a\"]"'),
        ("integer", "42", "42"),
        ("integer", "07", "7"),
        ("integer", "-3", "-3"),
        ("integer", 2.0, "2"),
        ("integer", 5000000.0, "5000000"),
        ("boolean", "yes", "true"),
        ("boolean", "No", "false"),
        ("boolean", "1", "true"),
        ("boolean", 0, "false"),
        ("boolean", "TRUE", "true"),
        ("number", "1.5", "1.5"),
        ("number", "1e3", "1000"),
        ("number", 3, "3"),
        ("array", '["a",1]', '["a",1]'),
        ("array", [1, None], "[1,null]"),
        ("object", '{"a":[1]}', '{"a":[1]}'),
        ("object", {"b": 2}, '{"b":2}'),
    ],
)
def test_2_4_values_are_coerced_once_and_kept_typed(kind, given, kept):
    assert seen(f"inputs: [{{name: v, type: {kind}}}]", {"v": given}) == f'{{"v":{kept}}}'


@pytest.mark.parametrize(
    ("kind", "given", "text"),
    [
        ("integer", "abc", 'cannot convert "abc" to integer'),
        ("integer", "4.5", 'cannot convert "4.5" to integer'),
        ("integer", "", 'cannot convert "" to integer'),
        ("integer", 2.9, "cannot convert 2.9 to integer"),
        ("integer", True, "cannot convert boolean to integer"),
        ("integer", [], "cannot convert array to integer"),
        ("integer", "9223372036854775808", 'cannot convert "9223372036854775808" to integer'),
        ("boolean", "maybe", 'cannot convert "maybe" to boolean'),
        ("boolean", 2, "cannot convert 2 to boolean"),
        ("number", "x", 'cannot convert "x" to number'),
        ("array", "{}", 'cannot convert "{}" to array'),
        ("array", "[1", 'cannot convert "[1" to array'),
        ("array", "[NaN]", 'cannot convert "[NaN]" to array'),
        ("array", '["\\ud800"]', 'cannot convert "["\\ud800"]" to array'),
        ("array", "[" * 101 + "]" * 101, f'cannot convert "{"[" * 100}…" to array'),
        ("object", "[]", 'cannot convert "[]" to object'),
    ],
)
def test_2_4_what_does_not_convert(kind, given, text):
    assert failure(f"inputs: [{{name: v, type: {kind}}}]", {"v": given}) == f"inputs.v: {text}"


@pytest.mark.parametrize(
    ("declaration", "given", "text"),
    [
        ("required: true", {}, "required but not provided"),
        ("required: true", {"v": None}, "required but not provided"),
        ("required: true", {"v": ""}, "required but empty"),
        ("type: integer, required: true", {"v": ""}, "required but empty"),
        ("validation: {pattern: '^b+$'}", {"v": "abc"}, 'value "abc" does not match pattern "^b+$"'),
        ("validation: {enum: [a, b]}", {"v": "c"}, 'value "c" not in allowed values [a b]'),
        ("type: integer, validation: {enum: [1, 2]}", {"v": "3"}, 'value "3" not in allowed values [1 2]'),
        ("type: integer, validation: {min: 3}", {"v": 2}, "value 2 is below minimum 3"),
        ("type: integer, validation: {max: 3}", {"v": "4"}, "value 4 exceeds maximum 3"),
        ("type: number, validation: {max: 0.5}", {"v": "0.75"}, "value 0.75 exceeds maximum 0.5"),
        ("validation: {file_exists: true}", {"v": ""}, "file path cannot be empty"),
        ("validation: {file_exists: true}", {"v": "no/such"}, "file does not exist: no/such"),
        (
            "validation: {file_extension: [.go]}",
            {"v": "Makefile"},
            'file "Makefile" has no extension, allowed: [.go]',
        ),
        (
            "validation: {file_extension: [.go, .py]}",
            {"v": "a.GO"},
            'file extension ".GO" not in allowed extensions [.go .py]',
        ),
    ],
)
def test_2_4_rules_and_their_texts(declaration, given, text):
    assert failure(f"inputs: [{{name: v, {declaration}}}]", given) == f"inputs.v: {text}"


def test_2_4_a_pattern_is_an_unanchored_search():
    assert seen("inputs: [{name: v, validation: {pattern: 'b'}}]", {"v": "abc"}) == '{"v":"abc"}'


def test_2_4_patterns_are_of_re2():
    block = "inputs: [{name: v, validation: {pattern: '^(a+)+$'}}]"
    assert failure(block, {"v": "a" * 5000 + "!"}).endswith('does not match pattern "^(a+)+$"')
    assert (
        seen("inputs: [{name: v, validation: {pattern: '(?i)^[[:alpha:]]+$'}}]", {"v": "Ab"}) == '{"v":"Ab"}'
    )


def test_2_4_file_exists_looks_in_the_working_directory_and_takes_directories():
    block = "inputs: [{name: v, validation: {file_exists: true}}]"
    result = run(f"name: main\n{block}\n{SHOW}", {"v": "data/x.txt"}, files={"data/x.txt": "x"})
    assert result.status == "completed"
    assert run(f"name: main\n{block}\n{SHOW}", {"v": "data"}, files={"data/x.txt": "x"}).status == "completed"


def test_2_4_all_failures_at_once_in_the_order_of_declaration():
    block = """inputs:
  - {name: n, type: integer, validation: {min: 1}}
  - {name: who, required: true}
  - {name: mode, validation: {enum: [a, b], pattern: "^[ab]"}}"""
    assert failure(block, {"mode": "z", "n": 0}) == (
        "4 errors:\n"
        "  - inputs.n: value 0 is below minimum 1\n"
        "  - inputs.who: required but not provided\n"
        '  - inputs.mode: value "z" does not match pattern "^[ab]"\n'
        '  - inputs.mode: value "z" not in allowed values [a b]'
    )


def test_2_4_a_default_satisfies_required_and_is_typed():
    block = 'inputs: [{name: n, type: integer, required: true, default: "5"}, {name: s, default: 1.10}]'
    assert seen(block, {}) == '{"n":5,"s":"1.10"}'


def test_2_3_inputs_as_a_map():
    block = "inputs:\n  n: {type: integer, default: 3}\n  bare:\n  list: {type: array, default: [1, 2]}"
    assert seen(block, {"bare": "x"}) == '{"bare":"x","list":[1,2],"n":3}'


def test_2_4_an_optional_input_without_a_value_is_absent():
    result = run(f"name: main\ninputs: [{{name: v}}]\n{SHOW}")
    assert result.outputs["show"] == "{}"


def test_2_4_undeclared_inputs_are_kept_usable_and_warned_of():
    result = run(f"name: main\ninputs: [{{name: region}}]\n{SHOW}", {"regoin": "eu", "extra": 5})
    assert result.outputs["show"] == '{"extra":5,"regoin":"eu"}'
    assert list(result.facts[0].fact.warnings) == [
        "input 'regoin' is not declared by the workflow (did you mean 'region'?)",
        "input 'extra' is not declared by the workflow",
    ]


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (
            "{name: v, type: strin}",
            (
                "error 2:26 input 'v': unknown type \"strin\", must be one of string, integer, boolean, number, array, object"
                " (did you mean 'string'?)"
            ),
        ),
        (
            "{name: v, type: integer, default: x}",
            "error 2:44 input 'v': default: cannot convert \"x\" to integer",
        ),
        (
            "{name: v, default: c, validation: {enum: [a]}}",
            "error 2:29 input 'v': default: value \"c\" not in allowed values [a]",
        ),
        (
            "{name: v, type: integer, default: 9, validation: {max: 3}}",
            "error 2:44 input 'v': default: value 9 exceeds maximum 3",
        ),
        (
            "{name: v, type: integer, validation: {min: 5, max: 3}}",
            "error 2:53 input 'v': validation: 'min' is greater than 'max'",
        ),
        (
            "{name: v, type: integer, validation: {enum: [x]}}",
            "error 2:55 input 'v': validation: enum: cannot convert \"x\" to integer",
        ),
        ("{type: string}", "error 2:10 input 1: required key 'name' is missing"),
        ("{name: v}, {name: v}", "error 2:28 input 'v' is declared twice"),
    ],
)
def test_2_3_declarations_are_checked_at_load(declaration, message):
    assert said(f"name: main\ninputs: [{declaration}]\n{SHOW}") == [message]


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("{name: v, pattern: x}", "key 'pattern' has no effect here: it belongs under 'validation'"),
        ("{name: v, validation: {min: 1}}", "'min' has no effect on an input of type 'string'"),
        (
            "{name: v, type: integer, validation: {pattern: x}}",
            "'pattern' has no effect on an input of type 'integer'",
        ),
    ],
)
def test_2_3_what_has_no_effect_is_a_warning(declaration, message):
    (line,) = said(f"name: main\ninputs: [{declaration}]\n{SHOW}")
    assert line.startswith("warning ")
    assert line.endswith(message)


def test_2_3_a_pattern_that_is_none_is_an_error():
    (line,) = said(f"name: main\ninputs: [{{name: v, validation: {{pattern: '('}}}}]\n{SHOW}")
    assert line.startswith("error 2:42 input 'v': validation: invalid regex pattern: ")
