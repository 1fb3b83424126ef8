from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from awf.domain.problems import Position
from awf.domain.templates import TemplateFailure, parse_template, render

SCOPE: dict[str, Any] = {
    "inputs": {
        "s": "héllo",
        "n": 5,
        "f": 2.0,
        "b": True,
        "l": ["a", 2, None],
        "m": {"k": {"x": 1}, "80": "web"},
        "nil": None,
    }
}


def text(source: str, **inputs: Any) -> str:
    scope = {"inputs": {**SCOPE["inputs"], **inputs}}
    return render(parse_template("{{" + source + "}}", Position("f", 1, 1)), scope)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("and 1 0 2", "0"),
        ("and 1 2", "2"),
        ("or 0 `` 3 4", "3"),
        ("or 0 ``", ""),
        ("0 | or 1", "1"),
        ("1 | and 2", "1"),
        ("or true (index .inputs.l 99)", "true"),
        ("not ``", "true"),
        ("eq 1 1.0", "true"),
        ("eq 1 2 3 1", "true"),
        ('eq .inputs.n "5"', "true"),
        ('eq "5" .inputs.n', "true"),
        ('eq .inputs.b "true"', "true"),
        ('eq .inputs.n "5.0"', "false"),
        ("eq true 1", "false"),
        ("eq .inputs.nil nil", "true"),
        ("eq .inputs.nil ``", "false"),
        ("ne .inputs.s `x`", "true"),
        ("lt 1 1.5", "true"),
        ('lt "a" "b"', "true"),
        ('gt .inputs.n "10"', "false"),
        ('ge "5" .inputs.n', "true"),
        ("le 2 1", "false"),
        ('lt "5.5" 6', "true"),
        ("eq `` print", "true"),
        ("lt .inputs.nil 1", "false"),
        ("ge .inputs.nil .inputs.nil", "false"),
    ],
)
def test_logic_and_comparison(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("len .inputs.s", "5"),
        ("len .inputs.l", "3"),
        ("len .inputs.m", "2"),
        ("len .inputs.nil", "0"),
        ("index .inputs.l 1", "2"),
        ("index .inputs.l 1.0", "2"),
        ('index .inputs.m "k" "x"', "1"),
        ("index .inputs.m 80", "web"),
        ("index .inputs.s 1", "233"),
        ("index .inputs.n", "5"),
        ("slice .inputs.s 1 3", "él"),
        ("slice .inputs.s 3", "lo"),
        ("slice .inputs.s", "héllo"),
        ("slice .inputs.l 1 2", "[2]"),
        ("slice .inputs.l 0 2 3", '["a",2]'),
        ("slice .inputs.s 5 5", ""),
        ("slice .inputs.nil 1", "<no value>"),
        ("split ` a, b ,,c ` `,`", '["a","b","","c"]'),
        ("split `` `,`", "[]"),
        ("split .inputs.nil `,`", "[]"),
        ("split `abc` ``", '["a","b","c"]'),
        ("join .inputs.l `-`", "a-2-"),
        ("join .inputs.nil `-`", ""),
        ("join (split `a,b` `,`) ` `", "a b"),
    ],
)
def test_lists_maps_and_text_are_taken_apart(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print 1 2 `a` 3 4 true", "1 2a3 4 true"),
        ("print `a` `b`", "ab"),
        ("print .inputs.nil", ""),
        ("print", ""),
        ("println 1 `a`", "1 a\n"),
        ("print .inputs.m", '{"80":"web","k":{"x":1}}'),
        ("html `<a href='x'>\"&`", "&lt;a href=&#39;x&#39;&gt;&#34;&amp;"),
        (
            'js "a\\n\'\\"<>&=é\\u2028\\x00\\\\"',
            "a\\u000A\\'\\\"\\u003C\\u003E\\u0026\\u003Dé\\u2028\\u0000\\\\",
        ),
        ('js "\\U000e0001"', "\\uDB40\\uDC01"),
        ("urlquery `a b/c~é&=+*`", "a+b%2Fc~%C3%A9%26%3D%2B%2A"),
        ("json .inputs.l", '["a",2,null]'),
        ("json .inputs.s", '"héllo"'),
        ("json .inputs.f", "2"),
        ("trimSpace `\n\t a b \r\n`", "a b"),
        ("trimSpace .inputs.n", "5"),
        ("escape ``", "''"),
        ("escape `it's`", "'it'\\''s'"),
        ("escape `a.b/c-d_e:f`", "a.b/c-d_e:f"),
        ("escape `#x`", "'#x'"),
        ("escape `~root`", "'~root'"),
        ("escape `a=b`", "'a=b'"),
        ('escape "a\\r"', "'a\r'"),
        ("escape .inputs.n", "5"),
        ("raw .inputs.s", "héllo"),
    ],
)
def test_text_is_put_together_and_encoded(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("eq .inputs.l .inputs.l", "eq: lists and maps cannot be compared"),
        ("lt true 1", "lt: no order between a boolean and a number"),
        ("gt .inputs.l 1", "gt: no order between a list and a number"),
        ("lt `x` 1", "lt: no order between text and a number"),
        ("len 5", "len: a number has no length"),
        ("index .inputs.n 1", "index: a number has no elements"),
        ("index .inputs.l `x`", "index: a list is indexed by a number, not by text"),
        ("index .inputs.l true", "index: a list is indexed by a number, not by a boolean"),
        ("index .inputs.m .inputs.l", "index: a map is indexed by text, not by a list"),
        ("slice .inputs.s 9", "slice: 9 is out of range"),
        ("slice .inputs.s 3 1", "slice: 3:1 is out of range"),
        ("slice .inputs.s -1", "slice: -1 is out of range"),
        ("slice .inputs.s 1 2 3", "slice: text is sliced by at most two numbers"),
        ("slice .inputs.n 1", "slice: a number cannot be sliced"),
        ("split .inputs.l `,`", "split: text is needed, not a list"),
        ("join .inputs.s `,`", "join: a list is joined, not text"),
        ("readFile `x`", "readFile: files cannot be read here"),
    ],
)
def test_a_function_refuses_what_does_not_suit_it(source: str, message: str) -> None:
    with pytest.raises(TemplateFailure) as caught:
        text(source)
    assert caught.value.message.startswith(f"template: {message}")
    assert caught.value.position == Position("f", 1, 3)


