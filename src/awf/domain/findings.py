"""Collecting what is wrong with a file, to be told all at once."""

from __future__ import annotations

from collections.abc import Iterable

from awf.domain.problems import Position, Problem, ProblemError
from awf.domain.suggest import did_you_mean

MOST = 500
"""Problems kept of one file; a file with more is not helped by reading them."""
MOST_HINTS = 100
"""Suggestions made for one file: each is a search among many words."""


class Findings:
    """The problems of one file. The same text at the same place counts once (aliases repeat what they stand for)."""

    def __init__(self) -> None:
        self._problems: dict[tuple[Position, str], Problem] = {}
        self._failed = False
        self._hints = 0

    def error(self, position: Position, code: str, message: str) -> None:
        self.add(Problem(position, code, message))

    def warn(self, position: Position, code: str, message: str) -> None:
        self.add(Problem(position, code, message, "warning"))

    def add(self, problem: Problem | ProblemError) -> None:
        found = problem.problem if isinstance(problem, ProblemError) else problem
        if len(self._problems) < MOST or (found.severity == "error" and not self._failed):
            self._problems.setdefault((found.position, found.message), found)
        self._failed |= found.severity == "error"

    def did_you_mean(self, word: str, candidates: Iterable[str], quote: str = "'") -> str:
        """Like ``suggest.did_you_mean``, as often as is worth while for one file."""
        self._hints += 1
        return did_you_mean(word, candidates, quote) if self._hints <= MOST_HINTS else ""

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return self._failed

    @property
    def count(self) -> int:
        """How many there are, as far as they are kept."""
        return len(self._problems)

    def in_file_order(self, file: str = "") -> tuple[Problem, ...]:
        """Those of ``file`` first, then those of the files that belong to it, by their names."""

        def order(problem: Problem) -> tuple[bool, Position]:
            return problem.position.file != file, problem.position

        return tuple(sorted(self._problems.values(), key=order))
