"""One evaluation: what it may see, and how much it may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct, field

from awf.domain.problems import Position
from awf.domain.scope import Scope

MAX_STEPS = 1_000_000
"""Steps of one evaluation: the operations of a predicate for each element, elements made or compared, and one step
for every 512 characters of text made or searched."""


class ExpressionFailure(Exception):
    """An expression that cannot be evaluated with these values; ``position`` is the operation's place in the file."""

    def __init__(self, message: str, position: Position) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class Run(Struct):
    """The scope, the elements that ``#`` stands for (innermost last), and the steps left.

    The size of an expression bounds what it does outside of predicates, so only predicates and values that grow
    are charged.
    """

    scope: Scope
    elements: list[Any] = field(default_factory=list)
    steps: int = MAX_STEPS

    def charge(self, steps: int, position: Position) -> None:
        """Raises ExpressionFailure when the steps are used up."""
        self.steps -= steps
        if self.steps < 0:
            raise ExpressionFailure(f"the expression takes more than {MAX_STEPS} steps", position)

    def charge_text(self, length: int, position: Position) -> None:
        self.charge(length >> 9, position)


Compiled: TypeAlias = Callable[[Run], Any]
