"""Times and durations as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(microseconds: int) -> str:
    """``2026-05-17T20:39:00Z``, with a fraction only where the time has one."""
    text = (EPOCH + timedelta(microseconds=microseconds)).isoformat()
    return text.removesuffix("+00:00") + "Z"


def duration_text(seconds: float) -> str:
    """A duration as Go prints it: ``500ms``, ``30s``, ``1m30s``, ``2h0m0s``."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.3f}".rstrip("0").rstrip(".") + "ms"
    whole, fraction = divmod(round(seconds, 3), 1)
    minutes, rest = divmod(int(whole), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest}" + (f"{fraction:.3f}"[1:].rstrip("0") if fraction else "") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
