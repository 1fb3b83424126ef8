from __future__ import annotations

import pytest

from awf.domain.problems import Position
from awf.domain.templates import Reference, parse_template


def found(source: str) -> list[str]:
    """References as text; guarded ones in square brackets."""
    references = parse_template(source, Position("f", 1, 1)).references
    return [f"[{'.'.join(ref.path)}]" if ref.guarded else ".".join(ref.path) for ref in references]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{{.inputs.name}} {{states.read.Output}} {{env.HOME}}",
            ["inputs.name", "states.read.Output", "env.HOME"],
        ),
        ("{{$.inputs.name}} {{(.states.a).Output}}", ["inputs.name", "states.a.Output"]),
        ("{{.states.a.JSON.deep.er}}", ["states.a.JSON.deep.er"]),
        ("{{json .inputs}}{{.}}", ["inputs"]),
        ("{{.foo}} {{.foo.bar}}", ["foo", "foo.bar"]),
        (
            '{{index .inputs "my-name"}} {{(index .states "a-b").Output}}',
            ["inputs.my-name", "states.a-b.Output"],
        ),
        ("{{index .inputs.list 0}} {{index .inputs .env.KEY}}", ["inputs.list", "inputs", "env.KEY"]),
        (
            "{{loop.item}} {{.loop.parent.index1}} {{workflow.current_state}}",
            ["loop.Item", "loop.Parent.Index1", "workflow.CurrentState"],
        ),
        (
            "{{context.working_dir}} {{error.exit_code}} {{loop.itme}}",
            ["context.WorkingDir", "error.ExitCode", "loop.itme"],
        ),
        (
            "{{if .inputs.a}}{{.inputs.b}}{{else if .inputs.c}}{{end}}",
            ["[inputs.a]", "inputs.b", "[inputs.c]"],
        ),
        (
            "{{with .states.a}}{{.Output}}{{$.inputs.x}}{{else}}{{.inputs.y}}{{end}}",
            ["[states.a]", "states.a.Output", "inputs.x", "inputs.y"],
        ),
        ("{{range .inputs.list}}{{.x}}{{inputs.y}}{{end}}", ["inputs.list", "inputs.y"]),
        (
            "{{and .inputs.a (eq .inputs.b 1)}} {{eq (not .inputs.c) .inputs.d}}",
            ["[inputs.a]", "[inputs.b]", "[inputs.c]", "inputs.d"],
        ),
        (
            "{{.inputs.a | trimSpace | default .inputs.b | print .inputs.c}}",
            ["[inputs.a]", "[inputs.b]", "inputs.c"],
        ),
        ("{{$x := .inputs.a}}{{$x.b}}{{range $i, $e := .inputs.c}}{{$e.d}}{{end}}", ["inputs.a", "inputs.c"]),
        ('{{define "t"}}{{.inputs.a}}{{inputs.b}}{{end}}{{template "t" .}}', ["inputs.a", "inputs.b"]),
        ('{{define "t"}}{{.a}}{{inputs.b}}{{end}}{{template "t" .inputs}}', ["inputs.b", "inputs"]),
        ('{{define "unused"}}{{.a}}{{inputs.b}}{{end}}', ["inputs.b"]),
        (
            '{{define "t"}}{{with .inputs}}{{template "t" .}}{{end}}{{end}}{{template "t" .}}',
            ["[inputs]", "inputs"],
        ),
        ('{{block "t" .}}{{.inputs.a}}{{end}}', ["inputs.a"]),
        ("plain", []),
        ("{{1}}{{true}}{{print}}", []),
    ],
)
def test_every_static_access_is_found_in_order(source: str, expected: list[str]) -> None:
    assert found(source) == expected


def test_a_reference_knows_its_place() -> None:
    template = parse_template(
        "a {{ .inputs.x }}\n{{if\n  states.b.Output}}{{end}}", Position("flow.yaml", 3, 12)
    )
    assert template.references == (
        Reference(("inputs", "x"), Position("flow.yaml", 3, 17), guarded=False),
        Reference(("states", "b", "Output"), Position("flow.yaml", 5, 3), guarded=True),
    )
