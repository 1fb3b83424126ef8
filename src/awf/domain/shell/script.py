"""A rendered command as a shell script in which the values are variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from awf.domain.shell.lexer import uses_of
from awf.domain.shell.places import Check, Document, Place, Use, reference
from awf.domain.shell.scanner import HOLE, TooDeep
from awf.domain.templates import Text, Value

_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?)", re.ASCII)
_WHOLE_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_PLAIN = re.compile(r"[\w\s./:@%,+~^-]*")
_WORDS_SUFFIX = "_words"


class ShellPlaceError(Exception):
    """A value where there is no safe form for it, or one that may not stand where it does.

    ``index`` is that of the value among the parts.
    """

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.message = message
        self.index = index


class ShellScript(Struct, frozen=True):
    """``script`` is what the shell reads after ``preamble(variables)``; ``display`` is the command with the values in
    place, for people. ``warnings`` are about these values."""

    script: str
    variables: tuple[tuple[str, str], ...] = ()
    display: str = ""
    warnings: tuple[str, ...] = ()


def preamble(variables: Iterable[tuple[str, str]], shell: str = "sh") -> str:
    """Assignments that set the variables, to stand before the script on its first line; nothing where there are none.

    ``shell`` is the name of the shell that reads them. zsh does not split unquoted variables: there, the values of
    unquoted places become arrays of their words.
    """
    lines: list[str] = []
    for name, value in variables:
        lines.append(f"{name}='" + value.replace("'", "'\\''") + "'; ")
        if shell == "zsh" and name.endswith(_WORDS_SUFFIX):
            lines.append(f"{name}=(${{={name}}}); ")
    return "".join(lines)


def shell_script(parts: Sequence[Text | Value], *, code: bool = False) -> ShellScript:
    """The script for a rendered command: texts are code, values go in as variables.

    ``code``: values are code as well (``escaping: off``, or a command that is one single action). Raises
    ShellPlaceError.
    """
    display = "".join(part.text for part in parts)
    for index, part in enumerate(parts):
        if HOLE in part.text:
            raise ShellPlaceError("no shell takes the character NUL", index)
    values = [(index, part) for index, part in enumerate(parts) if isinstance(part, Value)]
    if code or not values:
        return ShellScript(display, (), display)
    holed = "".join(HOLE if isinstance(part, Value) else part.text for part in parts)
    try:
        uses = uses_of(holed, len(values))
    except TooDeep:
        raise ShellPlaceError("substitutions are nested too deeply to place a value", values[0][0]) from None
    return _Writer(holed, values, uses).script()


class _Writer:
    """Puts references, and the few values that are written out, in the places of the values."""

    def __init__(self, holed: str, values: Sequence[tuple[int, Value]], uses: Mapping[int, Use]) -> None:
        self._holed = holed
        self._values = values
        self._uses = uses
        self._names: dict[tuple[str, bool], str] = {}
        self._warnings: list[str] = []

    def script(self) -> ShellScript:
        documents = self._documents()
        placed = [self._placed(number) for number in range(len(self._values))]
        edits = [edit for document in documents for edit in document.unquoted(self._holed)]
        script = self._holed
        for start, end, replacement in sorted(edits, reverse=True):
            script = script[:start] + replacement + script[end:]
        return ShellScript(
            _filled(script, [written for written, _ in placed]),
            tuple((name, text) for (text, _), name in self._names.items()),
            _filled(self._holed, [shown for _, shown in placed]),
            tuple(dict.fromkeys(self._warnings)),
        )

    def _placed(self, number: int) -> tuple[str, str]:
        """What stands for a value in the script, and for people."""
        index, value = self._values[number]
        use = self._uses[number]
        text = _meant(value, use)
        if use.place is Place.COMMENT:
            return "", ""
        if use.place is Place.NONE:
            raise ShellPlaceError(f"a value {use.reason} has no safe form", index)
        if use.place is Place.RANGE and _WHOLE_NUMBER.fullmatch(text):
            return text, text
        text = self._checked(text, use.check, index)
        self._warnings += use.all_warnings(value.escaped)
        splits = use.place in {Place.WORDS, Place.RANGE} and not value.escaped
        if splits and any(quote in text for quote in "'\""):
            self._warnings.append("the quote characters of a value outside quotes are plain characters")
        return reference(use.place, self._name(text, splits=splits), value.escaped), value.text

    def _name(self, text: str, *, splits: bool) -> str:
        suffix = _WORDS_SUFFIX if splits else ""
        return self._names.setdefault((text, splits), f"__awf_{len(self._names) + 1}{suffix}")

    def _checked(self, text: str, check: Check | None, index: int) -> str:
        shown = repr(text if len(text) <= 40 else text[:40] + "…")
        number = text.strip()
        match check:
            case Check.NUMBER | Check.NUMBER_OR_EMPTY if _NUMBER.fullmatch(number):
                return number
            case Check.NUMBER_OR_EMPTY if not number:
                return number
            case Check.NUMBER | Check.NUMBER_OR_EMPTY:
                raise ShellPlaceError(
                    f"the shell computes with the value here, and {shown} is not a number", index
                )
            case Check.NO_SUBSCRIPT if "[" in text:
                raise ShellPlaceError(f"the shell would compute the subscript in {shown} here", index)
            case Check.PLAIN if not _PLAIN.fullmatch(text):
                raise ShellPlaceError(
                    f"the shell scans the value again here: {shown} is not plain text", index
                )
            case _:
                return text

    def _documents(self) -> list[Document]:
        """The here-documents with a quoted delimiter that contain values. Raises ShellPlaceError for a value that
        would end its own."""
        last = {use.document: number for number, use in self._uses.items() if use.document is not None}
        for document, number in last.items():
            body = self._holed[document.start : document.end]
            values = self._values[number + 1 - body.count(HOLE) : number + 1]
            line = document.ended_by(_filled(body, [value.text for _, value in values]))
            if line is not None:
                message = f"the value contains the line {line.strip()!r}, which ends its here-document"
                raise ShellPlaceError(message, values[-1][0])
        return list(last)


def _filled(holed: str, texts: Iterable[str]) -> str:
    codes = holed.split(HOLE)
    return codes[0] + "".join(text + code for text, code in zip(texts, codes[1:], strict=True))


def _meant(value: Value, use: Use) -> str:
    """What the shell gets: a value that came through ``escape`` stays quoted where it is read as code later."""
    return value.text if use.written or use.rescans else plain(value)


def plain(value: Value) -> str:
    """The value's text; of one that came through ``escape``, what was quoted there."""
    if value.escaped and value.text.startswith("'"):
        return value.text[1:-1].replace("'\\''", "'")
    return value.text
