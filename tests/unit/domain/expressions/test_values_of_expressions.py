from __future__ import annotations

import pytest

from awf.domain.expressions import ExpressionFailure, evaluate, parse_expression
from awf.domain.expressions import test as holds
from awf.domain.problems import Position

PLACE = Position("flow.yaml", 12, 9)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3.5),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7.5 % 2", 1.5),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("2 ^ 3", 8.0),
        ("+3 - -3", 6),
        ("0x1F + 0b11 + 0o17 + 1_000", 1049),
        ("1e3 + .5", 1000.5),
        ("1..4", [1, 2, 3, 4]),
        ("1 + 1..2 + 2", [2, 3, 4]),
        ("3..1", []),
        ("'a' + \"b\" + `c`", "abc"),
        ("true and not false", True),
        ("true && !false || false", True),
        ("false or true and false", False),
        ("1 < 2 < 3", True),
        ("1 < 2 < 2", False),
        ("'a' < 'b'", True),
        ("1 == 1.0", True),
        ("1 == true", False),
        ("0 == false", False),
        ("1 == '1'", False),
        ("[1, {'a': nil}] == [1.0, {a: nil}]", True),
        ("[1, 2] != [1]", True),
        ("2 in [1, 2]", True),
        ("2 not in [1, 2]", False),
        ("'a' in {a: 1}", True),
        ("'abc' contains 'b'", True),
        ("'abc' not contains 'b'", False),
        ("[1, 2] contains 2", True),
        ("'abc' startsWith 'ab' and 'abc' endsWith 'bc'", True),
        ("'abc' matches '^a.c$'", True),
        ("'abc' not matches 'x'", True),
        ("'abc' matches '^a' + '.c$'", True),
        ("true ? 'yes' : 'no'", "yes"),
        ("false ? 1 : nil ? 2 : 3", 3),
        ("nil ?? 1 + 2", 3),
        ("nil ?? nil ?? 4", 4),
        ("[10, 20, 30][1]", 20),
        ("[10, 20, 30][-1]", 30),
        ("[10, 20, 30][1:]", [20, 30]),
        ("'hello'[1:3] + 'hello'[:1] + 'hello'[-1]", "elho"),
        ("{a: {'b c': 1}}.a['b c']", 1),
        ("[1, 2,]", [1, 2]),
        ("{}", {}),
        ("1 // one\n /* and */ + 2", 3),
        ("'\\x41\\u00e9\\u{1F600}\\101\\n\\''", "Aé😀A\n'"),
        ("`\\d+`", "\\d+"),
    ],
)
def test_operators_and_literals_have_the_values_of_the_language(value, source, expected):
    found = value(source)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("len('héé') + len([1]) + len({a: 1})", 5),
        ("lower('ÄB') + upper('c')", "äbC"),
        ("trim('  x ') + trim('--y-', '-')", "xy"),
        ("split('a,b,c', ',')", ["a", "b", "c"]),
        ("split('a,b,c', ',', 2)", ["a", "b,c"]),
        ("split('abc', '')", ["a", "b", "c"]),
        ("split('abc', '', 2)", ["a", "bc"]),
        ("join(['a', 1, true], '-')", "a-1-true"),
        ("join(['a', 'b'])", "ab"),
        ("contains('abc', 'b')", True),
        ("contains(join(['a', 'b'], ','), ',')", True),
        ("startsWith('abc', 'a') and endsWith('abc', 'c')", True),
        ("has_prefix('abc', 'a') and has_suffix('abc', 'c')", True),
        ("matches('abc', 'b')", True),
        ("matches('abc', 'a' + '$')", False),
        ("int('42') + int(' 3 ') + int(2.9)", 47),
        ("float('2.5') + float(1)", 3.5),
        ("string(5000000.0) + string(true) + string([1, {a: nil}])", '5000000true[1,{"a":null}]'),
        ("abs(-3) + abs(2)", 5),
        ("min(3, 1, 2) + max([3, 1, 2])", 4),
        ("any([1, 5], # > 3)", True),
        ("any([], true)", False),
        ("all([1, 5], {# > 3})", False),
        ("all([], false)", True),
        ("filter(1..6, # % 2 == 0)", [2, 4, 6]),
        ("map(1..3, {# * #})", [1, 4, 9]),
        ("map([{a: 1}, {a: 2}], .a)", [1, 2]),
        ("map([[1, 2], [3]], map(#, # + 1))", [[2, 3], [4]]),
        ("any([{n: 'x'}], #.n == 'x')", True),
        ("filter([1], {# in {a: 1}})", []),
        ("map([1], {{a: #}})", [{"a": 1}]),
    ],
)
def test_functions_have_the_values_of_the_language(value, source, expected):
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("inputs.n == 5", True),
        ("inputs.n == '5'", False),
        ("inputs.n + 1", 6),
        ("inputs.zip == '007'", True),
        ("inputs.zip == 7", False),
        ("inputs.ratio > 0.4", True),
        ("inputs.flag", True),
        ("inputs.off == false", True),
        ("inputs.word == 'yes'", True),
        ("inputs.typed == 42", True),
        ("env.N > 5 and env.CI", True),
        ("env.HOME startsWith '/home'", True),
        ("inputs.version startsWith '1.10'", True),
        ("inputs.version matches '^1\\\\.10$'", True),
        ("len(inputs.version)", 4),
        ("split(inputs.version, '.')", ["1", "10"]),
        ("string(inputs.flag)", "True"),
        ("inputs['my-name']", "dash"),
        ("inputs[inputs.key]", None),
        ("states.build.Response[inputs.key]", "blue"),
        ("states.build.JSON['5']", "five"),
        ("states.build.JSON[inputs.n]", "five"),
        ("states.build.JSON.items[inputs.at]", 2),
        ("'blue' in inputs.tags", True),
        ("inputs.tags contains 'green'", False),
    ],
)
def test_text_of_inputs_and_environment_counts_as_what_it_spells(value, source, expected):
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("states.build.Output endsWith 'ready'", True),
        ("states.build.output == 'line one\\nready'", True),
        ("states.build.Stderr == 'warned'", True),
        ("states['build']['Output'] endsWith 'ready'", True),
        ("(states.build).Output endsWith 'ready'", True),
        ("map(['build'], states[#].Output)[0] endsWith 'ready'", True),
        ("states.build.exit_code == 0 and states.build.tokens_used == 12", True),
        ("states['run-tests'].ExitCode", 3),
        ("states.build.JSON.deep.list[1].a", 2),
        ("states.build?.Response?.['name']", "blue"),
        ("loop.index1 == 3 and loop.Last and loop.item.id == 4", True),
        ("loop.Parent.Parent.index == nil", True),
        ("context.working_dir + context.User", "/srvme"),
        ("workflow.id", "wf-1"),
        ("error.Message == nil", True),
    ],
)
def test_fields_are_read_in_either_spelling(value, source, expected):
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("states.later == nil", True),
        ("states.later.Output == nil", True),
        ("states.later.Output == 'x'", False),
        ("states.later.Output != 'ready'", True),
        ("states.later.ExitCode > 0", False),
        ("states.later.ExitCode <= 0", False),
        ("states.later.Output contains 'x'", False),
        ("not (states.later.Output contains 'x')", True),
        ("contains(states.later.Output, 'x') == false", True),
        ("states.later.Output matches 'x'", False),
        ("matches(states.later.Output, 'x') == false", True),
        ("'x' matches states.later.Output", False),
        ("states.later.Output in ['x']", False),
        ("'x' in states.later.Response", False),
        ("states.later.Response.name.first[2]", None),
        ("states.later.Output[1:]", None),
        ("len(states.later.Output)", None),
        ("int(states.later.Output) + 1 < 5", False),
        ("-states.later.ExitCode == nil", True),
        ("1..states.later.ExitCode", None),
        ("any(states.later.JSON, # == 1)", None),
        ("states.later.Output ?? 'none'", "none"),
        ("not states.later.Output", True),
        ("states.later.Output or true", True),
        ("inputs.nothing == nil", True),
    ],
)
def test_what_does_not_exist_is_nil_and_makes_comparisons_false(value, source, expected):
    assert value(source) is expected or value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{.inputs.n}} > 4", True),
        ("{{inputs.n}} == 5", True),
        ("{{- .states.build.ExitCode -}} == 0", True),
        ("{{ .states.build.JSON.items[1] }} + 1", 3),
        ("'{{.inputs.n}}' == '5'", True),
        ("\"{{ states.build.Output }}\" endsWith 'ready'", True),
        ("'v{{.inputs.version}}-{{.states.build.ExitCode}}'", "v1.10-0"),
        ("'{{.states.later.Output}}' != 'ready'", True),
        ("'{{.states.later.Output}}' == ''", False),
        ("'{{.inputs.tags}}'", '["red","blue"]'),
        ("`{{.inputs.n}}`", "{{.inputs.n}}"),
        ("'a{{2}}b'", "a{{2}}b"),
        ("any([5], {{.inputs.n}} == #)", True),
        ("any([5], {{{.inputs.n}} == #})", True),
    ],
)
def test_a_template_stands_for_its_value(value, source, expected):
    assert value(source) == expected


