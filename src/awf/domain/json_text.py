"""JSON that people and programs hand in, read so that what comes of it can be kept and shown again."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

DEEPEST = 100
"""Levels of lists and maps in one value."""


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError with the reason where it is not JSON, or holds what is no JSON value: NaN,
    a number beyond all bounds, half a character, more than ``DEEPEST`` levels."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        deep = deeper_than(value, DEEPEST)
    except RecursionError:
        deep = True
    if deep:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    if not is_text(json.dumps(value, ensure_ascii=False)):
        raise ValueError("it holds half of a character that JSON writes as two")
    return value


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8: it has no halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def deeper_than(value: Any, levels: int) -> bool:
    """Does a JSON value have more levels of lists and maps?"""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    if not levels:
        return isinstance(value, dict | list | tuple)
    return any(deeper_than(part, levels - 1) for part in inner)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
