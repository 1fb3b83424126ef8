from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.expressions import ExpressionFailure, evaluate, parse_expression
from awf.domain.problems import Position, ProblemError

PLACE = Position("flow.yaml", 12, 9)
TOKENS = ["1", "2.5", "0", "'a'", '"b"', "`c`", "'{{.inputs.x}}'", "{{.inputs.x}}", "true", "false", "nil", "#", "inputs.x", "inputs['x']", "states.a.Output", "env", "loop.Index", "(", ")", "[", "]", "{", "}", ",", ":", ".", "?.", "?", "??", "+", "-", "*", "/", "%", "**", "..", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "&&", "||", "!", "in", "contains", "startsWith", "endsWith", "matches", "len(", "lower(", "trim(", "split(", "join(", "int(", "float(", "string(", "abs(", "min(", "max(", "any(", "all(", "filter(", "map(", "contains(", "matches(", ")", ")", ")"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def run_or_refuse(source: str, value: object) -> None:
    scope = {"inputs": {"x": value}, "states": {"a": {"Output": value}}, "env": {}, "loop": {"Index": 1}}
    try:
        evaluate(parse_expression(source, PLACE), scope)
    except (ProblemError, ExpressionFailure):
        pass


@given(st.lists(st.sampled_from(TOKENS), max_size=25), JSON)
def test_no_sequence_of_tokens_escapes_the_two_errors(tokens, value):
    run_or_refuse(" ".join(tokens), value)


@given(st.text(), JSON)
def test_no_text_escapes_the_two_errors(text, value):
    run_or_refuse(text, value)


@given(st.sampled_from(TOKENS), st.sampled_from(TOKENS), JSON)
def test_no_value_escapes_the_two_errors(operator, function, value):
    run_or_refuse(f"inputs.x {operator} states.a.Output", value)
    run_or_refuse(f"{function} inputs.x, inputs.x)", value)
    run_or_refuse(f"{function} inputs.x)", value)


arithmetic = st.recursive(
    st.integers(0, 9).map(str),
    lambda part: (
        st.tuples(part, st.sampled_from(["+", "-", "*"]), part).map(" ".join)
        | part.map("({})".format)
        | part.map("-{}".format)
    ),
    max_leaves=9,
)
conditions = st.recursive(
    st.tuples(arithmetic, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in"]), arithmetic).map(
        lambda parts: f"{parts[0]} in [{parts[2]}]" if parts[1] == "in" else " ".join(parts)
    ),
    lambda part: (
        st.tuples(part, st.sampled_from(["and", "or"]), part).map(" ".join)
        | part.map("({})".format)
        | part.map("not {}".format)
    ),
    max_leaves=6,
)


@given(arithmetic | conditions)
def test_precedence_is_that_of_python_where_both_have_the_operators(source):
    assert evaluate(parse_expression(source, PLACE), {}) == eval(source)


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "[" * 5000 + "]" * 5000,
        "-" * 5000 + "1",
        "not " * 3000 + "true",
        "!" * 5000 + "true",
        "1" + " + 1" * 3000,
        "true ? " * 1500 + "1",
        "2" + " ** 2" * 3000,
        "inputs" + ".x" * 5000,
        "inputs" + "[0]" * 5000,
        "len(" * 3000 + "'a'" + ")" * 3000,
        "any([1], " * 1500 + "true" + ")" * 1500,
        "{{.inputs" + "[inputs" * 2000 + "]" * 2000 + "}}",
    ],
)
def test_nesting_is_bounded(source):
    with pytest.raises(ProblemError, match="nested too deeply"):
        parse_expression(source, PLACE)


def test_long_chains_of_conditions_are_not_nested():
    source = " and ".join(["inputs.x == 1"] * 900)
    assert evaluate(parse_expression(source, PLACE), {"inputs": {"x": 1}}) is True


def test_length_is_bounded():
    with pytest.raises(ProblemError, match="longer than 16384 characters"):
        parse_expression("1" + " " * 16_384, PLACE)


@pytest.mark.parametrize(
    "source",
    [
        "len(1..2000000)",
        "len(0..9223372036854775807)",
        "map(1..2000, map(1..2000, #))",
        "len(map(1..1000, join(map(1..1000, inputs.long), '')))",
        "any(1..100000, inputs.list == [inputs.list]) or any(1..100000, inputs.list == map(inputs.list, #))",
        "any(1..100000, 'a' matches string(#))",
        "map(1..9000, upper(inputs.long))",
        "filter(1..100000, # in inputs.list and false)",
    ],
)
def test_steps_are_bounded(source):
    scope = {"inputs": {"long": "x" * 100_000, "list": list(range(1000, 2000))}}
    with pytest.raises(ExpressionFailure, match="takes more than 1000000 steps"):
        evaluate(parse_expression(source, PLACE), scope)


def test_values_nested_deeply_are_compared_and_refused_as_text():
    deep: list[object] = []
    other: list[object] = []
    for _ in range(100_000):
        deep, other = [deep], [other]
    scope = {"inputs": {"a": deep, "b": other}}
    assert evaluate(parse_expression("inputs.a == inputs.b", PLACE), scope) is True
    with pytest.raises(ExpressionFailure, match="nested so deeply"):
        evaluate(parse_expression("string(inputs.a)", PLACE), scope)


def test_large_outputs_are_searched():
    output = "line of a log\n" * 50_000 + "DONE\n"
    scope = {"states": {"a": {"Output": output}}}
    for source in (
        "states.a.Output endsWith 'DONE'",
        "states.a.Output matches 'DON.$'",
        "any(split(states.a.Output, '\\n'), # == 'DONE')",
    ):
        assert evaluate(parse_expression(source, PLACE), scope) is True