def test_a_template_is_never_pasted_as_text(value):
    hostile = {"inputs": {"x": "' or true or '"}, "states": {}}
    assert value("'{{.inputs.x}}' == 'safe'", hostile) is False
    assert value("{{.inputs.x}} == 'safe'", hostile) is False


def test_not_binds_looser_than_comparisons(value):
    assert value("not states.build.Output contains 'ready'") is False
    assert value("!inputs.n == 5 || true") is True


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("1 / 0", "division by zero", 11),
        ("1.0 % 0", "division by zero", 13),
        ("1 < 'a'", "cannot compare a number < text", 11),
        ("states.build.Output < 5", "cannot compare text < a number", 29),
        ("'a' + 1", "cannot compute text + a number", 13),
        ("9223372036854775807 + 1", "the result does not fit an integer of 64 bits", 29),
        ("10 ** 400", "10 ** 400 has no result", 12),
        ("1 and true", "'and' needs true or false, not a number", 11),
        ("not 'x'", "'not' needs true or false, not text", 9),
        ("1 ? 2 : 3", "the condition of '?' needs true or false, not a number", 11),
        ("[1][1]", "index 1 is out of range: the length is 1", 13),
        ("[1].a", "a list is indexed by whole numbers, not by text", 13),
        ("[1][true]", "a list is indexed by whole numbers, not by a boolean", 13),
        ("states.build.Output.name", "text has no member 'name'", 29),
        ("{a: 1}[[1]]", "the key of a map needs text, not a list", 16),
        ("5[1:2]", "a number cannot be sliced", 10),
        ("[1]['a':]", "a slice needs whole numbers, not text", 12),
        ("'a' in 'abc'", "'in' needs a list or a map on its right, not text", 13),
        ("{a: 1} startsWith 'a'", "startsWith needs text, not a map", 16),
        ("'a' matches '(' + 'a'", "invalid pattern: missing ): (a", 13),
        ("1.5..3", "a range needs whole numbers, not a number and a number", 12),
        ("-'a'", "'-' needs a number, not text", 9),
        ("+'a'", "'+' needs a number, not text", 9),
        ("int('x1')", "int() cannot read 'x1'", 9),
        ("int(1e300)", "the result does not fit an integer of 64 bits", 9),
        ("int('1_0')", "int() cannot read '1_0'", 9),
        ("float('1,5')", "float() cannot read '1,5'", 9),
        ("split('a', ',', 'b')", "split() needs a whole number of parts, not text", 9),
        ("join('abc')", "join() needs a list, not text", 9),
        ("any('abc', true)", "any() needs a list, not text", 9),
        ("filter([1], #)", "the predicate of filter() needs true or false, not a number", 9),
        ("min([])", "min() of an empty list", 9),
        ("max('a', 1)", "max() needs numbers, not text", 9),
        ("lower([1])", "lower() needs text, not a list", 9),
        ("5[0]", "a number has no member a number", 11),
    ],
)
def test_impossible_operations_fail_with_their_place(value, source, message, column):
    with pytest.raises(ExpressionFailure) as failure:
        value(source)
    assert failure.value.message == message
    assert failure.value.position == Position("flow.yaml", 12, column)


def test_a_condition_is_true_false_or_nil():
    scope = {"inputs": {"flag": "true", "word": "yes"}}
    assert holds(parse_expression("inputs.flag", PLACE), scope) is True
    assert holds(parse_expression("inputs.absent", PLACE), scope) is False
    with pytest.raises(ExpressionFailure, match="a condition needs true or false, not text"):
        holds(parse_expression("inputs.word", PLACE), scope)


def test_evaluation_sees_the_scope_as_it_is_then():
    expression = parse_expression("states.a.ExitCode == 0", PLACE)
    assert evaluate(expression, {"states": {}}) is False
    assert evaluate(expression, {"states": {"a": {"ExitCode": 0}}}) is True
    assert evaluate(expression, {}) is False
