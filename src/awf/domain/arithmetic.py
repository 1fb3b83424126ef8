"""Whole numbers from text that may be arithmetic: ``3``, ``2 * (4 + 1)`` (dynamic ``max_iterations``)."""

from __future__ import annotations

import math
import re

_LONGEST_NUMBER = 18
_SHOWN = 40
_PART = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([-+*/%()]))")
_DEEPEST = 50


class ArithmeticFailure(Exception):
    """The text is no number and no arithmetic; ``str()`` says why."""


def whole_number(text: str) -> int:
    """An integer, or the value of an expression of numbers, ``+ - * / %`` and parentheses, its fraction dropped. Raises
    ArithmeticFailure, also for what is beyond all numbers."""
    trimmed = text.strip()
    if len(trimmed) <= _LONGEST_NUMBER:
        try:
            return int(trimmed)
        except ValueError:
            pass
    parser = _Parser(text)
    value = parser.sum(0)
    if parser.peek() is not None:
        raise parser.refusal()
    if not math.isfinite(value):
        raise parser.refusal("the result is too large")
    return int(value)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._parts: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            found = _PART.match(text, position)
            if found is None or len(self._parts) > 1000:
                raise self.refusal()
            self._parts.append(found.group(1) or found.group(2))
            position = found.end()
        self._next = 0
        if any(pair in text for pair in ("++", "**", "--")):
            raise self.refusal()

    def refusal(self, why: str = "must be an integer") -> ArithmeticFailure:
        text = self._text.strip()
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        return ArithmeticFailure(f'value "{shown}" is invalid: {why}')

    def peek(self) -> str | None:
        return self._parts[self._next] if self._next < len(self._parts) else None

    def _take(self) -> str:
        part = self.peek()
        if part is None:
            raise self.refusal()
        self._next += 1
        return part

    def sum(self, depth: int) -> float:
        value = self._product(depth)
        while self.peek() in {"+", "-"}:
            value = value + self._product(depth) if self._take() == "+" else value - self._product(depth)
        return value

    def _product(self, depth: int) -> float:
        value = self._factor(depth)
        while (operator := self.peek()) in {"*", "/", "%"}:
            self._take()
            right = self._factor(depth)
            if operator == "*":
                value *= right
            elif right == 0:
                raise self.refusal("division by zero")
            else:
                value = value / right if operator == "/" else value % right
        return value

    def _factor(self, depth: int) -> float:
        part = self._take()
        if depth > _DEEPEST:
            raise self.refusal()
        if part == "(":
            value = self.sum(depth + 1)
            if self._take() != ")":
                raise self.refusal()
            return value
        if part == "-":
            return -self._factor(depth + 1)
        try:
            return float(part)
        except ValueError:
            raise self.refusal() from None
