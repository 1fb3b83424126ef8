from __future__ import annotations

from typing import Any

import pytest

from awf.domain.problems import Position
from awf.domain.templates import TemplateFailure, parse_template, render

SCOPE: dict[str, Any] = {
    "inputs": {"name": "bob", "nil": None, "list": [1]},
    "states": {"build": {"Output": "x", "ExitCode": 0, "JSON": None}},
    "loop": {"Item": 1, "Index": 0, "Parent": None},
}


def rendered(source: str) -> str:
    return render(parse_template(source, Position("flow.yaml", 7, 15)), SCOPE)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{.inputs.nmae}}", "inputs.nmae is not defined (did you mean inputs.name?) (flow.yaml:7:17)"),
        ("{{inputs.nmae}}", "inputs.nmae is not defined (did you mean inputs.name?) (flow.yaml:7:17)"),
        ("{{inputs.zzz}}", "inputs.zzz is not defined (flow.yaml:7:17)"),
        ("a\n b {{ .inputs.zzz }}", "inputs.zzz is not defined (flow.yaml:8:7)"),
        (
            "{{.states.build.output}}",
            "states.build.output is not defined (did you mean states.build.Output?)",
        ),
        ("{{states.test.Output}}", "states.test is not defined (state test has not run) ("),
        ("{{states.biuld.Output}}", "(state biuld has not run; did you mean states.build?)"),
        ("{{.inptus.name}}", "inptus is not defined (did you mean inputs?)"),
        ("{{error.Message}}", "error is not defined (only where an error is handled)"),
        ("{{loop.parent.item}}", "loop.parent.item is not defined (loop.parent is empty)"),
        ("{{loop.itme}}", "loop.itme is not defined (did you mean loop.Item?)"),
        ("{{.inputs.name.first}}", "inputs.name.first is not defined (inputs.name is text)"),
        ("{{.inputs.nil.x}}", "inputs.nil.x is not defined (inputs.nil is empty)"),
        ("{{.inputs.list.x}}", "inputs.list.x is not defined (inputs.list is a list)"),
        ("{{range .inputs.list}}{{.x}}{{end}}", ".x is not defined (the dot is a number)"),
        ("{{with .states.build}}{{.Outptu}}{{end}}", ".Outptu is not defined (did you mean .Output?)"),
        (
            "{{$s := .states}}{{$s.build.Outptu}}",
            "$s.build.Outptu is not defined (did you mean $s.build.Output?)",
        ),
        ("{{$.inputs.nmae}}", "inputs.nmae is not defined (did you mean inputs.name?)"),
        ('{{index .inputs "nmae"}}', "inputs.nmae is not defined (did you mean inputs.name?)"),
        ('{{(index .states "build").Outptu}}', "states.build.Outptu is not defined"),
        ('{{index .inputs.nil "x"}}', "inputs.nil.x is not defined (inputs.nil is empty)"),
        ("{{index .inputs.list 3}}", "index: 3 is out of range (the length is 1)"),
        ("{{(print 1).x}}", "(…).x is not defined ((…) is text)"),
        ("{{eq .inputs.zzz 1}}", "inputs.zzz is not defined"),
        ("{{range .inputs.zzz}}{{end}}", "inputs.zzz is not defined"),
        ("{{if .inputs.name}}{{.inputs.zzz}}{{end}}", "inputs.zzz is not defined"),
        ("{{if true}}{{else}}{{end}}{{$x := .inputs.zzz}}", "inputs.zzz is not defined"),
        ("{{or (print .inputs.name) 1}}{{print .inputs.zzz}}", "inputs.zzz is not defined"),
        (
            '{{define "t"}}{{.inputs.name}}{{end}}{{template "t"}}',
            ".inputs is not defined (the dot is empty)",
        ),
    ],
)
def test_a_missing_key_fails_with_its_name_a_suggestion_and_its_place(source: str, message: str) -> None:
    with pytest.raises(TemplateFailure) as caught:
        rendered(source)
    assert caught.value.message.startswith("template: ")
    assert message in caught.value.message
    assert caught.value.message.endswith(f"({caught.value.position})")
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{if .inputs.zzz}}a{{else}}b{{end}}", "b"),
        ("{{if states.test.Output}}a{{else if inputs.zzz.y.z}}b{{else}}c{{end}}", "c"),
        ("{{with .states.test}}a{{else}}b{{end}}", "b"),
        ("{{with $x := .inputs.zzz}}a{{else}}[{{$x}}]{{end}}", "[<no value>]"),
        ("{{if not .inputs.zzz}}a{{end}}{{not .inputs.zzz}}", "atrue"),
        ("{{or .inputs.zzz .inputs.name}} {{and .inputs.name .inputs.zzz}}", "bob <no value>"),
        ('{{default "d" .inputs.zzz}} {{.inputs.zzz | default "d"}}', "d d"),
        ('{{.inputs.zzz | trimSpace | default "d"}}', "d"),
        ('{{states.test.Output | printf "%s" | or}}', ""),
        ('{{if eq .inputs.zzz "x"}}a{{end}}{{if ne .inputs.zzz "x"}}b{{end}}', "b"),
        ("{{if gt states.test.ExitCode 0}}a{{else}}b{{end}}{{if le inputs.zzz 0}}a{{else}}b{{end}}", "bb"),
        ('{{if index .inputs "zzz" "y"}}a{{else}}b{{end}}', "b"),
        ("{{if index .inputs.list 5}}a{{else}}b{{end}}", "b"),
        ("{{if gt (len .inputs.zzz) 0}}a{{else}}b{{end}}", "b"),
        ("{{if and (eq (trimSpace .states.test.Output) ``) .inputs.name}}a{{end}}", "a"),
        ("{{if .inputs.nil.deeper}}a{{else}}b{{end}}", "b"),
    ],
)
def test_in_conditions_a_missing_key_is_just_false(source: str, expected: str) -> None:
    assert rendered(source) == expected


def test_default_keeps_zero_and_false() -> None:
    scope = {"inputs": {"zero": 0, "no": False, "text": "", "list": [], "nil": None}}
    source = "{{range $k, $v := .inputs}}{{$k}}={{default `d` $v}} {{end}}"
    template = parse_template(source, Position("f", 1, 1))
    assert render(template, scope) == "list=d nil=d no=false text=d zero=0 "