def test_read_file_asks_the_reader_it_is_given() -> None:
    template = parse_template('{{readFile (print .inputs.dir "/x.txt")}}', Position("f", 1, 1))
    files = {"d/x.txt": "content"}
    assert render(template, {"inputs": {"dir": "d"}}, files=files.__getitem__) == "content"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "No such file or directory", "/abs/x"), "x: No such file or directory"),
        (ValueError("larger than 1 MiB"), "x: larger than 1 MiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_failure(error: Exception, reason: str) -> None:
    def reader(_path: str) -> str:
        raise error

    template = parse_template('{{readFile "x"}}', Position("f", 1, 1))
    with pytest.raises(TemplateFailure) as caught:
        render(template, {}, files=reader)
    assert caught.value.message == f"template: readFile: {reason} (f:1:3)"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(_JSON)
@example([5000000.0, 1e21, -0.0])
def test_json_reads_back_as_the_same_value(value: object) -> None:
    assert json.loads(text("json .inputs.v", v=value)) == value


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=20
    )
)
@example(["", "'", "a'b", "$(x)", "`x`", "\n", "#", "~", "=", "*", "!", "\\", "-n", "é"])
def test_escaped_words_reach_a_shell_as_they_are(words: list[str]) -> None:
    template = parse_template(
        "printf '%s\\0'{{range .inputs.words}} {{escape .}}{{end}}", Position("f", 1, 1)
    )
    command = render(template, {"inputs": {"words": words}})
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(word + "\0" for word in words)
