"""Regular expressions of ``matches``: RE2, whose time is linear in the text whatever the pattern is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from awf.domain.expressions.operators import scalar_text
from awf.domain.expressions.run import ExpressionFailure, Run
from awf.domain.problems import Position

Search: TypeAlias = Callable[[str], Any]

_COMPILE_STEPS = 200


class PatternInvalid(Exception):
    """Not a pattern of RE2; the argument says why."""


def compile_pattern(pattern: str) -> Search:
    """The unanchored search for a pattern. Raises PatternInvalid."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        search: Search = re2.compile(pattern, options).search
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if isinstance(error, re2.error) else "it is not valid text"
        raise PatternInvalid(reason.decode() if isinstance(reason, bytes) else str(reason)) from None
    return search


def search_text(run: Run, search: Search, value: Any, position: Position) -> bool:
    """Whether the pattern is found in the value; nil never matches."""
    if value is None:
        return False
    text = scalar_text(value, position, "matches")
    run.charge_text(len(text), position)
    try:
        return search(text) is not None
    except UnicodeEncodeError:
        raise ExpressionFailure("matches needs valid text", position) from None


def matches(run: Run, left: Any, right: Any, position: Position) -> bool:
    if left is None or right is None:
        return False
    pattern = scalar_text(right, position, "matches")
    run.charge(_COMPILE_STEPS + len(pattern), position)
    try:
        search = compile_pattern(pattern)
    except PatternInvalid as error:
        raise ExpressionFailure(f"invalid pattern: {error}", position) from None
    return search_text(run, search, left, position)
