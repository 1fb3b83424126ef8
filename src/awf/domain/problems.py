"""What is wrong with a workflow file: problems with a place, a stable code and a text."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import Struct


class Position(NamedTuple):
    """A place in a file; line and column count from 1. ``file`` is the path as messages show it."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def moved(self, lines: int, columns: int) -> Position:
        """The place ``lines`` further down (then ``columns`` counts from the line's start) or right on this line."""
        if lines:
            return Position(self.file, self.line + lines, columns + 1)
        return Position(self.file, self.line, self.column + columns)


UNPLACED = -1
"""As the indentation of a text: places in it are not known, only where it begins."""


class Problem(Struct, frozen=True):
    """One finding. ``code`` is stable and dotted, ``WORKFLOW.VALIDATION.MISSING_STATE`` say."""

    position: Position
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.message} ({self.position})"


class ProblemError(Exception):
    """Raised inside ``domain`` where parsing one value cannot go on; collected into problems by the loader."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem
