from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.inputs import Resolved, coerce, failure_text, resolve_inputs
from awf.domain.problems import Position
from awf.domain.workflow import Input, Rules, Workflow

HERE = Position("f.yaml", 1, 1)


def workflow(*inputs: Input) -> Workflow:
    return Workflow("w", "w", "w.yaml", "a", {}, inputs=inputs)


def resolve(supplied: dict[str, Any], *inputs: Input, files: tuple[str, ...] = ()) -> Resolved:
    return resolve_inputs(workflow(*inputs), supplied, file_exists=files.__contains__)


def refusals(value: Any, kind: Any = "string", *, name: str = "x", **rules: Any) -> list[str]:
    resolved = resolve({name: value}, Input(name, kind, HERE, rules=Rules(**rules)))
    return [text for _, text in resolved.errors]


@pytest.mark.parametrize(
    ("kind", "value", "coerced"),
    [
        ("integer", "42", 42),
        ("integer", "-007", -7),
        ("integer", "+5", 5),
        ("integer", 42, 42),
        ("integer", 2.0, 2),
        ("integer", "0" * 40 + "1", 1),
        ("number", "1.5", 1.5),
        ("number", "1e3", 1000.0),
        ("number", "3", 3),
        ("number", 2, 2),
        ("boolean", "Yes", True),
        ("boolean", "TRUE", True),
        ("boolean", "1", True),
        ("boolean", 1, True),
        ("boolean", "no", False),
        ("boolean", "0", False),
        ("boolean", False, False),
        ("string", 5, "5"),
        ("string", 5000000.0, "5000000"),
        ("string", 0.5, "0.5"),
        ("string", True, "true"),
        ("string", ["a", {"b": None}], '["a",{"b":null}]'),
        ("string", "07", "07"),
        ("array", [1, "a"], [1, "a"]),
        ("array", '[1, "a"]', [1, "a"]),
        ("array", "[]", []),
        ("object", {"a": 1}, {"a": 1}),
        ("object", '{"a": [1]}', {"a": [1]}),
    ],
)
def test_values_become_what_their_type_says(kind: Any, value: Any, coerced: Any) -> None:
    found = coerce(kind, value)
    assert found == coerced
    assert type(found) is type(coerced)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("integer", "x", 'cannot convert "x" to integer'),
        ("integer", "", 'cannot convert "" to integer'),
        ("integer", " 1", 'cannot convert " 1" to integer'),
        ("integer", "1.0", 'cannot convert "1.0" to integer'),
        ("integer", "1_0", 'cannot convert "1_0" to integer'),
        ("integer", "٣", 'cannot convert "٣" to integer'),
        ("integer", "9223372036854775808", 'cannot convert "9223372036854775808" to integer'),
        ("integer", 2.9, "cannot convert 2.9 to integer"),
        ("integer", True, "cannot convert boolean to integer"),
        ("integer", [1], "cannot convert array to integer"),
        ("integer", float("nan"), "cannot convert nan to integer"),
        ("boolean", "on", 'cannot convert "on" to boolean'),
        ("boolean", 2, "cannot convert 2 to boolean"),
        ("boolean", {}, "cannot convert object to boolean"),
        ("number", "x", 'cannot convert "x" to number'),
        ("number", "nan", 'cannot convert "nan" to number'),
        ("number", "1e9999", 'cannot convert "1e9999" to number'),
        ("number", False, "cannot convert boolean to number"),
        ("array", '{"a": 1}', 'cannot convert "{"a": 1}" to array'),
        ("array", "[NaN]", 'cannot convert "[NaN]" to array'),
        ("array", "[" * 100_000, f'cannot convert "{"[" * 100}…" to array'),
        ("object", "[1]", 'cannot convert "[1]" to object'),
        ("object", 1, "cannot convert 1 to object"),
    ],
)
def test_values_that_do_not_fit_are_refused(kind: Any, value: Any, text: str) -> None:
    with pytest.raises(ValueError) as refused:
        coerce(kind, value)
    assert str(refused.value) == text


def test_a_typed_value_stays_typed_and_what_is_not_declared_stays_as_it_is() -> None:
    resolved = resolve({"other": [1], "n": "42"}, Input("n", "integer", HERE))
    assert resolved.values == {"n": 42, "other": [1]}
    assert resolved.errors == []
    assert resolved.warnings == ["input 'other' is not declared by the workflow"]


def test_a_misspelled_name_is_pointed_out() -> None:
    resolved = resolve({"modle": "x"}, Input("model", "string", HERE))
    assert resolved.warnings == ["input 'modle' is not declared by the workflow (did you mean 'model'?)"]


