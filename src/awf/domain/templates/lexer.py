"""Template source cut into text and the tokens of actions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from awf.domain.scope import NAMESPACES
from awf.domain.templates.faults import SyntaxFault

_SPACE = " \t\r\n"
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<close>\}\}|(?<=[ \t\r\n])-\}\})
    | (?P<field>\.[^\W\d]\w*)
    | (?P<identifier>[^\W\d]\w*)
    | (?P<text>"[^"\\\n]*(?:\\.[^"\\\n]*)*" | `[^`]*`)
    | (?P<variable>\$\w*)
    | (?P<number>[+-]?\.?[0-9](?:[eEpP][+-]|[\w.])*)
    | (?P<character>'(?:[^'\\\n]|\\.)[^'\n]*')
    | (?P<mark>:=|[=|(),.])
    )""",
    re.VERBOSE,
)
_PATH = re.compile(
    r"[ \t\r\n]*(?P<path>(?P<dotless>NAMESPACES(?!\w))?(?(dotless)|\.[^\W\d]\w*)(?:\.[^\W\d]\w*)*)"
    r"(?P<close>[ \t\r\n]*\}\}|[ \t\r\n]+-\}\})".replace("NAMESPACES", f"(?:{'|'.join(NAMESPACES)})")
)
_COMMENT_CLOSE = re.compile(r"[ \t\r\n]*\}\}|[ \t\r\n]+-\}\}")
_HINTS = {
    '"': "the text has no closing quote",
    "`": "the raw text has no closing backquote",
    "'": "the character constant is not complete",
    "-": 'a "-" cannot stand here; a name with a dash is read with index: index .inputs "my-name"',
    "[": "square brackets are not known here; an element is read with index: index .list 0",
}


class Token(NamedTuple):
    """``spaced``: white space stands before it. A field's text starts with its dot."""

    kind: str
    text: str
    offset: int
    spaced: bool


class Plain(Struct, frozen=True):
    """Text outside actions, trimmed as the markers beside it ask; never empty."""

    offset: int
    text: str


class Action(Struct, frozen=True):
    """What stands between ``{{`` and ``}}``; the last token is of the kind ``close``."""

    offset: int
    tokens: list[Token]


class Path(Struct, frozen=True):
    """An action that prints what a path leads to, and nothing else: ``{{.inputs.x}}``. Most actions are. ``start`` is
    where the path begins."""

    offset: int
    start: int
    dotless: bool
    names: tuple[str, ...]


def segments(source: str) -> Iterator[Plain | Action | Path]:
    """Text and actions in turn, comments dropped. Raises SyntaxFault where it gets to."""
    position = 0
    trim = False
    while (opening := source.find("{{", position)) >= 0:
        text = source[position:opening]
        inside = opening + 2
        if trim:
            text = text.lstrip(_SPACE)
        if source[inside : inside + 1] == "-" and source[inside + 1 : inside + 2] in tuple(_SPACE):
            text = text.rstrip(_SPACE)
            inside += 1
        if text:
            yield Plain(position, text)
        path = _PATH.match(source, inside)
        if path is not None:
            dotless, names = path["dotless"] is not None, path["path"]
            yield Path(
                opening, path.start("path"), dotless, tuple((names if dotless else names[1:]).split("."))
            )
            position = path.end()
            trim = "-" in path["close"]
            continue
        comment = _comment_end(source, opening, inside)
        if comment is not None:
            position, trim = comment
            continue
        tokens = _tokens(source, opening, inside)
        yield Action(opening, tokens)
        position = tokens[-1].offset + len(tokens[-1].text)
        trim = tokens[-1].text[0] == "-"
    text = source[position:]
    if trim:
        text = text.lstrip(_SPACE)
    if text:
        yield Plain(position, text)


def _comment_end(source: str, opening: int, inside: int) -> tuple[int, bool] | None:
    while source[inside : inside + 1] in tuple(_SPACE):
        inside += 1
    if not source.startswith("/*", inside):
        return None
    end = source.find("*/", inside + 2)
    if end < 0:
        raise SyntaxFault("the comment has no end", opening)
    closing = _COMMENT_CLOSE.match(source, end + 2)
    if closing is None:
        raise SyntaxFault("a comment must stand alone in its action", end + 2)
    return closing.end(), "-" in closing.group()


def _tokens(source: str, opening: int, position: int) -> list[Token]:
    tokens: list[Token] = []
    match = _TOKEN.match
    while found := match(source, position):
        kind = found.lastgroup
        assert kind is not None
        start = found.start(kind)
        tokens.append(Token(kind, found.group(kind), start, start > position))
        if kind == "close":
            return tokens
        position = found.end()
    while source[position : position + 1] in tuple(_SPACE):
        position += 1
    rest = source[position : position + 1]
    if not rest:
        raise SyntaxFault("the action has no closing }}", opening)
    raise SyntaxFault(_HINTS.get(rest, f"unexpected character {rest!r}"), position)
