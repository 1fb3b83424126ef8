from __future__ import annotations

from collections import ChainMap
from types import MappingProxyType
from typing import Any

import pytest

from awf.domain.problems import Position
from awf.domain.templates import TemplateFailure, parse_template, render

SCOPE: dict[str, Any] = {
    "inputs": {
        "name": "bob",
        "count": 5,
        "flag": False,
        "empty": "",
        "list": [1, "two", None, {"k": True}],
        "map": {"b": 1, "a": [2.0, 0.5]},
        "nil": None,
        "my-name": "dashed",
    },
    "states": {"read": {"Output": "text", "ExitCode": 0, "JSON": {"items": [{"id": 7.0}]}}},
    "workflow": {"ID": "w1", "CurrentState": "read"},
    "context": {"WorkingDir": "/srv"},
    "loop": {"Item": {"n": 1}, "Index1": 2, "Parent": {"Item": "outer", "Index": 4, "Parent": None}},
    "error": {"Message": "boom", "ExitCode": 3},
    "env": {"HOME": "/root"},
    "awf": {"prompts_dir": "/p"},
}


def text(source: str, scope: Any = None) -> str:
    return render(parse_template(source, Position("f", 1, 1)), SCOPE if scope is None else scope)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("echo {{inputs.name}} {{.states.read.Output}}", "echo bob text"),
        ("{{ .inputs.name }}{{$.inputs.name}}{{(inputs).name}}", "bobbobbob"),
        ("{{env.HOME}} {{.awf.prompts_dir}}", "/root /p"),
        (
            "{{workflow.id}} {{workflow.ID}} {{.workflow.current_state}} {{.workflow.CurrentState}}",
            "w1 w1 read read",
        ),
        ("{{context.working_dir}} {{.context.working_dir}} {{context.WorkingDir}}", "/srv /srv /srv"),
        ("{{error.message}} {{error.Message}} {{.error.exit_code}}", "boom boom 3"),
        ("{{loop.index1}} {{.loop.Index1}} {{loop.item}} {{.loop.Item.n}}", '2 2 {"n":1} 1'),
        ("{{loop.parent.item}} {{.loop.Parent.Item}} {{.loop.parent.index}}", "outer outer 4"),
        ("{{with .loop.Parent}}{{.item}}{{end}} {{$l := loop}}{{$l.parent.index}}", "outer 4"),
        ('{{index .loop "parent" "item"}}', "outer"),
        ("{{(index .states.read.JSON.items 0).id}}", "7"),
    ],
)
def test_namespaces_are_read_with_and_without_dot_in_both_spellings(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a'b", "a'b"),
        (5000000.0, "5000000"),
        (5000000, "5000000"),
        (1e20, "100000000000000000000"),
        (1.5, "1.5"),
        (1234567.25, "1234567.25"),
        (0.00001, "1e-05"),
        (-0.0, "0"),
        (10**30, "1" + "0" * 30),
        (True, "true"),
        (False, "false"),
        (None, "<no value>"),
        ([1, 2.0, "é", None, [True]], '[1,2,"é",null,[true]]'),
        ({"b": {"y": 1, "x": 'q"'}, "a": "<&>"}, '{"a":"<&>","b":{"x":"q\\"","y":1}}'),
        ([], "[]"),
        ({}, "{}"),
        (MappingProxyType({"k": (1, 2)}), '{"k":[1,2]}'),
        (ChainMap({"a": 1}, {"b": 2}), '{"a":1,"b":2}'),
    ],
)
def test_a_value_prints_as_text_or_as_compact_json(value: object, expected: str) -> None:
    assert text("{{.inputs.v}}", {"inputs": {"v": value}}) == expected


