"""Templates: parsing refuses with a place, rendering fails with a message; nothing else, and never for long."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import strategies as st

from awf.domain.problems import Position, ProblemError
from awf.domain.templates import TemplateFailure, parse_template, render, render_parts, render_value
from awf.domain.templates import functions as template_functions
from fuzz.fuzzing import fuzz

PLACE = Position("main.yaml", 1, 1)
SCOPE = {
    "inputs": {"x": "a b", "n": 7, "f": 1.5, "flag": True, "list": ["a", 1, None], "map": {"k": {"k": [1]}}, "long": "z" * 999},
    "states": {"a": {"Output": "out\n", "ExitCode": 0, "Status": "completed", "Response": {"v": [1, 2]}, "JSON": None}},
    "env": {"HOME": "/home/u"},
    "workflow": {"ID": "id", "Name": "main"},
    "loop": {"Item": {"a": 1}, "Index": 3, "Parent": None},
}  # fmt: skip
FUNCTIONS = sorted(template_functions.FUNCTIONS)
PIECES = [
    "{{", "}}", "{{-", "-}}", "{{/*", "*/}}", "if ", "else", "else if ", "end", "{{end}}", "{{else}}", "range ", "with ",
    "define ", "template ", "block ", "break", "continue", "{{range .inputs.list}}", "{{range $i, $e := .inputs.map}}",
    "{{if .inputs.flag}}", "$x := ", "$x = ", "$x", "$", ".", " ", "|", "(", ")", ",", '"a"', "`b`", "'c'", "1", "-2",
    "0x1F", "1e9", "1e400", "1_000", "nil", "true", ".inputs.x", "inputs.n", ".inputs.list", ".inputs.map", ".inputs.long",
    ".states.a.Output", "states.a.JSON", "loop.Item", ".loop.Parent.Item", "workflow.id", "env.HOME", "999999999999",
    '"%s %d %v %q"', '"%999999999d"', '"%*d"', "\n", "\\", "é", "\x00", "\ud800",
    *(f"{name} " for name in FUNCTIONS),
]  # fmt: skip


def run(source: str) -> None:
    try:
        template = parse_template(source, PLACE)
    except ProblemError:
        return
    for rendered in (render, render_parts, render_value):
        try:
            found = rendered(template, SCOPE)
        except TemplateFailure:
            continue
        if isinstance(found, str):
            assert len(found) <= 10 * 1024 * 1024 + len(source)


def test_pieces_of_templates() -> None:
    fuzz(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join), run)


def test_actions() -> None:
    words = st.sampled_from([piece for piece in PIECES if "{{" not in piece and "}}" not in piece])
    action = st.lists(words, min_size=1, max_size=8).map(lambda words: "{{" + " ".join(words) + "}}")
    fuzz(st.lists(action | st.sampled_from(["text", "{{end}}", "{{else}}"]), max_size=6).map("".join), run)


HOSTILE = {
    "nested ranges": "{{range .inputs.long}}" * 8 + "x" + "{{end}}" * 8,
    "doubling": '{{$x := "0123456789"}}' + '{{$x = printf "%s%s" $x $x}}' * 60 + "{{$x}}",
    "a wide number": '{{printf "%0999999999d" 1}}',
    "a template in itself": '{{define "t"}}{{template "t"}}{{template "t"}}{{end}}{{template "t"}}',
    "deep parentheses": "{{" + "(" * 10_000 + "1" + ")" * 10_000 + "}}",
    "deep ifs": "{{if 1}}" * 10_000 + "{{end}}" * 10_000,
    "a long pipeline": "{{1" + " | print" * 10_000 + "}}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_are_bounded(name: str) -> None:
    tracemalloc.start()
    try:
        run(HOSTILE[name])
        assert tracemalloc.get_traced_memory()[1] < 128 * 1024 * 1024
    finally:
        tracemalloc.stop()
