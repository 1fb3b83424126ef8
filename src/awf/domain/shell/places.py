"""Where a value stands in a shell script, and what may stand there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto


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
    SINGLE = auto()
    DOLLAR_SINGLE = auto()
    """Inside ``$'…'``."""
    VERBATIM = auto()
    """In a here-document whose delimiter is quoted: the text itself is written."""
    COMMENT = auto()
    NONE = auto()
    """No form is safe; the use says why."""


class Check(Enum):
    """What a shell does with the value at its place beyond expanding it, and so what the value has to be."""

    NUMBER = auto()
    """It is computed with."""
    NUMBER_OR_EMPTY = auto()
    NAME = auto()
    """It names a variable; a subscript in it would be computed."""
    PLAIN = auto()
    """It is scanned again as the elements of an array, or as a prompt."""


@dataclass(frozen=True, slots=True)
class Document:
    """A here-document with a quoted delimiter: its body is ``[start, end)`` of the script."""

    delimiter: str
    strips_tabs: bool
    nested: bool
    start: int
    end: int

    def ended_by(self, body: str) -> str | None:
        """A line of the body that a shell would take for the delimiter's, or None.

        Inside ``$(…)`` some shells are content with a line that starts with the delimiter.
        """
        for line in body.removesuffix("\n").split("\n"):
            text = line.lstrip("\t") if self.strips_tabs else line
            if text == self.delimiter or (self.nested and text.startswith(self.delimiter)):
                return line
        return None


@dataclass(slots=True)
class Use:
    """One value's place. ``reason`` says why there is no safe form; ``warnings`` are for people."""

    place: Place
    reason: str = ""
    check: Check | None = None
    document: Document | None = None
    warnings: list[str] = field(default_factory=list)


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