def test_defaults_fill_in_and_satisfy_required() -> None:
    resolved = resolve(
        {"given": "g", "null": None},
        Input("given", "string", HERE, default="d"),
        Input("taken", "integer", HERE, required=True, default=7),
        Input("null", "boolean", HERE, default=False),
        Input("optional", "string", HERE),
    )
    assert resolved == Resolved({"given": "g", "taken": 7, "null": False})


def test_required_inputs_must_be_given_and_not_empty() -> None:
    resolved = resolve(
        {"empty": "", "null": None},
        Input("empty", "integer", HERE, required=True),
        Input("null", "string", HERE, required=True),
        Input("absent", "string", HERE, required=True),
    )
    assert resolved.errors == [
        ("empty", "required but empty"),
        ("null", "required but not provided"),
        ("absent", "required but not provided"),
    ]


def test_the_failure_text_of_one_and_of_several() -> None:
    one = resolve({}, Input("file", "string", HERE, required=True))
    assert failure_text(one.errors) == "input validation failed: inputs.file: required but not provided"
    several = resolve(
        {"n": "x", "m": "z"},
        Input("file", "string", HERE, required=True),
        Input("n", "integer", HERE),
        Input("m", "string", HERE, rules=Rules(enum=("a", "b"))),
    )
    assert failure_text(several.errors) == (
        "input validation failed: 3 errors:\n"
        "  - inputs.file: required but not provided\n"
        '  - inputs.n: cannot convert "x" to integer\n'
        '  - inputs.m: value "z" not in allowed values [a b]'
    )


def test_patterns_are_searched_for_anywhere() -> None:
    assert refusals("xxabcxx", pattern="b+c") == []
    assert refusals("abc", pattern="^b") == ['value "abc" does not match pattern "^b"']
    assert refusals("a" * 40_000 + "!", pattern="(a+)+$") != []


def test_ranges() -> None:
    assert refusals("5", "integer", minimum=5, maximum=5) == []
    assert refusals("4", "integer", minimum=5) == ["value 4 is below minimum 5"]
    assert refusals(6.5, "number", maximum=6) == ["value 6.5 exceeds maximum 6"]


def test_enums_compare_typed_values() -> None:
    assert refusals("02", "integer", enum=(1, 2)) == []
    assert refusals(3, "integer", enum=(1, 2)) == ['value "3" not in allowed values [1 2]']


def test_files_and_extensions() -> None:
    path = Input("p", "string", HERE, rules=Rules(file_exists=True, file_extension=(".go", ".py")))
    assert resolve({"p": "a/main.go"}, path, files=("a/main.go",)).errors == []
    assert [text for _, text in resolve({"p": "no.GO"}, path).errors] == [
        "file does not exist: no.GO",
        'file extension ".GO" not in allowed extensions [.go .py]',
    ]
    assert [text for _, text in resolve({"p": ""}, path).errors] == [
        "file path cannot be empty",
        'file "" has no extension, allowed: [.go .py]',
    ]


def test_a_file_that_cannot_be_looked_at() -> None:
    def refuse(path: str) -> bool:
        raise PermissionError(13, "Permission denied", path)

    path = Input("p", "string", HERE, rules=Rules(file_exists=True))
    resolved = resolve_inputs(workflow(path), {"p": "x"}, file_exists=refuse)
    assert resolved.errors == [("p", "cannot access file: Permission denied")]


def test_several_rules_are_told_together() -> None:
    assert refusals("abc", pattern="x", enum=("y",)) == [
        'value "abc" does not match pattern "x"',
        'value "abc" not in allowed values [y]',
    ]


def test_the_value_of_a_secret_is_never_in_a_message() -> None:
    assert refusals("hunter2hunter2", "integer", name="db_password") == ["cannot convert *** to integer"]
    assert refusals("hunter2hunter2", name="api_key", pattern="^x", enum=("a",)) == [
        'value *** does not match pattern "^x"',
        "value *** not in allowed values [a]",
    ]
    assert refusals("77", "integer", name="token", maximum=5) == ["value *** exceeds maximum 5"]


def test_text_that_utf8_cannot_say_is_refused() -> None:
    resolved = resolve({"a": "\ud800", "b": "\udcff"}, Input("a", "string", HERE))
    assert resolved.errors == [("a", "is not valid UTF-8 text"), ("b", "is not valid UTF-8 text")]


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_survives_being_text(number: int) -> None:
    assert coerce("integer", str(number)) == number
    assert coerce("integer", coerce("string", number)) == number
