"""``eq ne lt le gt ge``.

Numbers compare as numbers. A text and a number or boolean are equal if the text is what the other prints as (inputs
arrive as text or typed, and a workflow must not have to care); for order the text must be a number. nil is equal to
nil only, and no order holds with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from awf.domain.templates.faults import Refused
from awf.domain.templates.format import kind_of, text_of
from awf.domain.templates.run import Run

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")


def eq(_run: Run, first: Any, *others: Any) -> bool:
    """Whether ``first`` equals any of ``others``."""
    return any(_equal(first, other) for other in others)


def ne(_run: Run, left: Any, right: Any) -> bool:
    return not _equal(left, right)


def lt(_run: Run, left: Any, right: Any) -> bool:
    return _order(left, right) == -1


def le(_run: Run, left: Any, right: Any) -> bool:
    return _order(left, right) in (-1, 0)


def gt(_run: Run, left: Any, right: Any) -> bool:
    return _order(left, right) == 1


def ge(_run: Run, left: Any, right: Any) -> bool:
    return _order(left, right) in (0, 1)


def _equal(left: Any, right: Any) -> bool:
    for value in (left, right):
        if isinstance(value, Mapping | list | tuple):
            raise Refused("lists and maps cannot be compared; compare what json makes of them")
    if left is None or right is None:
        return left is right
    if isinstance(left, str) != isinstance(right, str):
        return text_of(left) == text_of(right)
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def _order(left: Any, right: Any) -> int | None:
    """-1, 0 or 1; None where no order holds."""
    if left is None or right is None:
        return None
    if not (isinstance(left, str) and isinstance(right, str)):
        left, right = _number(left, right), _number(right, left)
    if left == right:
        return 0
    return -1 if left < right else 1 if left > right else None


def _number(value: Any, other: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 400 and _NUMBER.match(value):
        try:
            return int(value)
        except ValueError:
            return float(value)
    raise Refused(f"no order between {kind_of(value)} and {kind_of(other)}")
