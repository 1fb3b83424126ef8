"""When to try again, and when no more. Does no I/O."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from awf.client.problems import Answer

PASSING = frozenset({429, 502, 503, 504})
"""Statuses of servers, and of proxies before them, that can be gone at the next try."""

_FIRST = 0.1
_LONGEST = 5.0
_LONGEST_ASKED = 60.0


class Pace:
    """The pauses between tries: they double from a tenth of a second to five, with chance in them, so that a server that
    comes back does not meet all its clients at once. What ``Retry-After`` asks for is kept."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self.tries = 0
        self._chance = chance

    def reset(self) -> None:
        """It went well: begin anew."""
        self.tries = 0

    def pause(self, answer: Answer | None = None) -> float:
        """Seconds before the next try, after an answer or none."""
        own = min(_LONGEST, _FIRST * 2.0 ** min(self.tries, 10)) * (0.5 + self._chance() / 2)
        self.tries += 1
        return max(own, _asked(answer.headers) if answer is not None else 0.0)


def _asked(headers: Mapping[str, str]) -> float:
    """Seconds of ``Retry-After``; its form with a date, which no awf server sends, is passed over."""
    given = headers.get("retry-after", "")
    return min(float(given), _LONGEST_ASKED) if given.isascii() and given.isdigit() else 0.0
