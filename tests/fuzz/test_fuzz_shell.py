"""The shell lexer: any script with any values is written or refused, and a value never ends up in the script."""

from __future__ import annotations

import time

import pytest
from hypothesis import strategies as st

from awf.domain.shell import Hole, ShellPlaceError, preamble, shell_problems, shell_script
from awf.domain.templates import Text, Value
from fuzz.fuzzing import fuzz

PIECES = [
    "echo ", " ", "\n", "\t", ";", "&", "&&", "|", "||", "(", ")", "((", "))", "$((", "$(", "${", "}", "`", "'", '"', "\\",
    "\\\n", "#", " # ", "<<EOF\n", "<<'EOF'\n", "<<-EOF\n", "<<\"EOF\"\n", "\nEOF\n", "EOF", "<<<", "<(", ">", "2>&1", "[[ ",
    " ]]", "case x in ", "a) ", ";; ", "esac", "if ", "then ", "fi", "for i in ", "do ", "done", "while ", "x=", "x+=", "$x",
    "$'", '$"', "eval ", "sh -c ", "ssh h ", "let ", "=~ ", "{ ", "f() ", "~", "*", "?", "!", "${x:-", "${x#", "é", "\r",
]  # fmt: skip
MARK = "\u2603;'$(`\"\n"
"""A value with characters that no piece of a script has."""
VALUE = st.sampled_from(
    [Value(MARK, MARK), Value("7", 7), Value("", ""), Value("'a b'", "'a b'", escaped=True)]
)
PARTS = st.lists(st.sampled_from(PIECES).map(Text) | st.text(max_size=3).map(Text) | VALUE, max_size=40)


def write(parts: list[Text | Value]) -> None:
    shell_problems([part if isinstance(part, Text) else Hole(escaped=part.escaped) for part in parts])
    try:
        script = shell_script(parts)
    except ShellPlaceError:
        return
    values = [part for part in parts if isinstance(part, Value)]
    if not any("#" in part.text for part in parts if isinstance(part, Text)):
        assert script.display == "".join(part.text for part in parts)
    if (
        not any("\u2603" in part.text for part in parts if isinstance(part, Text))
        and "<<" not in script.script
    ):
        assert "\u2603" not in script.script
    assert {value for _, value in script.variables} <= {part.text for part in values} | {"a b"}
    assert preamble(script.variables).count("\n") == sum(value.count("\n") for _, value in script.variables)


def test_pieces_of_scripts() -> None:
    fuzz(PARTS, write)


def value_after(text: str, times: int) -> list[Text | Value]:
    return [Text(text * times), Value("x", "x")]


HOSTILE: dict[str, list[Text | Value]] = {
    "substitutions": value_after("$(", 10_000),
    "quoted substitutions": value_after('"$(', 10_000),
    "backquotes": value_after("`", 10_001),
    "parameters": value_after("${x:-", 10_000),
    "arithmetic": value_after("$((", 10_000),
    "subshells": value_after("(", 10_000),
    "here-documents": value_after("<<A ", 10_000),
    "open here-documents": [Text("<<A <<B <<C\n" + "x\n" * 20_000), Value("x", "x")],
    "cases": value_after("case x in a) ", 5_000),
    "many values": [part for _ in range(5_000) for part in (Text('echo "'), Value("x", "x"), Text('"\n'))],
    "backslashes": value_after("\\", 100_001),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_scripts_are_bounded(name: str) -> None:
    before = time.thread_time()
    write(HOSTILE[name])
    assert time.thread_time() - before < 1.0
