from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from awf.domain.problems import Position, Problem, ProblemError
from awf.domain.templates import Template, TemplateFailure, parse_template, render, render_parts

_FUNCTIONS = (
    *(
        "and",
        "or",
        "not",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "len",
        "index",
        "slice",
        "print",
        "printf",
        "println",
    ),
    *("html", "js", "urlquery", "escape", "json", "split", "join", "trimSpace", "default", "raw", "readFile"),
)
_WORDS = st.sampled_from(
    [
        *_FUNCTIONS,
        *("if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"),
        *(
            ".inputs.a",
            ".inputs",
            ".x",
            "inputs.a",
            "states.s.Output",
            "loop.item",
            "error.message",
            ".",
            "..",
        ),
        *(
            "$",
            "$x",
            "$x.y",
            ":=",
            "=",
            ",",
            "|",
            "(",
            ")",
            "|",
            "true",
            "false",
            "nil",
            "1",
            "-2",
            "1.5",
            "0x1F",
        ),
        *(
            "1e400",
            "08",
            "'c'",
            "''",
            '"s"',
            '"t"',
            "`r`",
            '"%d %v"',
            '"\\q"',
            "/*c*/",
            "[",
            "!",
            "é",
            "\u2028",
        ),
        *('"', "`", "'", "\n", "-"),
    ]
)
_ACTION = st.builds(
    lambda opening, words, closing: opening + " ".join(words) + closing,
    st.sampled_from(["{{", "{{", "{{- ", "{{ "]),
    st.lists(_WORDS, max_size=6),
    st.sampled_from(["}}", "}}", " -}}", " }}", "}", ""]),
)
_BLOCK = st.sampled_from(
    [
        "{{if .inputs.a}}",
        "{{range $x, $y := .inputs.b}}",
        "{{range .inputs.b}}",
        "{{with $x := .inputs.b}}",
        "{{else}}",
        "{{else if inputs.c}}",
        "{{end}}",
        "{{end}}",
        "{{$x := .inputs.a}}",
        "{{$x}}",
        '{{define "t"}}',
        '{{template "t" .}}',
        '{{block "u" .}}',
        "{{break}}",
    ]
)
_SOURCE = st.lists(st.one_of(st.text(max_size=5), _ACTION, _BLOCK), max_size=12).map("".join)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_SCOPE = st.fixed_dictionaries(
    {"inputs": st.fixed_dictionaries({"a": _VALUE, "b": _VALUE})},
    optional={"states": _VALUE, "loop": _VALUE, "error": _VALUE},
)


def _parsed(source: str) -> tuple[Template | None, Problem | None]:
    try:
        return parse_template(source, Position("f", 1, 1)), None
    except ProblemError as error:
        return None, error.problem


@given(_SOURCE, _SCOPE)
@settings(max_examples=400, deadline=None)
def test_parsing_and_rendering_fail_in_their_own_way_only(source: str, scope: Any) -> None:
    template, problem = _parsed(source)
    if problem is not None:
        assert problem.code == "WORKFLOW.TEMPLATE.SYNTAX"
        lines = source.split("\n")
        assert 1 <= problem.position.line <= len(lines)
        assert 1 <= problem.position.column <= len(lines[problem.position.line - 1]) + 1
    if template is None:
        return
    with contextlib.suppress(TemplateFailure):
        assert "".join(part.text for part in render_parts(template, scope)) == render(template, scope)


_FUNCTION_CALL = st.builds(
    lambda name, places: "{{" + name + "".join(f" (index .values {place})" for place in places) + "}}",
    st.sampled_from(_FUNCTIONS),
    st.lists(st.integers(0, 3), max_size=4),
)


@given(_FUNCTION_CALL, st.lists(_VALUE, min_size=4, max_size=4))
@settings(max_examples=600, deadline=None)
def test_functions_take_any_values_or_refuse_them(source: str, values: list[Any]) -> None:
    template, problem = _parsed(source)
    assert problem is None or "argument" in problem.message
    if template is None:
        return
    with contextlib.suppress(TemplateFailure):
        assert isinstance(render(template, {"values": values}), str)


@given(st.text(alphabet=st.characters(exclude_characters="{")))
def test_text_without_braces_renders_to_itself(source: str) -> None:
    assert render(parse_template(source, Position("f", 1, 1)), {}) == source


@given(st.text())
def test_a_printed_text_is_the_text_itself(value: str) -> None:
    assert (
        render(parse_template("<{{.inputs.x}}>", Position("f", 1, 1)), {"inputs": {"x": value}})
        == f"<{value}>"
    )
