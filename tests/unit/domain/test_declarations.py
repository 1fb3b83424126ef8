from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow
from awf.domain.workflow import Input, Rules

STATES = "states: {initial: a, a: {type: terminal}}\n"


def load(inputs: str) -> Loaded:
    return load_workflow(f"name: w\n{STATES}inputs:\n{inputs}", "w.yaml", "w")


def declared(inputs: str) -> tuple[Input, ...]:
    result = load(inputs)
    assert result.problems == ()
    assert result.workflow is not None
    return result.workflow.inputs


def messages(inputs: str) -> list[str]:
    return [str(problem) for problem in load(inputs).problems]


def test_a_map_declares_the_same_as_a_list() -> None:
    listed = declared("  - name: a\n    type: integer\n    default: 3\n  - name: b\n")
    mapped = declared("  a:\n    type: integer\n    default: 3\n  b:\n")
    assert [(item.name, item.type, item.default) for item in listed] == [
        ("a", "integer", 3),
        ("b", "string", None),
    ]
    assert [(item.name, item.type, item.default) for item in mapped] == [
        ("a", "integer", 3),
        ("b", "string", None),
    ]


def test_every_type_and_the_secret_flag() -> None:
    found = declared(
        "  s: {type: string, default: 1.10, secret: true}\n"
        "  i: {type: Integer, default: '5'}\n"
        "  b: {type: boolean, default: yes}\n"
        "  n: {type: number, default: 1}\n"
        "  a: {type: array, default: [1, x]}\n"
        "  o: {type: object, default: {k: .5}, secret: no}\n"
        "  e: {type: '', default: }\n"
    )
    assert [item.type for item in found] == [
        "string",
        "integer",
        "boolean",
        "number",
        "array",
        "object",
        "string",
    ]
    assert [item.default for item in found] == ["1.10", 5, True, 1, [1, "x"], {"k": 0.5}, None]
    assert [item.secret for item in found] == [True, None, None, None, None, False, None]


def test_rules() -> None:
    (text, number) = declared(
        "  p: {validation: {pattern: a+, enum: [1.0, b], file_exists: true, file_extension: [.go]}}\n"
        "  n: {type: number, validation: {min: 0.5, max: 2, enum: ['1', 1.5]}}\n"
    )
    assert text.rules == Rules(pattern="a+", enum=("1.0", "b"), file_exists=True, file_extension=(".go",))
    assert number.rules == Rules(minimum=0.5, maximum=2, enum=(1, 1.5))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("  - {type: string}", "input 1: required key 'name' is missing (w.yaml:4:5)"),
        ("  - plain", "input 1 must be a map with a name, not a string (w.yaml:4:5)"),
        ("  a: 5", "input 'a' must be a map, not a number (w.yaml:4:6)"),
        ("  '': {}", "input '': the name of an input must be printable and not empty (w.yaml:4:3)"),
        ("  a: {type: int}", "input 'a': unknown type \"int\""),
        (
            "  a: {type: integer, default: x}",
            "input 'a': default: cannot convert \"x\" to integer (w.yaml:4:31)",
        ),
        (
            "  a: {type: integer, default: 9, validation: {max: 8}}",
            "input 'a': default: value 9 exceeds maximum 8 (w.yaml:4:31)",
        ),
        (
            "  a: {default: c, validation: {enum: [a, b]}}",
            "input 'a': default: value \"c\" not in allowed values [a b] (w.yaml:4:16)",
        ),
        (
            "  a: {default: c, validation: {pattern: '^a'}}",
            'input \'a\': default: value "c" does not match pattern "^a" (w.yaml:4:16)',
        ),
        (
            "  a: {type: integer, validation: {enum: [1, two]}}",
            "input 'a': validation: enum: cannot convert \"two\" to integer (w.yaml:4:45)",
        ),
        ("  a: {validation: {enum: [[1]]}}", "input 'a': validation: enum: a value must not be a list"),
        (
            "  a: {validation: {enum: one}}",
            "input 'a': validation: 'enum' must be a list of values, not a string",
        ),
        (
            "  a: {type: integer, validation: {min: 3, max: 2}}",
            "input 'a': validation: 'min' is greater than 'max' (w.yaml:4:40)",
        ),
        (
            "  a: {type: integer, validation: {min: low}}",
            "'min' must be a number, not a string (w.yaml:4:40)",
        ),
        (
            "  a: {validation: {pattern: '('}}",
            "input 'a': validation: invalid regex pattern: missing ): ( (w.yaml:4:29)",
        ),
        (
            "  a: {validation: strict}",
            "input 'a': 'validation' must be a map of rules, not a string (w.yaml:4:19)",
        ),
        ("  a: {required: maybe}", "input 'a': 'required' must be true or false, not a string (w.yaml:4:17)"),
    ],
)
def test_what_cannot_be_is_an_error_at_load(inputs: str, message: str) -> None:
    result = load(inputs)
    assert result.workflow is None
    assert len(result.problems) == 1
    assert message in str(result.problems[0])


def test_a_name_declared_twice_is_an_error_at_the_second() -> None:
    assert messages("  - name: a\n  - name: a\n") == ["input 'a' is declared twice (w.yaml:5:11)"]


def test_rules_without_effect_and_misplaced_keys_are_warned_of() -> None:
    result = load("  a: {type: integer, patern: x, pattern: y, validation: {pattern: '(', minn: 1}}")
    assert result.workflow is not None
    assert [problem.message for problem in result.warnings] == [
        "input 'a': unknown key 'patern' (did you mean 'pattern'?)",
        "input 'a': key 'pattern' has no effect here: it belongs under 'validation'",
        "input 'a': validation: 'pattern' has no effect on an input of type 'integer'",
        "input 'a': validation: unknown key 'minn' (did you mean 'min'?)",
    ]
