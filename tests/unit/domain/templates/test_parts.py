from __future__ import annotations

from typing import Any

import pytest

from awf.domain.problems import Position
from awf.domain.templates import Text, Value, parse_template, render, render_parts

SCOPE: dict[str, Any] = {"inputs": {"s": "a b", "n": 5.0, "l": [1, 2], "empty": "", "nil": None}}


def parts(source: str) -> list[Text | Value]:
    template = parse_template(source, Position("f", 1, 1))
    found = render_parts(template, SCOPE)
    assert "".join(part.text for part in found) == render(template, SCOPE)
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", [Text("plain")]),
        ("", []),
        ("echo {{.inputs.s}}!", [Text("echo "), Value("a b", "a b"), Text("!")]),
        ("{{inputs.n}}{{inputs.l}}", [Value("5", 5.0), Value("[1,2]", [1, 2])]),
        ("{{inputs.empty}}{{inputs.nil}}", [Value("", ""), Value("<no value>", None)]),
        ("{{if true}}x{{inputs.n}}{{end}}", [Text("x"), Value("5", 5.0)]),
        (
            "{{range inputs.l}}<{{.}}>{{end}}",
            [Text("<"), Value("1", 1), Text(">"), Text("<"), Value("2", 2), Text(">")],
        ),
    ],
)
def test_template_text_and_values_are_told_apart(source: str, expected: list[Text | Value]) -> None:
    assert parts(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{escape .inputs.s}}",
        "{{.inputs.s | escape}}",
        "{{$q := escape .inputs.s}}{{$q}}",
        "{{with escape .inputs.s}}{{.}}{{end}}",
        "{{or (escape .inputs.s) 1}}",
    ],
)
def test_what_came_out_of_escape_is_marked(source: str) -> None:
    assert parts(source) == [Value("'a b'", "'a b'", escaped=True)]


@pytest.mark.parametrize("source", ["{{print (escape .inputs.s)}}", "{{escape .inputs.s | trimSpace}}"])
def test_text_made_of_escaped_text_is_data_again(source: str) -> None:
    assert parts(source) == [Value("'a b'", "'a b'", escaped=False)]


@pytest.mark.parametrize(
    "source", ["{{raw .inputs.s}}", "{{$r := raw .inputs.s}}{{$r}}", "{{.inputs.s | raw}}"]
)
def test_what_came_out_of_raw_is_code(source: str) -> None:
    assert parts(source) == [Text("a b")]


@pytest.mark.parametrize(
    "source", ["{{print (raw .inputs.s)}}", "{{slice (raw .inputs.s) 0}}", "{{raw .inputs.s | trimSpace}}"]
)
def test_text_made_of_raw_text_is_data_again(source: str) -> None:
    assert parts(source) == [Value("a b", "a b")]


def test_parts_hold_plain_text_only() -> None:
    assert [type(part.text) for part in parts("{{escape .inputs.s}}{{raw .inputs.s}}")] == [str, str]
