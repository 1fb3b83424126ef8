"""Suggestions: the known word nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_LONGEST_WORD = 64
_MOST_CANDIDATES = 200


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like ``word``, the first in alphabetical order among equals, or None.

    The work is bounded: of many candidates, or of very long words, not all are looked at.
    """
    if len(word) > _LONGEST_WORD:
        return None
    near = (name for name in sorted(set(candidates)) if abs(len(name) - len(word)) <= max(3, len(word) // 2))
    known = list(islice(near, _MOST_CANDIDATES))
    folded = word.casefold()
    for name in known:
        if name.casefold() == folded and name != word:
            return name
    import difflib  # only what is wrong needs it

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, candidates: Iterable[str], quote: str = "'") -> str:
    """``" (did you mean 'x'?)"``, or nothing; made to follow a message."""
    name = closest(word, candidates)
    return f" (did you mean {quote}{name}{quote}?)" if name is not None else ""
