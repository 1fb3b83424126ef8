"""Times as people write them on a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from awf.errors import RequestInvalid

_AGO = re.compile(r"(?:\d+[smhdw])+")
_PART = re.compile(r"(\d+)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def moment_of(option: str, text: str | None, now: datetime | None = None) -> datetime | None:
    """A point in time, in UTC: a date, a date and time (of the local time zone where it names none), or how long ago
    (``90s``, ``2h``, ``1d12h``). None for none. Raises RequestInvalid."""
    if text is None:
        return None
    try:
        if _AGO.fullmatch(text):
            seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
            return (now or datetime.now(UTC)) - timedelta(seconds=seconds)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RequestInvalid(
            f"{option}: {text!r} is not a time; give a date (2026-05-17), a date and time (2026-05-17T20:39), or how long "
            "ago (30m, 2h, 7d)"
        ) from None
