"""The words of simple commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from awf.domain.shell.scanner import HOLE


class Word(Struct):
    """``text`` is without its quotes; a NUL stands for a value, ``$`` for an expansion. ``plain``: nothing of it was
    quoted or expands. ``value_at``: where the value of an assignment begins. ``target``: it follows a redirection;
    ``duplicates``: that is ``>&``, and bash expands a word twice after it. ``numbers``: its values, in order."""

    text: str = ""
    plain: bool = True
    value_at: int | None = None
    target: bool = False
    duplicates: bool = False
    numbers: list[int] = field(default_factory=list)

    def values(self) -> Iterator[tuple[int, int]]:
        """Place in the text and number of each value."""
        places = (place for place, character in enumerate(self.text) if character == HOLE)
        return zip(places, self.numbers, strict=False)


def numbers_of(words: Sequence[Word]) -> Iterator[int]:
    """The numbers of the values in these words."""
    return (number for word in words for _, number in word.values())
