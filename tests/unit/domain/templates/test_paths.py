"""Actions that print a path are read at once; they mean what the long way round says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.templates import lexer, nodes
from awf.domain.templates.faults import SyntaxFault
from awf.domain.templates.parser import parse


def slowly(source: str, monkeypatch: pytest.MonkeyPatch) -> nodes.Tree | str:
    """What ``parse`` gives where nothing is read at once."""
    with monkeypatch.context() as patched:
        patched.setattr(lexer, "_PATH", lexer.re.compile(r"(?!)"))
        return tree_or_fault(source)


def tree_or_fault(source: str) -> nodes.Tree | str:
    try:
        return parse(source)
    except SyntaxFault as fault:
        return f"{fault.offset}: {fault.message}"


@pytest.mark.parametrize(
    "source",
    [
        "{{.inputs.x}}",
        "{{inputs.x}}",
        "a {{ .inputs.x }} b {{- states.a.Output -}} c {{- .loop.Item.name}} d",
        "{{inputs}} {{.}} {{.a}} {{ .env.HOME\n}}",
        "{{if .inputs.x}}{{.inputs.y}}{{end}}{{range .a}}{{.b}}{{end}}",
        "{{inputs .x}}",
        "{{.inputs. x}}",
        "{{.inputs.x",
        "{{inputsx}}",
        "{{.inputs.x }",
        "{{.inputs.x-}}",
        "{{-.inputs.x}}",
        "{{.inputs.1}}",
        "{{inputs.é.ß}}",
        "{{end}}",
        "{{.end}}",
        "{{loop}}{{loops.x}}",
        "{{ /* c */ }}{{.x}}",
    ],
)
def test_both_ways_agree(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tree_or_fault(source) == slowly(source, monkeypatch)


_PIECES = [
    "{{",
    "}}",
    ".",
    "inputs",
    "states",
    "x",
    "-",
    " ",
    "\n",
    "1",
    "é",
    "(",
    ")",
    "$a",
    "if",
    "end",
    '"t"',
    "|",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_both_ways_agree_on_anything(source: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert tree_or_fault(source) == slowly(source, monkeypatch)
