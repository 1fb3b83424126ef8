"""Text of an expression to tokens."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from awf.domain.expressions.values import INTEGER_LIMIT, fits
from awf.domain.problems import UNPLACED, Position, Problem, ProblemError

SYNTAX = "WORKFLOW.EXPRESSION.SYNTAX"
UNKNOWN_NAME = "WORKFLOW.EXPRESSION.UNKNOWN_NAME"


class Source:
    """The text of an expression and where it stands: offsets to positions, positions to problems."""

    def __init__(self, text: str, position: Position, indent: int) -> None:
        self.text = text
        self._position = position
        self._indent = indent

    def at(self, offset: int) -> Position:
        if self._indent == UNPLACED:
            return self._position
        line_start = self.text.rfind("\n", 0, offset) + 1
        if not line_start:
            return self._position.moved(0, offset)
        return self._position.moved(self.text.count("\n", 0, offset), offset - line_start + self._indent)

    def error(self, message: str, offset: int, code: str = SYNTAX) -> ProblemError:
        return ProblemError(Problem(self.at(offset), code, f"expression: {message}"))


class Token(NamedTuple):
    """``text`` is as written; ``offset`` counts characters from the start of the expression."""

    kind: Literal["name", "number", "string", "op", "end"]
    text: str
    offset: int


_TOKEN = re.compile(
    r"""
      (?P<space>  (?: \s+ | //[^\n]* | /\*.*?\*/ )+ )
    | (?P<number> 0[xX][0-9a-fA-F_]+ | 0[bB][01_]+ | 0[oO][0-7_]+
                | (?: [0-9][0-9_]*(?:\.[0-9][0-9_]*)? | \.[0-9][0-9_]* ) (?:[eE][+-]?[0-9]+)? )
    | (?P<name>   [^\W\d]\w* )
    | (?P<string> '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" | `[^`]*` )
    | (?P<op>     \.\. | \*\* | && | \|\| | == | != | <= | >= | \?\? | \?\. (?![0-9]) | [-+*/%^<>!?:.,()\[\]{}\#] )
    """,
    re.VERBOSE | re.DOTALL,
)

_HINTS = {
    "=": "unexpected '=' (write == to compare)",
    "&": "unexpected '&' (write && or and)",
    "|": "unexpected '|' (write || or or)",
    "'": "the text in quotes does not end",
    '"': "the text in quotes does not end",
    "`": "the text in backquotes does not end",
}


def tokens(source: Source, start: int, end: int) -> list[Token]:
    """The tokens of a part of the source, with an ``end`` token after them. Raises ProblemError."""
    found: list[Token] = []
    offset = start
    while offset < end:
        match = _TOKEN.match(source.text, offset, end)
        if match is None:
            character = source.text[offset]
            raise source.error(_HINTS.get(character, f"unexpected {character!r}"), offset)
        text = match.group()
        match match.lastgroup:
            case "number" | "name" | "string" | "op" as kind:
                found.append(Token(kind, text, offset))
        offset = match.end()
    found.append(Token("end", "end", end))
    return found


def number(source: Source, token: Token) -> int | float:
    """The value of a number token. Raises ProblemError for an integer beyond 64 bits."""
    text = token.text.replace("_", "").lower()
    based = text[:2] in {"0x", "0b", "0o"}
    if not based and any(mark in text for mark in ".e"):
        return float(text)
    digits = text[2:] if based else text
    value = int(text, 0 if based else 10) if 0 < len(digits) < 65 else INTEGER_LIMIT
    if not fits(value):
        raise source.error("the number does not fit an integer of 64 bits", token.offset)
    return value


_ESCAPE = re.compile(
    r"\\(?:x(?P<byte>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|u\{(?P<braced>[0-9a-fA-F]{1,6})\}"
    r"|U(?P<long>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<plain>.))",
    re.DOTALL,
)
_PLAIN = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`",
}  # fmt: skip


def unescape(source: Source, start: int, end: int) -> str:
    """The text that a part of a quoted literal stands for. Raises ProblemError for an unknown escape."""

    def replacement(match: re.Match[str]) -> str:
        if (plain := match["plain"]) is not None:
            if plain not in _PLAIN:
                raise source.error(
                    f"unknown escape \\{plain} (a backslash itself is \\\\)", start + match.start()
                )
            return _PLAIN[plain]
        if (octal := match["octal"]) is not None:
            return chr(int(octal, 8))
        code = int(match["byte"] or match["short"] or match["braced"] or match["long"], 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise source.error(f"no such character: {match.group()}", start + match.start())
        return chr(code)

    return _ESCAPE.sub(replacement, source.text[start:end])