@pytest.mark.parametrize(
    "value",
    [object(), b"x", [float("inf")], {"k": [object()]}, pytest.param(10**5000, id="huge"), [10**5000]],
)
def test_what_has_no_text_is_refused(value: object) -> None:
    with pytest.raises(TemplateFailure):
        text("{{.inputs.v}}", {"inputs": {"v": value}})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{if .inputs.flag}}a{{else}}b{{end}}", "b"),
        ("{{if .inputs.empty}}a{{else if .inputs.nil}}b{{else if .inputs.count}}c{{else}}d{{end}}", "c"),
        ("{{if 0}}a{{end}}{{if 0.0}}b{{end}}{{if ``}}c{{end}}{{if nil}}d{{end}}{{if `false`}}e{{end}}", "e"),
        ("{{if $x := .inputs.count}}{{$x}}{{end}}", "5"),
        ("{{if $x := .inputs.flag}}{{else}}{{$x}}{{end}}", "false"),
        ("{{with .inputs.map}}{{.b}}{{$.inputs.name}}{{end}}{{.inputs.count}}", "1bob5"),
        ("{{with .inputs.empty}}a{{else with .inputs.name}}{{.}}{{else}}c{{end}}", "bob"),
        ("{{with $x := .inputs.name}}{{$x}}{{.}}{{end}}", "bobbob"),
        ("{{with .inputs.nil}}a{{else}}{{.inputs.name}}{{end}}", "bob"),
    ],
)
def test_conditions_choose_by_emptiness(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{range .inputs.list}}<{{.}}>{{end}}", '<1><two><<no value>><{"k":true}>'),
        ("{{range $x := .inputs.list}}<{{$x}}>{{end}}", '<1><two><<no value>><{"k":true}>'),
        ("{{range $i, $x := .inputs.list}}{{$i}}{{end}}", "0123"),
        ("{{range $k, $v := .inputs.map}}{{$k}}={{$v}};{{end}}", "a=[2,0.5];b=1;"),
        ("{{range .inputs.map}}{{.}};{{end}}", "[2,0.5];1;"),
        ("{{range 3}}{{.}}{{end}}{{range $i := .inputs.count}}{{$i}}{{end}}", "01201234"),
        ("{{range -1}}a{{else}}none{{end}}{{range .inputs.nil}}a{{else}}{{.inputs.name}}{{end}}", "nonebob"),
        ("{{range 9}}{{if eq . 2}}{{continue}}{{end}}{{if eq . 5}}{{break}}{{end}}{{.}}{{end}}!", "0134!"),
        ("{{range 2}}{{range 5}}{{if .}}{{break}}{{end}}x{{end}};{{end}}", "x;x;"),
        ("{{range 2}}[{{range 0}}{{else}}{{break}}{{end}}never{{end}}", "["),
        ("{{$i := 9}}{{$v := 9}}{{range $i, $v = .inputs.list}}{{end}}{{$i}}{{$v}}", '3{"k":true}'),
        ("{{range .inputs.list}}{{else}}{{end}}{{.inputs.name}}", "bob"),
        ("{{range .states}}{{.Output}}{{end}}", "text"),
    ],
)
def test_range_goes_over_lists_maps_and_numbers(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{range .inputs.name}}{{end}}", "range: text has no elements"),
        ("{{range 1.5}}{{end}}", "range: a number has no elements"),
        ("{{range $i, $x := 3}}{{end}}", "range: a number has no keys"),
        ("{{range true}}{{end}}", "range: a boolean has no elements"),
    ],
)
def test_range_refuses_what_has_no_elements(source: str, message: str) -> None:
    with pytest.raises(TemplateFailure, match=message):
        text(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{$x := 1}}{{$x}}{{$x = 2}}{{$x}}", "12"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{$x}}{{end}}{{$x}}", "32"),
        ("{{$s := ``}}{{range 3}}{{$s = print $s .}}{{end}}{{$s}}", "012"),
        ("{{$m := .inputs.map}}{{$m.b}}", "1"),
        ("{{$x := .inputs.count | print}}{{$x}}", "5"),
    ],
)
def test_variables_live_in_their_block_and_can_be_assigned(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{{define "hi"}}hi {{.name}}{{end}}{{template "hi" .inputs}}!', "hi bob!"),
        ('{{template "later"}}{{define "later"}}[{{.}}{{inputs.name}}]{{end}}', "[<no value>bob]"),
        ('{{block "b" .inputs.name}}<{{.}}{{$}}>{{end}}{{template "b" 1}}', "<bobbob><11>"),
        (
            '{{define "d"}}{{if .}}{{len .}}{{template "d" (slice . 1)}}{{end}}{{end}}{{template "d" "abc"}}',
            "321",
        ),
        ('{{range 2}}{{block "x" .}}{{.}}{{end}}{{end}}', "01"),
        ('{{$x := 1}}{{define "v"}}{{$x := 2}}{{$x}}{{end}}{{template "v"}}{{$x}}', "21"),
    ],
)
def test_templates_are_defined_and_called(source: str, expected: str) -> None:
    assert text(source) == expected


def test_a_pipe_gives_the_value_as_last_argument() -> None:
    assert text('{{.inputs.count | printf "%d-%d" 1 | print "x"}}') == "x1-5"
    assert text('{{if .inputs.name | eq "bob" | not}}a{{else}}b{{end}}') == "b"
