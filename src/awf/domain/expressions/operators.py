"""What the operators do with values. nil, the value of what does not exist, makes comparisons false."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from awf.domain.expressions.run import ExpressionFailure, Run
from awf.domain.expressions.values import fits, is_number, kind, text_of
from awf.domain.problems import Position

Operation: TypeAlias = Callable[[Run, Any, Any, Position], Any]


def truth(value: Any, position: Position, what: str) -> bool:
    """A condition's value; nil is false. Raises ExpressionFailure for anything but a boolean."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise ExpressionFailure(f"{what} needs true or false, not {kind(value)}", position)


def scalar_text(value: Any, position: Position, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return text_of(value)
    raise ExpressionFailure(f"{what} needs text, not {kind(value)}", position)


def written(run: Run, value: Any, position: Position) -> str:
    """Any value as text. Raises ExpressionFailure for one nested too deeply."""
    try:
        text = text_of(value)
    except (RecursionError, ValueError):
        raise ExpressionFailure("a value nested so deeply cannot be written as text", position) from None
    run.charge_text(len(text), position)
    return text


def equal(run: Run, left: Any, right: Any, position: Position) -> bool:
    """Deep equality; a boolean never equals a number, an integer may equal a decimal. Not recursive: what a step
    printed can be nested deeply.
    """
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, bool) or isinstance(other, bool):
            if one is not other:
                return False
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            run.charge(len(one), position)
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, Mapping) and isinstance(other, Mapping):
            if one.keys() != other.keys():
                return False
            run.charge(len(one), position)
            pairs.extend((one[key], other[key]) for key in one)
        elif isinstance(one, list | Mapping) or isinstance(other, list | Mapping) or one != other:
            return False
    return True


def unequal(run: Run, left: Any, right: Any, position: Position) -> bool:
    return not equal(run, left, right, position)


def ordering(symbol: str, compare: Callable[[Any, Any], bool]) -> Operation:
    def order(_run: Run, left: Any, right: Any, position: Position) -> bool:
        if left is None or right is None:
            return False
        if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return bool(compare(left, right))
        raise ExpressionFailure(f"cannot compare {kind(left)} {symbol} {kind(right)}", position)

    return order


def member_of(run: Run, left: Any, right: Any, position: Position) -> bool:
    if right is None:
        return False
    if isinstance(right, list):
        run.charge(len(right), position)
        return any(equal(run, left, element, position) for element in right)
    if isinstance(right, Mapping):
        return isinstance(left, str) and left in right
    raise ExpressionFailure(f"'in' needs a list or a map on its right, not {kind(right)}", position)


def contains(run: Run, left: Any, right: Any, position: Position) -> bool:
    if isinstance(left, list):
        return member_of(run, right, left, position)
    return bool(_contains_text(run, left, right, position))


def text_test(name: str, test: Callable[[str, str], bool]) -> Operation:
    """An operator on two texts; numbers and booleans count by their text, nil makes it false."""

    def apply(run: Run, left: Any, right: Any, position: Position) -> bool:
        if left is None or right is None:
            return False
        text = scalar_text(left, position, name)
        run.charge_text(len(text), position)
        return test(text, scalar_text(right, position, name))

    return apply


_contains_text = text_test("contains", operator.contains)
starts_with = text_test("startsWith", str.startswith)
ends_with = text_test("endsWith", str.endswith)


def integer(number: int, position: Position) -> int:
    if fits(number):
        return number
    raise ExpressionFailure("the result does not fit an integer of 64 bits", position)


def add(run: Run, left: Any, right: Any, position: Position) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        run.charge_text(len(left) + len(right), position)
        return left + right
    return _add_numbers(run, left, right, position)


def arithmetic(symbol: str, compute: Callable[[Any, Any], int | float]) -> Operation:
    """An operator on two numbers; nil makes nil."""

    def apply(_run: Run, left: Any, right: Any, position: Position) -> Any:
        if left is None or right is None:
            return None
        if not is_number(left) or not is_number(right):
            raise ExpressionFailure(f"cannot compute {kind(left)} {symbol} {kind(right)}", position)
        try:
            result = compute(left, right)
        except ZeroDivisionError:
            raise ExpressionFailure("division by zero", position) from None
        except (OverflowError, ValueError):
            raise ExpressionFailure(
                f"{text_of(left)} {symbol} {text_of(right)} has no result", position
            ) from None
        return integer(result, position) if isinstance(result, int) else result

    return apply


def _remainder(left: float, right: float) -> int | float:
    """With the sign of the dividend."""
    if isinstance(left, int) and isinstance(right, int):
        return int(math.copysign(1, left)) * (abs(left) % abs(right))
    if not right:
        raise ZeroDivisionError
    return math.fmod(left, right)


_add_numbers = arithmetic("+", operator.add)
subtract = arithmetic("-", operator.sub)
multiply = arithmetic("*", operator.mul)
divide = arithmetic("/", operator.truediv)
remainder = arithmetic("%", _remainder)
power = arithmetic("**", math.pow)


def span(run: Run, left: Any, right: Any, position: Position) -> Any:
    """``1..3``: the whole numbers from one to the other, both included."""
    if left is None or right is None:
        return None
    if not all(isinstance(end, int) and not isinstance(end, bool) for end in (left, right)):
        raise ExpressionFailure(f"a range needs whole numbers, not {kind(left)} and {kind(right)}", position)
    run.charge(max(0, right - left + 1), position)
    return list(range(left, right + 1))


def negate(value: Any, position: Position) -> Any:
    if value is None:
        return None
    if not is_number(value):
        raise ExpressionFailure(f"'-' needs a number, not {kind(value)}", position)
    return integer(-value, position) if isinstance(value, int) else -value


def unchanged(value: Any, position: Position) -> Any:
    if value is None or is_number(value):
        return value
    raise ExpressionFailure(f"'+' needs a number, not {kind(value)}", position)


def cut(run: Run, value: Any, start: Any, end: Any, position: Position) -> Any:
    """``value[start:end]`` of text or a list; None for an end that is left out. Ends outside are clamped."""
    if value is None:
        return None
    for bound in (start, end):
        if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool)):
            raise ExpressionFailure(f"a slice needs whole numbers, not {kind(bound)}", position)
    if not isinstance(value, str | list):
        raise ExpressionFailure(f"{kind(value)} cannot be sliced", position)
    run.charge_text(len(value), position)
    return value[start:end]
