"""Durations as workflow files write them: ``1m30s``, ``500ms``, ``30`` (seconds)."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),  # U+00B5, micro sign
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_NUMBER = r"(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})"
_PART = re.compile(rf"({_NUMBER})(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"\+?(?:{_PART.pattern})+")
_SECONDS = re.compile(rf"\+?({_NUMBER})")

LONGEST = 9_223_372_036.0
"""Seconds, about 292 years: what 64 bits of nanoseconds hold."""


def parse_duration(text: str) -> float:
    """The seconds that ``text`` means; a bare number is seconds. Raises ValueError, whose text says what is wrong."""
    trimmed = text.strip()
    if match := _SECONDS.fullmatch(trimmed):
        seconds = Decimal(match[1])
    elif _WHOLE.fullmatch(trimmed):
        seconds = sum((Decimal(number) * _UNITS[unit] for number, unit in _PART.findall(trimmed)), Decimal(0))
    else:
        raise ValueError(_refusal(trimmed))
    if seconds > LONGEST:
        raise ValueError(f"duration too long: {_shown(trimmed)}")
    return float(seconds)


def _refusal(text: str) -> str:
    if text.startswith("-"):
        return f"duration must not be negative: {_shown(text)}"
    return f"invalid duration: {_shown(text)} (write 500ms, 30s or 1m30s)"


def _shown(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
