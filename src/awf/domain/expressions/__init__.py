"""The expressions of ``when``, ``while`` and ``break_when``: compiled at load, evaluated against a scope.

An expression sees the namespaces of :mod:`awf.domain.scope` and nothing else, and what it may do is bounded.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from awf.domain.expressions.lexer import Source
from awf.domain.expressions.operators import truth
from awf.domain.expressions.parser import MAX_LENGTH, Parser
from awf.domain.expressions.run import Compiled, ExpressionFailure, Run
from awf.domain.problems import Position
from awf.domain.scope import Scope

__all__ = ["Expression", "ExpressionFailure", "Reference", "evaluate", "parse_expression", "test"]


class Reference(Struct, frozen=True):
    """A path that an expression reads, as far as it is known at load: ``("states", "build", "ExitCode")``.

    Fixed properties are spelled in PascalCase however the file spells them. ``position`` is that of the first name.
    """

    path: tuple[str, ...]
    position: Position


class Expression(Struct, frozen=True):
    """A compiled expression; ``position`` is that of its first character. Equal where source and place are."""

    source: str
    position: Position
    references: tuple[Reference, ...]
    run: Compiled

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return (self.source, self.position) == (other.source, other.position)

    def __hash__(self) -> int:
        return hash((self.source, self.position))


def parse_expression(source: str, position: Position, indent: int = 0) -> Expression:
    """Compile an expression that starts at ``position``; further lines start after ``indent`` columns.

    Raises ProblemError with the place in the file: ``WORKFLOW.EXPRESSION.SYNTAX``, or
    ``WORKFLOW.EXPRESSION.UNKNOWN_NAME`` for names outside the namespaces, unknown functions, and unknown properties
    of states, ``workflow``, ``loop``, ``context`` and ``error``. Which states and inputs exist is not known here:
    ``references`` says what to check.
    """
    text = Source(source, position, indent)
    if len(source) > MAX_LENGTH:
        raise text.error(f"it is longer than {MAX_LENGTH} characters", 0)
    found: list[tuple[tuple[str, ...], int]] = []
    node = Parser(text, 0, len(source), found).whole()
    references = tuple(Reference(path, text.at(offset)) for path, offset in found)
    return Expression(source, position, references, node.run)


def evaluate(expression: Expression, scope: Scope) -> Any:
    """The value of an expression; text of inputs and of the environment counts as the boolean or number it spells.

    Raises ExpressionFailure for operations that these values do not have, and when it takes too many steps.
    """
    return expression.run(Run(scope))


def test(expression: Expression, scope: Scope) -> bool:
    """Whether a condition holds; nil, the value of what does not exist, is false.

    Raises ExpressionFailure like ``evaluate``, and for a value that is neither nil nor a boolean.
    """
    return truth(evaluate(expression, scope), expression.position, "a condition")
