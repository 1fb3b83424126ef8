"""Where a value stands in a shell script, and what may stand there."""

from __future__ import annotations

import re
from enum import Enum, auto

from msgspec import Struct, field


class Place(Enum):
    """The quoting around a value, which decides how the reference to its variable is written."""

    WORDS = auto()
    """Unquoted: the value splits into words, which glob."""
    PATTERN = auto()
    """Unquoted, where the shell splits nothing: inside ``[[ ]]`` and in the patterns of ``case``."""
    TEXT = auto()
    """Unquoted, where one text is wanted: in assignments, after redirections, as the subject of ``case``."""
    RANGE = auto()
    """An end of ``{1..5}``, which no shell takes from a variable: a whole number is written out."""
    DOUBLE = auto()
    """Where text expands but does not split: in double quotes, here-documents, arithmetic."""
    SINGLE = auto()
    DOLLAR_SINGLE = auto()
    """Inside ``$'…'``."""
    COMMENT = auto()
    NONE = auto()
    """No form is safe; the use says why."""


class Check(Enum):
    """What a shell does with the value at its place beyond expanding it, and so what the value has to be."""

    NUMBER = auto()
    """It is computed with."""
    NUMBER_OR_EMPTY = auto()
    NO_SUBSCRIPT = auto()
    """It names a variable or counts, and a subscript in it would be computed."""
    PLAIN = auto()
    """It is scanned again, such as the elements of an array, a prompt, or what bash makes of ``>&``."""


class Document(Struct, frozen=True):
    """A here-document with a quoted delimiter, which stands at ``[word, word_end)`` of the script; its body is
    ``[start, end)``.

    In a script its delimiter loses its quotes and its body gets backslashes instead, so that a reference can stand
    in it: then even a shell that reads the script otherwise meets no value in it.
    """

    delimiter: str
    strips_tabs: bool
    nested: bool
    word: int
    word_end: int
    start: int
    end: int

    def unquoted(self, script: str) -> list[tuple[int, int, str]]:
        """What to replace in the script: start, end, replacement."""
        body = re.sub(r"[\\$`]", r"\\\g<0>", script[self.start : self.end])
        return [(self.word, self.word_end, self.delimiter), (self.start, self.end, body)]

    def ended_by(self, body: str) -> str | None:
        """A line of the body that a shell would take for the delimiter's, or None.

        Inside ``$(…)`` some shells are content with a line that starts with the delimiter.
        """
        for line in body.removesuffix("\n").split("\n"):
            text = line.lstrip("\t") if self.strips_tabs else line
            if text == self.delimiter or (self.nested and text.startswith(self.delimiter)):
                return line
        return None


class Use(Struct):
    """One value's place. ``reason`` says why there is no safe form; ``warnings`` are for people, and ``rescans`` those
    that do not hold for a value that came through ``escape``. ``written``: it becomes part of a text that is written
    down, where such a value stays quoted.
    """

    place: Place
    reason: str = ""
    check: Check | None = None
    written: bool = False
    document: Document | None = None
    warnings: list[str] = field(default_factory=list)
    rescans: list[str] = field(default_factory=list)

    def all_warnings(self, escaped: bool) -> list[str]:
        """What is said of a value here."""
        return self.warnings if escaped else self.warnings + self.rescans


def reference(place: Place, name: str, escaped: bool) -> str:
    """What stands in the script for the value of the variable ``name``. A value that came through ``escape`` was
    meant as one word, so it is one."""
    match place:
        case Place.TEXT:
            return f'"${{{name}}}"'
        case Place.WORDS | Place.PATTERN | Place.RANGE if escaped:
            return f'"${{{name}}}"'
        case Place.SINGLE:
            return f"'\"${{{name}}}\"'"
        case Place.DOLLAR_SINGLE:
            return f"'\"${{{name}}}\"$'"
        case _:
            return f"${{{name}}}"
