from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.document import MAX_BYTES, MAX_DEPTH, read_document
from awf.domain.findings import Findings
from awf.domain.nodes import MapNode, ScalarNode, plain_value, resolve
from awf.domain.problems import Problem


def read(source: str | bytes) -> tuple[MapNode | None, tuple[Problem, ...]]:
    findings = Findings()
    root = read_document(source, "f.yaml", findings)
    return root, findings.in_file_order()


def value_of(source: str | bytes) -> Any:
    root, problems = read(source)
    assert problems == ()
    assert root is not None
    return plain_value(root)


def only_problem(source: str | bytes) -> Problem:
    _, problems = read(source)
    assert len(problems) == 1, problems
    return problems[0]


def place(problem: Problem) -> tuple[int, int]:
    return problem.position.line, problem.position.column


def scalar(source: str, key: str) -> ScalarNode:
    root, problems = read(source)
    assert root is not None
    assert problems == ()
    node = root.entries[key].value
    assert isinstance(node, ScalarNode)
    return node


def test_only_true_and_false_are_booleans() -> None:
    source = "on: yes\noff: no\ny: n\nt: true\nf: False\nd: 2024-01-01\ne:\nz: ~\n"
    assert value_of(source) == {
        "on": "yes",
        "off": "no",
        "y": "n",
        "t": True,
        "f": False,
        "d": "2024-01-01",
        "e": None,
        "z": None,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0o17", 15),
        ("0755", 493),
        ("0b101", 5),
        ("-0x10", -16),
        ("089", 89),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("1.2.3", "1.2.3"),
        ("12:30", "12:30"),
        ("-", "-"),
        ("+", "+"),
        (".", "."),
        ("0x", "0x"),
        ("1e", "1e"),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 2.0**64),
        ("9" * 400, float("inf")),
        ("nullable", "nullable"),
        ("NULL", None),
    ],
)
def test_numbers_in_every_spelling(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_what_json_cannot_say_is_text() -> None:
    assert value_of("a: .nan\nb: -.inf\nc: 1e999\n") == {"a": ".nan", "b": "-.inf", "c": "1e999"}


def test_quotes_and_tags_decide_the_type() -> None:
    source = "a: '1'\nb: \"true\"\nc: !!str 5\nd: !!int '6'\ne: !!float 7\nf: ! 8\n"
    assert value_of(source) == {"a": "1", "b": "true", "c": "5", "d": 6, "e": 7.0, "f": "8"}


def test_a_tag_that_does_not_fit_is_an_error_and_an_unknown_one_a_warning() -> None:
    assert only_problem("a: !!int x").message == "'x' cannot be read as !!int"
    warning = only_problem("a: !env {b: 1}")
    assert warning.severity == "warning"
    assert warning.message == "tag '!env' has no effect"


def test_keys_and_values_have_places_that_count_from_one() -> None:
    root, _ = read("a: 1\nbé: {c: [x,  y]}\n")
    assert root is not None
    entry = root.entries["bé"]
    assert (entry.key.line, entry.key.column) == (2, 1)
    assert isinstance(entry.value, MapNode)
    items = entry.value.entries["c"].value
    assert str(items.position) == "f.yaml:2:9"
    assert [str(item.position) for item in items.items] == ["f.yaml:2:10", "f.yaml:2:14"]


def test_order_is_kept_and_keys_are_text() -> None:
    root, _ = read("z: 1\na: 2\n3: 4\ntrue: 5\n")
    assert root is not None
    assert list(root.entries) == ["z", "a", "3", "true"]


@pytest.mark.parametrize(
    ("source", "line", "column", "indent"),
    [
        ("k: |\n  one\n  two\n", 2, 3, 2),
        ("k: |2\n    one\n  two\n", 2, 3, 2),
        ("k: >-\n      one\n      two\n", 2, 7, 6),
        ("k: |\n\n\n   one\n", 2, 4, 3),
        ("k: | # note\r\n  one\r\n  two\r\n", 2, 3, 2),
        ("k: |\n  é\n    deeper", 2, 3, 2),
        ("k: 'one'", 1, 5, 0),
        ('k: "one"', 1, 5, 0),
        ("k: one", 1, 4, 0),
        ("k: |\n  \n", 1, 4, 0),
    ],
)
def test_where_the_text_of_a_scalar_begins(source: str, line: int, column: int, indent: int) -> None:
    node = scalar(source, "k")
    assert (node.content.line, node.content.column, node.indent) == (line, column, indent)


def test_duplicate_keys_are_errors_that_name_the_first() -> None:
    _, problems = read("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert [str(problem) for problem in problems] == [
        "duplicate key 'c' (first at line 3) (f.yaml:4:3)",
        "duplicate key 'a' (first at line 1) (f.yaml:5:1)",
    ]


def test_merge_keys_fill_in_what_is_not_written() -> None:
    source = "b: &b {x: 1, y: 2}\nc: &c {z: 3, y: 9}\na:\n  <<: [*b, *c]\n  x: 0\nq:\n  '<<': 1\n"
    found = value_of(source)
    assert found["a"] == {"x": 0, "y": 2, "z": 3}
    assert found["q"] == {"<<": 1}
    assert "'<<' takes a map" in only_problem("a:\n  <<: 5\n").message


@pytest.mark.parametrize(
    ("source", "message", "where"),
    [
        ("", "the file is empty", (1, 1)),
        ("# only a comment\n", "the file is empty", (1, 1)),
        ("---\n...\n", "the file is empty", (1, 1)),
        ("- a\n- b\n", "this file holds a list", (1, 1)),
        ("just words", "this file holds a string", (1, 1)),
        ("a: 1\n---\nb: 2\n", "more than one YAML document", (2, 1)),
        (b"a: 1\nb: \xff\n", "not valid UTF-8", (2, 4)),
        (b"\xff\xfea\x00", "not valid UTF-8", (1, 1)),
        ("a: \ud800", "UTF-8 cannot say", (1, 4)),
        ("a:\n\tb: 1\n", "a tab; indent with spaces", (2, 1)),
        ("a: b: c", "mapping values are not allowed", (1, 5)),
        ("a: 1\nb: \x01\n", "character U+0001 is not allowed", (2, 4)),
        ("a: 1\nb: [1,\nc: 2", "begins at line 2", (3, 5)),
        ("a: *b", "alias '*b' refers to nothing above it", (1, 4)),
        ("a: &a [1, *a]", "refers to the value it is part of", (1, 11)),
        ("[1]: 2", "a key must be a word, not a list", (1, 1)),
        ("a: {{inputs.x}}", "begins with '{{' needs quotes", (1, 5)),
        ("a: {{inputs.x}} and more", "begins with '{{' needs quotes", (1, 17)),
    ],
)
def test_one_clear_error_with_its_place(source: str | bytes, message: str, where: tuple[int, int]) -> None:
    problem = only_problem(source)
    assert message in problem.message
    assert place(problem) == where
    assert problem.severity == "error"


def test_a_byte_order_mark_is_no_part_of_the_file() -> None:
    root, problems = read(b"\xef\xbb\xbfa: 1\n")
    assert problems == ()
    assert root is not None
    assert str(root.entries["a"].key) == "f.yaml:1:1"


def test_large_and_deep_documents_are_refused() -> None:
    assert only_problem("a: " + "x" * MAX_BYTES).code == "WORKFLOW.PARSE.TOO_LARGE"
    for deep in ("[" * 100_000, "{a: " * 100_000, "- " * 100_000, "a: " + "[" * (MAX_DEPTH + 1)):
        assert only_problem(deep).code == "WORKFLOW.PARSE.TOO_DEEP"
    assert value_of("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))


def test_aliases_are_bounded() -> None:
    lists = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
    assert only_problem("a0: &a0 [x]\n" + lists).code == "WORKFLOW.PARSE.ALIAS"
    assert (
        only_problem(f"a: &a {'x' * 500_000}\nb: [{', '.join(['*a'] * 100)}]").code == "WORKFLOW.PARSE.ALIAS"
    )
    chain = "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 5))
    assert only_problem("a0: &a0 [x]\n" + chain).code == "WORKFLOW.PARSE.ALIAS"


def test_an_alias_is_the_value_itself() -> None:
    assert value_of("a: &a {x: [1]}\nb: *a\n") == {"a": {"x": [1]}, "b": {"x": [1]}}


_text = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=12)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_text, _json, max_size=4))
def test_json_is_read_as_what_it_is(document: dict[str, Any]) -> None:
    findings = Findings()
    root = read_document(json.dumps(document, ensure_ascii=False), "f.yaml", findings)
    assert findings.in_file_order() == ()
    assert root is not None
    assert plain_value(root) == document


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,? \n\t<.~0", max_size=60))
def test_no_input_breaks_the_reader(source: bytes | str) -> None:
    root, problems = read(source)
    assert root is not None or [problem for problem in problems if problem.severity == "error"]
