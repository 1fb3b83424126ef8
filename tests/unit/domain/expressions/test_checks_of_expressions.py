from __future__ import annotations

import pytest

from awf.domain.expressions import Reference, parse_expression
from awf.domain.problems import Position, ProblemError

PLACE = Position("flow.yaml", 12, 9)
SYNTAX = "WORKFLOW.EXPRESSION.SYNTAX"
UNKNOWN_NAME = "WORKFLOW.EXPRESSION.UNKNOWN_NAME"


def problem_of(source: str, indent: int = 0):
    with pytest.raises(ProblemError) as error:
        parse_expression(source, PLACE, indent)
    return error.value.problem


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("", "it is empty", 9),
        ("  ", "it is empty", 11),
        ("(1", "unexpected end, expected ')'", 11),
        ("1 +", "unexpected end", 12),
        ("1 2", "unexpected '2'", 11),
        ("1 = 2", "unexpected '=' (write == to compare)", 11),
        ("true & true", "unexpected '&' (write && or and)", 14),
        ("true | true", "unexpected '|' (write || or or)", 14),
        ("1 @ 2", "unexpected '@'", 11),
        ("'abc", "the text in quotes does not end", 9),
        ('1 + "abc', "the text in quotes does not end", 13),
        ("`abc", "the text in backquotes does not end", 9),
        ("'a\nb'", "the text in quotes does not end", 9),
        ("'\\d'", "unknown escape \\d (a backslash itself is \\\\)", 10),
        ("'\\ud800'", "no such character: \\ud800", 10),
        ("9223372036854775808", "the number does not fit an integer of 64 bits", 9),
        ("and true", "unexpected 'and'", 9),
        ("len", "'len' is a function: write len(…)", 9),
        ("len()", "len() cannot take 0 arguments", 9),
        ("split('a')", "split() cannot take 1 arguments", 9),
        ("any([1])", "unexpected ')', expected ','", 16),
        ("#", "unexpected '#' (it stands for the element in any, all, filter and map only)", 9),
        ("any([1], #) and #", "unexpected '#' (it stands for the element in any, all, filter and map only)", 25),
        ("inputs.name.trim()", "unexpected '(' (only functions can be called)", 25),
        ("inputs.", "unexpected end, expected a name", 16),
        ("inputs.5", "unexpected '.5'", 15),
        ("states.a.Output matches '('", "invalid pattern: missing ): (", 33),
        ("matches(states.a.Output, '[')", "invalid pattern: missing ]: [", 34),
        ("{(1): 2}", "unexpected '(', expected a key", 10),
        ("true ? 1", "unexpected end, expected ':'", 17),
        ("{{.inputs.a | lower}} == 1", "unexpected '|' (write || or or)", 21),
        (
            "{{.inputs.a 1}}",
            "unexpected '1', in {{…}} of an expression only a path such as {{.inputs.name}} can stand",
            21,
        ),
        ("'{{.inputs.a b}}'", "unexpected 'b', in {{…}} of an expression only a path such as {{.inputs.name}} can stand", 22),
    ],
)  # fmt: skip
def test_wrong_syntax_is_reported_at_its_place(source, message, column):
    problem = problem_of(source)
    assert (problem.code, problem.message) == (SYNTAX, f"expression: {message}")
    assert problem.position == Position("flow.yaml", 12, column)


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("stats.a.Output == 1", "'stats' is not defined (did you mean 'states'?)", 9),
        ("True", "'True' is not defined (did you mean 'true'?)", 9),
        ("1 == null", "'null' is not defined (did you mean 'nil'?)", 14),
        ("states.a.ExitCod == 0", "states.a has no property 'ExitCod' (did you mean 'ExitCode'?)", 18),
        ("states['a'].exitcode", "states.a has no property 'exitcode' (did you mean 'ExitCode'?)", 21),
        ("states[inputs.x].Outputs", "a state has no property 'Outputs' (did you mean 'Output'?)", 26),
        ("workflow.Nmae", "workflow has no property 'Nmae' (did you mean 'Name'?)", 18),
        ("loop.Parent.Parent.indx", "loop.Parent.Parent has no property 'indx' (did you mean 'Index'?)", 28),
        ("context.pid", "context has no property 'pid'", 17),
        ("error.text", "error has no property 'text'", 15),
        ("trimm('a')", "there is no function 'trimm' (did you mean 'trim'?)", 9),
        (
            "states.run-tests.ExitCode",
            "'tests' is not defined (write [\"run-tests\"] for a name with a dash)",
            20,
        ),
        ("{{.input.a}} == 1", "'input' is not defined (did you mean 'inputs'?)", 12),
        ("'{{.states.a.Outptu}}' == ''", "states.a has no property 'Outptu' (did you mean 'Output'?)", 22),
    ],
)
def test_unknown_names_are_reported_with_a_suggestion(source, message, column):
    problem = problem_of(source)
    assert (problem.code, problem.message) == (UNKNOWN_NAME, f"expression: {message}")
    assert problem.position == Position("flow.yaml", 12, column)


def test_places_on_further_lines_count_from_the_indent():
    problem = problem_of("true and\n  stats.a", indent=6)
    assert problem.position == Position("flow.yaml", 13, 9)


def test_references_name_what_an_expression_reads():
    expression = parse_expression(
        "states.build.exit_code == 0 and inputs['my-name'] == env.CI\n"
        "or states[inputs.which].Output == '{{ states.x.JSON.items[0].id }}' or any(inputs.list, #.a == loop.item)",
        PLACE,
    )
    assert [(reference.path, reference.position.line, reference.position.column) for reference in expression.references] == [
        (("states", "build", "ExitCode"), 12, 9),
        (("inputs", "my-name"), 12, 41),
        (("env", "CI"), 12, 62),
        (("states",), 13, 4),
        (("inputs", "which"), 13, 11),
        (("states", "x", "JSON", "items"), 13, 39),
        (("inputs", "list"), 13, 76),
        (("loop", "Item"), 13, 96),
    ]  # fmt: skip


def test_expressions_are_equal_where_source_and_place_are():
    one = parse_expression("inputs.a == 1", PLACE)
    assert one == parse_expression("inputs.a == 1", PLACE)
    assert one != parse_expression("inputs.a == 2", PLACE)
    assert one.references == (Reference(("inputs", "a"), PLACE),)
    assert hash(one) == hash(parse_expression("inputs.a == 1", PLACE))
