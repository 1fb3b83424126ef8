"""Expressions: compiling refuses with a place, evaluating fails with a message; nothing else, and never for long."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from awf.domain.expressions import ExpressionFailure, evaluate, parse_expression
from awf.domain.expressions import test as holds
from awf.domain.problems import Position, ProblemError
from fuzz.fuzzing import fuzz

PLACE = Position("main.yaml", 1, 1)
SCOPE = {
    "inputs": {"x": "a b", "n": 7, "f": 1.5, "flag": True, "list": ["a", 1, None], "map": {"k": {"k": [1]}}, "long": "z" * 999},
    "states": {"a": {"Output": "out\n", "ExitCode": 0, "Status": "completed", "Response": {"v": [1, 2]}, "JSON": None}},
    "env": {"N": "12"},
    "workflow": {"ID": "id", "Name": "main", "Duration": "1s"},
    "loop": {"Item": {"a": 1}, "Index": 3, "Parent": None},
    "error": {"Type": "", "Message": "", "State": "", "ExitCode": 0},
    "context": {"WorkingDir": "/", "User": "u", "Hostname": "h"},
}  # fmt: skip
PIECES = [
    "inputs.x", "inputs.n", "inputs.list", "inputs.map.k", "inputs['x']", "inputs.long", "states.a.Output", "states.b.Output",
    "states.a.ExitCode", "states.a.JSON.v", "states.a.Response.v[0]", "env.N", "loop.Index", "loop.parent", "{{inputs.n}}",
    "{{", "}}", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "!", "not ", " and ", " or ", " in ", " contains ",
    " matches ", "startsWith", "endsWith", "+", "-", "*", "/", "%", "**", "^", "?", ":", "??", "..", ".", "[", "]", "(", ")",
    ",", "{", "}", "#", "1", "0", "-1", "1e308", "9999999999999999999999", "1.5", "'a'", '"b"', "'", "nil", "true", "false",
    "len(", "lower(", "upper(", "trim(", "split(", "join(", "int(", "float(", "string(", "abs(", "min(", "max(",
    "any(", "all(", "filter(", "map(", "inputs.list, ", "{# == 1})", " ", "\n", "é", "\x00", "\ud800", "'(a+)+$'",
]  # fmt: skip


def run(source: str) -> None:
    try:
        expression = parse_expression(source, PLACE)
    except ProblemError:
        return
    for evaluated in (evaluate, holds):
        try:
            evaluated(expression, SCOPE)
        except ExpressionFailure:
            continue


def test_pieces_of_expressions() -> None:
    fuzz(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join), run)


VALUES = st.recursive(
    st.sampled_from(
        [
            "inputs.x",
            "inputs.n",
            "inputs.list",
            "states.a.JSON",
            "loop.Index",
            "1",
            "'a'",
            "nil",
            "true",
            "1e308",
            "9" * 30,
        ]
    ),
    lambda inner: (
        st.builds(
            lambda left, operator, right: f"({left} {operator} {right})",
            inner,
            st.sampled_from(
                [
                    "==",
                    "!=",
                    "<",
                    ">=",
                    "&&",
                    "||",
                    "+",
                    "-",
                    "*",
                    "/",
                    "%",
                    "**",
                    "in",
                    "contains",
                    "matches",
                    "??",
                ]
            ),
            inner,
        )
        | st.builds(
            lambda name, value: f"{name}({value})",
            st.sampled_from(["len", "int", "float", "string", "abs", "trim", "lower", "not"]),
            inner,
        )
    ),
    max_leaves=12,
)


def test_well_formed_expressions() -> None:
    fuzz(VALUES, run)


HOSTILE = {
    "parentheses": "(" * 10_000 + "1" + ")" * 10_000,
    "lists": "[" * 10_000 + "]" * 10_000,
    "negations": "!" * 10_000 + "true",
    "powers": "**".join(["9"] * 1_000),
    "a great power": "9 ** 9 ** 9",
    "sums": " + ".join(["inputs.long"] * 2_000),
    "nested maps": "map(inputs.list, {" * 60 + "#" + "})" * 60,
    "a regular expression": "inputs.long matches '(z+)+$'",
    "repetitions": "inputs.long matches '((((z{100}){100}){100}){100})'",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_expressions_are_bounded(name: str) -> None:
    run(HOSTILE[name])
