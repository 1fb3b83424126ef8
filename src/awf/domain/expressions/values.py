"""Values of expressions: what JSON has. How they are named, compared, converted and written as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

INTEGER_LIMIT = 2**63
"""Integers are those of 64 bits: from ``-INTEGER_LIMIT`` to ``INTEGER_LIMIT - 1``."""

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,400}\.[0-9]{1,400}(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def coerce(text: str) -> Any:
    """What an input or an environment variable given as text counts as: a boolean, an integer, a decimal, or itself.

    An integer is one as people write it: ``007`` and ``+7`` stay text.
    """
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        number = int(text)
        return number if fits(number) else text
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text


def fits(number: int) -> bool:
    return -INTEGER_LIMIT <= number < INTEGER_LIMIT


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind(value: Any) -> str:
    """The value's type as messages name it."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a map"
    return "a list"


def text_of(value: Any) -> str:
    """The value as text: numbers that are whole print whole, lists and maps as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
