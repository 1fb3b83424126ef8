from __future__ import annotations

import pytest

from awf.domain.problems import Position, ProblemError
from awf.domain.templates import Template, parse_template, render

START = Position("flow.yaml", 7, 10)


def parse(source: str) -> Template:
    return parse_template(source, START)


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("{{", "7:10", "the action has no closing }}"),
        ("a {{.inputs.x", "7:12", "the action has no closing }}"),
        ("{{}}", "7:12", "a value is missing before }}"),
        ("{{/* never", "7:10", "the comment has no end"),
        ("{{/* c */ x}}", "7:19", "a comment must stand alone in its action"),
        ('{{"open}}', "7:12", "the text has no closing quote"),
        ("{{`open}}", "7:12", "the raw text has no closing backquote"),
        ("{{inputs.my-name}}", "7:21", "a name with a dash is read with index"),
        ("{{.inputs.list[0]}}", "7:24", "an element is read with index"),
        ("{{.x ? 1}}", "7:15", "unexpected character '?'"),
        ("{{if .x}}a", "7:10", "{{if}} has no {{end}}"),
        ("{{range .x}}{{else}}a", "7:10", "{{range}} has no {{end}}"),
        ("a{{end}}", "7:11", "{{end}} closes nothing"),
        ("{{else}}", "7:10", "{{else}} closes nothing"),
        ("{{if .a}}{{else}}{{else}}{{end}}", "7:25", "{{if}} goes on after its {{else}}"),
        ("{{with .a}}{{else if .b}}{{end}}", "7:28", "{{else if}} cannot follow {{with}}"),
        ("{{end 1}}", "7:10", "{{end}} closes nothing"),
        ("{{if .a}}{{end 1}}", "7:25", "unexpected 1"),
        ("{{if}}{{end}}", "7:14", "a value is missing before }}"),
        ("{{break}}", "7:10", "{{break}} stands outside of {{range}}"),
        ("{{range .a}}{{end}}{{continue}}", "7:29", "{{continue}} stands outside of {{range}}"),
        ('{{range .a}}{{define "t"}}{{end}}{{end}}', "7:22", "{{define}} cannot stand inside another block"),
        ('{{block "t" .}}{{break}}{{end}}', "7:25", "{{break}} stands outside of {{range}}"),
        ('{{define "t"}}{{else}}{{end}}', "7:30", "{{else}} cannot stand in {{define}}"),
        ('{{define "t"}}{{end}}{{define "t"}}{{end}}', "7:31", 'template "t" is defined twice'),
        ("{{define t}}{{end}}", "7:19", "{{define}} takes a name in quotes"),
        ('{{define "mail"}}{{end}}{{template "mial"}}', "7:34", '(did you mean "mail"?)'),
        ("{{$x}}", "7:12", "undefined variable $x"),
        ("{{$name := 1}}{{$nam}}", "7:26", "undefined variable $nam (did you mean $name?)"),
        ("{{if true}}{{$x := 1}}{{end}}{{$x}}", "7:41", "undefined variable $x"),
        ("{{$x := 1}}{{define `t`}}{{$x}}{{end}}", "7:37", "undefined variable $x"),
        ("{{$x = 1}}", "7:12", "undefined variable $x"),
        ("{{$ = 1}}", "7:12", "$ cannot be assigned"),
        ("{{range $i, .x}}{{end}}", "7:18", "two variables are given like this"),
        ("{{nope 1}}", "7:12", "function nope is not defined"),
        ("{{trimspace .x}}", "7:12", "function trimspace is not defined (did you mean trimSpace?)"),
        ("{{len}}", "7:12", "len takes 1 argument, not 0"),
        ("{{.x | len 1}}", "7:17", "len takes 1 argument, not 2"),
        ("{{eq 1}}", "7:12", "eq takes at least 2 arguments, not 1"),
        ("{{slice .a 1 2 3 4}}", "7:12", "slice takes 1 to 4 arguments, not 5"),
        ("{{eq len 1}}", "7:15", "len with its arguments must stand in parentheses here"),
        ("{{.x 1}}", "7:15", ".x is not a function and takes no arguments"),
        ("{{.x | .y}}", "7:17", "only a function can stand after |"),
        ("{{.x | inputs}}", "7:17", "only a function can stand after |"),
        ("{{print (1}}", "7:18", "the parenthesis is not closed"),
        ("{{print 1)}}", "7:19", "unexpected )"),
        ('{{"a""b"}}', "7:15", 'unexpected "b"'),
        ("{{print(1)}}", "7:17", "unexpected ("),
        ("{{true.x}}", "7:16", "unexpected .x"),
        ("{{08}}", "7:12", "bad number 08"),
        ("{{1i}}", "7:12", "bad number 1i"),
        ("{{0x1.8}}", "7:12", "bad number"),
        ("{{" + "1" * 500 + "}}", "7:12", "bad number " + "1" * 40 + "…"),
        ("{{99999999999999999999}}", "7:12", "bad number"),
        ("{{1e999}}", "7:12", "bad number"),
        ("{{'ab'}}", "7:12", "bad character constant"),
        (r'{{"\q"}}', "7:13", r"unknown escape \q"),
        (r'{{"\ud800"}}', "7:13", r"unknown escape \ud800"),
        ("echo\n  {{ if .x }}\n{{ nope }}{{end}}", "9:4", "function nope is not defined"),
    ],
)
def test_a_syntax_error_says_what_is_wrong_and_where(source: str, place: str, message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse(source)
    problem = caught.value.problem
    assert (problem.code, problem.severity) == ("WORKFLOW.TEMPLATE.SYNTAX", "error")
    assert str(problem.position) == f"flow.yaml:{place}"
    assert message in problem.message


def test_lines_after_the_first_are_placed_by_their_indent() -> None:
    with pytest.raises(ProblemError) as caught:
        parse_template("a\n{{nope}}", START, indent=6)
    assert caught.value.problem.position == Position("flow.yaml", 8, 9)


def test_text_without_actions_is_literal() -> None:
    template = parse("echo } }} { $x\n")
    assert template.literal
    assert not template.sole_action
    assert render(template, {}) == "echo } }} { $x\n"


@pytest.mark.parametrize(
    "source", ["{{.inputs.x}}", " {{- inputs.x | print -}} \n", "{{/* c */}}{{(inputs.x)}}"]
)
def test_one_printing_action_alone_is_a_sole_action(source: str) -> None:
    assert parse(source).sole_action


@pytest.mark.parametrize(
    "source", ["a{{.x}}", "{{.x}}{{.y}}", "{{$x := 1}}", "{{if .x}}{{.x}}{{end}}", "{{/* c */}}", "x", ""]
)
def test_anything_else_is_no_sole_action(source: str) -> None:
    assert not parse(source).sole_action


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{1_000}} {{0x1F}} {{017}} {{0b11}} {{0o17}}", "1000 31 15 3 15"),
        ("{{1e3}} {{.5}} {{1.}} {{0x1p4}} {{-2}} {{+3}} {{-1.25e2}}", "1000 0.5 1 16 -2 3 -125"),
        (r"{{'a'}} {{'\n'}} {{'\''}} {{'é'}} {{'\u00e9'}} {{'\x41'}}", "97 10 39 233 233 65"),
        (r'{{"a\tb\"\\\u00e9\U0001F600\x41\101\xc3\xa9"}}', 'a\tb"\\é😀AAé'),
        ("{{`a\\n\"'}}\nb`}}", "a\\n\"'}}\nb"),
        ("{{true}} {{false}} [{{nil}}]", "true false [<no value>]"),
        ('{{"{{"}}.Names{{"}}"}}', "{{.Names}}"),
        ("{{print\n1\n}}", "1"),
        ("a }} b{{1}}", "a }} b1"),
    ],
)
def test_literals_mean_what_they_mean_in_go(source: str, text: str) -> None:
    assert render(parse(source), {}) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a \n {{- 1 -}} \t\n b", "a1b"),
        ("a {{-3}} b", "a -3 b"),
        ("a {{- 3 }} b", "a3 b"),
        ("a {{/* c }} */}} b", "a  b"),
        ("a {{- /* c\n */ -}} b", "ab"),
        ("{{if true -}} \n x {{- end}} y", "x y"),
        ("a {{- /* c */}} {{- 1}}", "a1"),
        ("a\u00a0{{- 1}}", "a\u00a01"),
    ],
)
def test_markers_trim_the_text_beside_them(source: str, text: str) -> None:
    assert render(parse(source), {}) == text


def test_a_template_is_its_own_identity() -> None:
    first, second = parse("{{.inputs.x}}"), parse("{{.inputs.x}}")
    assert len({first, second, first}) == 2
