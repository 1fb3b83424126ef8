"""What can be said about the values of a command before they are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from awf.domain.shell.lexer import uses_of
from awf.domain.shell.places import Place
from awf.domain.shell.scanner import HOLE, TooDeep
from awf.domain.templates import Text

Finding: TypeAlias = tuple[int, Literal["error", "warning"], str]


class Hole(Struct, frozen=True):
    """A value that is not known yet. ``raw``: it is pasted as code. ``sample``: a value that it may well have, such
    as an input's default."""

    raw: bool = False
    escaped: bool = False
    sample: str = ""


def shell_problems(parts: Sequence[Text | Hole], *, code: bool = False) -> list[Finding]:
    """Errors and warnings about a command's values: index among the parts, severity, message.

    ``code``: values are pasted as code (``escaping: off``). A command that is one single value is code by intent.
    """
    findings: list[Finding] = []
    holes = [index for index, part in enumerate(parts) if isinstance(part, Hole)]
    sole = len(holes) == 1 and not any(isinstance(part, Text) and part.text.strip() for part in parts)
    if sole or code:
        message = (
            "the whole command is one value: it is code" if sole else "escaping is off: the value is code"
        )
        return [(index, "warning", message) for index in holes]
    pieces: list[str] = []
    data: list[int] = []
    for index, part in enumerate(parts):
        if isinstance(part, Text):
            if HOLE in part.text:
                return [(index, "error", "no shell takes the character NUL")]
            pieces.append(part.text)
        elif part.raw:
            findings.append((index, "warning", "the value is pasted as code"))
            pieces.append("_")
        else:
            data.append(index)
            pieces.append(HOLE)
    try:
        uses = uses_of("".join(pieces), len(data))
    except TooDeep:
        return (
            [(data[0], "error", "substitutions are nested too deeply to place a value")] if data else findings
        )
    for number, index in enumerate(data):
        use, part = uses[number], parts[index]
        if use.place is Place.NONE:
            findings.append((index, "error", f"a value {use.reason} has no safe form"))
        escaped = isinstance(part, Hole) and part.escaped
        findings += ((index, "warning", message) for message in use.all_warnings(escaped))
        quotes = isinstance(part, Hole) and any(quote in part.sample for quote in "'\"")
        if use.place is Place.WORDS and quotes:
            findings.append(
                (index, "warning", "the quote characters of a value outside quotes are plain characters")
            )
    return sorted(findings)
