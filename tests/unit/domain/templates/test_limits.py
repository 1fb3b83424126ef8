from __future__ import annotations

import sys
from typing import Any

import pytest

from awf.domain.problems import Position, ProblemError
from awf.domain.templates import TemplateFailure, parse_template, render

START = Position("f", 1, 1)
FRAMES = 450


def text(source: str, scope: Any = None) -> str:
    return render(parse_template(source, START), scope or {})


@pytest.fixture
def _few_frames() -> Any:
    depth = 0
    frame: Any = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + FRAMES)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("_few_frames")
@pytest.mark.parametrize(
    "source",
    [
        "{{" + "(" * 10_000 + "1" + ")" * 10_000 + "}}",
        "{{" + "print (" * 10_000 + "}}",
        "{{if 1}}" * 10_000 + "{{end}}" * 10_000,
        "{{with 1}}" * 10_000,
        "{{if 1}}{{else}}" * 10_000,
        '{{block "b" .}}' * 10_000,
    ],
)
def test_deep_nesting_is_refused(source: str) -> None:
    with pytest.raises(ProblemError, match="blocks and parentheses nest deeper than 64"):
        parse_template(source, START)


@pytest.mark.usefixtures("_few_frames")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{" + "(" * 64 + "1" + ")" * 64 + "}}", "1"),
        ("{{" + "(print 1 | print " * 64 + "2" + ")" * 64 + "}}", "2" + "1" * 64),
        ("{{if 1}}" * 32 + "{{range 1}}" * 32 + "x" + "{{end}}" * 64, "x"),
        ("{{if 0}}{{else}}" * 64 + "x" + "{{end}}" * 64, "x"),
        ("".join(f'{{{{block "b{n}" .}}}}' for n in range(64)) + "x" + "{{end}}" * 64, "x"),
        ("{{if 0}}" + "{{else if 0}}" * 5_000 + "{{else}}x{{end}}", "x"),
        ("{{1" + " | print" * 5_000 + "}}", "1"),
        ("{{print" + " 1" * 5_000 + "}}", "1" + " 1" * 4_999),
        (
            "".join(f'{{{{define "{n}"}}}}{{{{template "{n + 1}"}}}}{{{{end}}}}' for n in range(70))
            + '{{define "70"}}x{{end}}{{template "0"}}',
            "x",
        ),
    ],
)
def test_what_the_limits_allow_needs_few_frames(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.usefixtures("_few_frames")
@pytest.mark.parametrize(
    "body",
    [
        '{{template "r" .}}',
        "{{if 1}}" * 20 + '{{template "r" .}}' + "{{end}}" * 20,
        "{{with 1}}" * 60 + '{{template "r" .}}' + "{{end}}" * 60,
        "{{range 1}}" * 60 + '{{template "r" .}}' + "{{end}}" * 60,
        '{{template "r" ' + "(print " * 60 + "1" + ")" * 60 + "}}",
    ],
)
def test_endless_calls_of_templates_are_stopped(body: str) -> None:
    source = '{{define "r"}}' + body + '{{end}}{{template "r" .}}'
    with pytest.raises(TemplateFailure, match='template "r" is called too deep'):
        text(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{range 1000000000}}{{end}}",
        "{{range 100000}}{{range 100000}}{{end}}{{end}}",
        "{{$s := `abcdefgh`}}{{range 1000}}{{$s = print $s $s}}{{end}}",
        "{{range 1000000}}{{$x := printf `%10000d` 1}}{{end}}",
        "{{range 1000000}}{{$x := json .}}{{$x = json $.big}}{{end}}",
        "{{range 1000000}}{{if eq $.long $.other}}{{end}}{{end}}",
        "".join(
            f'{{{{define "{n}"}}}}{{{{template "{n + 1}"}}}}{{{{template "{n + 1}"}}}}{{{{end}}}}'
            for n in range(60)
        )
        + '{{define "60"}}{{end}}{{template "0"}}',
    ],
)
def test_endless_work_is_stopped(source: str) -> None:
    scope = {"big": ["a" * 1000] * 500, "long": "a" * 1_000_000, "other": "a" * 999_999 + "b"}
    with pytest.raises(TemplateFailure, match="rendering takes more than 2000000 steps"):
        text(source, scope)


def test_endless_output_is_stopped() -> None:
    with pytest.raises(TemplateFailure, match="the rendered text is larger than 10 MiB"):
        text("{{range 1000000}}" + "x" * 100 + "{{end}}")


def test_output_is_measured_in_bytes() -> None:
    half = "é" * (5 * 1024 * 1024)
    assert len(text("{{.x}}", {"x": half})) == len(half)
    with pytest.raises(TemplateFailure, match="larger than 10 MiB"):
        text("{{.x}}!", {"x": half})


def test_large_and_deep_values_are_refused_as_json() -> None:
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(TemplateFailure, match="nested deeper than 1000"):
        text("{{.x}}", {"x": deep})
    with pytest.raises(TemplateFailure, match="json: the value is larger than 10 MiB"):
        text("{{json .x}}", {"x": ["a" * 6_000_000] * 2})


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(TemplateFailure, match="nested deeper"):
        text("{{.x}}", {"x": endless})
