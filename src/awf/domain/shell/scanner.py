"""The text of a script with its values as holes, and the lexing of what is quoted or expands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from awf.domain.shell.places import Check, Place, Use

HOLE = "\0"
MAX_NESTING = 50

_UP_TO_APOSTROPHE = re.compile(r"[^'\0]+")
_INERT = re.compile(r"[^\"'\\$`\0}()]+")
_BRACKET = re.compile(r"[\[\]\n]")
_LONGEST_BRACKETS = 500
_SPECIAL_PARAMETER = re.compile(r"\$[#?!$@*0-9-]")
_REMOVES_PATTERN = re.compile(r"\$\{[!#]?\w*(?:\[[^]]*\])?[#%/]")


class Context(NamedTuple):
    """What a hole means where it is met."""

    place: Place
    reason: str = ""
    check: Check | None = None
    written: bool = False


DOUBLE = Context(Place.DOUBLE)
DOCUMENT = Context(Place.DOUBLE, written=True)
SINGLE = Context(Place.SINGLE)
DOLLAR_SINGLE = Context(Place.DOLLAR_SINGLE)
COMPUTED = Context(Place.DOUBLE, check=Check.NUMBER)
COMPUTED_SINGLE = Context(Place.SINGLE, check=Check.NUMBER)
IN_BRACES = Context(Place.NONE, "inside ${…}")
AFTER_BACKSLASH = Context(Place.NONE, "directly after a backslash")
AFTER_DOLLAR = Context(Place.NONE, "directly after a dollar sign")


class TooDeep(Exception):
    """Substitutions nested deeper than ``MAX_NESTING``."""


class Scanner:
    """Lexes quotes and expansions, and notes the use of each hole.

    ``text`` holds a NUL for each value; ``holes`` are their numbers in order. The scanner reads ``[pos, limit)``.
    A shell that reads the text otherwise than this does sees a reference in an unexpected place at worst: apart from
    quoted here-documents and whole numbers, no value becomes part of the script.
    """

    def __init__(self, text: str, holes: Sequence[int], uses: dict[int, Use], depth: int = 0) -> None:
        self.text = text
        self.pos = 0
        self.limit = len(text)
        self.uses = uses
        self.collected: list[int] = []
        self._depth = depth
        places = (found.start() for found in re.finditer(HOLE, text))
        self._numbers = dict(zip(places, holes, strict=True))

    def commands(self, close: str) -> None:
        """Lex commands up to the character that closes them, and pass it; up to the end where there is none."""
        raise NotImplementedError

    def script_in_backquotes(self, text: str, holes: Sequence[int], depth: int) -> None:
        """Lex a script of its own that stood in backquotes."""
        raise NotImplementedError

    def peek(self, ahead: int = 0) -> str:
        place = self.pos + ahead
        return self.text[place] if place < self.limit else ""

    def starts(self, prefix: str) -> bool:
        return self.text.startswith(prefix, self.pos, self.limit)

    def skip(self, count: int = 1) -> None:
        self.pos = min(self.pos + count, self.limit)

    def run(self, pattern: re.Pattern[str]) -> str:
        """Pass what matches here, or one character."""
        found = pattern.match(self.text, self.pos, self.limit)
        text = found.group() if found else self.peek()
        self.skip(len(text))
        return text

    def hole(self, context: Context) -> str:
        """Note the use of the hole at the current position, and pass it."""
        number = self._numbers[self.pos]
        self.uses[number] = Use(*context)
        self.collected.append(number)
        self.pos += 1
        return HOLE

    def holes_between(self, start: int, end: int) -> list[int]:
        return [number for place, number in self._numbers.items() if start <= place < end]

    def descend(self) -> None:
        """Raises TooDeep; every call is followed by ``ascend``."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise TooDeep

    def ascend(self) -> None:
        self._depth -= 1

    def backslash(self) -> str:
        """Pass a backslash and what it quotes; what it quotes, nothing for a line break."""
        self.skip()
        if self.peek() == HOLE:
            return self.hole(AFTER_BACKSLASH)
        quoted = self.peek()
        self.skip()
        return quoted if quoted != "\n" else ""

    def single(self, context: Context = SINGLE) -> str:
        """Pass ``'…'``; what is inside. The scanning methods below do the same with theirs."""
        self.skip()
        inside: list[str] = []
        while self.pos < self.limit and self.peek() != "'":
            inside.append(self.hole(context) if self.peek() == HOLE else self.run(_UP_TO_APOSTROPHE))
        self.skip()
        return "".join(inside)

    def dollar_single(self) -> str:
        """``$'…'``."""
        self.skip(2)
        inside: list[str] = []
        while self.pos < self.limit and self.peek() != "'":
            if self.peek() == "\\":
                inside.append(self.backslash())
            elif self.peek() == HOLE:
                inside.append(self.hole(DOLLAR_SINGLE))
            else:
                inside.append(self.peek())
                self.skip()
        self.skip()
        return "".join(inside)

    def double(self, context: Context = DOUBLE) -> str:
        """``"…"``; an expansion in it counts as ``$``."""
        self.skip()
        inside: list[str] = []
        while self.pos < self.limit and self.peek() != '"':
            inside.append(self.expanding(context))
        self.skip()
        return "".join(inside)

    def expanding(self, context: Context, *, in_quotes: bool = True) -> str:
        """One item of text that expands but does not split: in double quotes, a here-document, an arithmetic."""
        match self.peek():
            case "\\":
                return self.backslash()
            case "$":
                return self.dollar(quoted=True)
            case "`":
                return self.backquoted(quoted=in_quotes)
            case "\0":
                return self.hole(context)
            case _:
                return self.run(_INERT)

    def dollar(self, *, quoted: bool) -> str:
        """An expansion, or a lone dollar."""
        if not quoted and self.peek(1) == "'":
            return self.dollar_single()
        if not quoted and self.peek(1) == '"':
            self.skip()
            return self.double()
        collected = len(self.collected)
        self._expansion(quoted=quoted)
        del self.collected[collected:]
        return "$"

    def _expansion(self, *, quoted: bool) -> None:
        if self.starts("$((") and (end := self.arithmetic_end(self.pos + 3)) is not None:
            self.skip(3)
            self.arithmetic(end, closing=2)
        elif self.starts("$("):
            self.skip(2)
            self.descend()
            self.commands(")")
            self.ascend()
        elif self.starts("${"):
            self.descend()
            self._braces(quoted=quoted)
            self.ascend()
        elif self.starts("$[") and (end := self._bracket_end(self.pos + 2)) is not None:
            self.skip(2)
            self.arithmetic(end, closing=1)
        elif self.peek(1) == HOLE:
            self.skip()
            self.hole(AFTER_DOLLAR)
        else:
            self.skip(2 if _SPECIAL_PARAMETER.match(self.text, self.pos, self.limit) else 1)

    def _braces(self, *, quoted: bool) -> None:
        apostrophe_quotes = not quoted or _REMOVES_PATTERN.match(self.text, self.pos, self.limit) is not None
        self.skip(2)
        while self.pos < self.limit and self.peek() != "}":
            if self.peek() == "'" and apostrophe_quotes:
                self.single(IN_BRACES)
            elif self.peek() == '"':
                self.double(IN_BRACES)
            else:
                self.expanding(IN_BRACES)
        self.skip()

    def backquoted(self, *, quoted: bool) -> str:
        """A command in backquotes: a script of its own once a level of backslashes is taken off."""
        start = end = self.pos + 1
        while end < self.limit and self.text[end] != "`":
            end += 2 if self.text[end] == "\\" else 1
        end = min(end, self.limit)
        inner = re.sub(r'\\([$`\\"])' if quoted else r"\\([$`\\])", r"\1", self.text[start:end])
        self.descend()
        self.script_in_backquotes(inner, self.holes_between(start, end), self._depth)
        self.ascend()
        self.pos = end
        self.skip()
        return "$"

    def arithmetic(self, end: int, closing: int) -> None:
        """Pass an arithmetic expression that ends at ``end``, and its ``closing`` characters."""
        limit, self.limit = self.limit, end
        while self.pos < end:
            self.expanding(COMPUTED)
        self.limit = limit
        self.skip(closing)

    def arithmetic_end(self, start: int) -> int | None:
        """Where ``))`` closes what was opened by ``((`` before ``start``; None where they are two subshells."""
        depth = 0
        place = start
        while place < self.limit:
            match self.text[place]:
                case "\\":
                    place += 1
                case "'" | '"' as quote:
                    place = self.text.find(quote, place + 1, self.limit)
                    if place < 0:
                        return None
                case "(":
                    depth += 1
                case ")" if depth:
                    depth -= 1
                case ")":
                    return place if self.text.startswith("))", place, self.limit) else None
                case _:
                    pass
            place += 1
        return None

    def _bracket_end(self, start: int) -> int | None:
        """Where the bracket opened before ``start`` closes; None if it does not on its line, or only far away."""
        depth = 0
        for found in _BRACKET.finditer(self.text, start, min(start + _LONGEST_BRACKETS, self.limit)):
            match found.group():
                case "[":
                    depth += 1
                case "]" if depth:
                    depth -= 1
                case "]":
                    return found.start()
                case _:
                    return None
        return None

    def subscript(self) -> None:
        """Pass the ``[…]`` of an array element; a bracket that does not close on its line is passed alone."""
        end = self._bracket_end(self.pos + 1)
        self.skip()
        if end is None:
            return
        collected = len(self.collected)
        limit, self.limit = self.limit, end
        while self.pos < end:
            if self.peek() == "'":
                self.single(COMPUTED_SINGLE)
            elif self.peek() == '"':
                self.double(COMPUTED)
            else:
                self.expanding(COMPUTED, in_quotes=False)
        self.limit = limit
        del self.collected[collected:]
        self.skip()
