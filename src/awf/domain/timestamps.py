"""Times between integers and text: microseconds since the epoch, and RFC 3339 in UTC with ``Z``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(microseconds: int) -> str:
    """``2026-05-17T20:39:00Z``, with a fraction only where the time has one."""
    text = (EPOCH + timedelta(microseconds=microseconds)).isoformat()
    return text.removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> int:
    """Microseconds since the epoch. Raises ValueError where the text is no RFC 3339 date and time with an offset."""
    if len(text) < 20 or text[10] not in "Tt ":
        raise ValueError(f"{text!r} is not an RFC 3339 time such as 2026-05-17T20:39:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an RFC 3339 time such as 2026-05-17T20:39:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write 2026-05-17T20:39:00Z or 2026-05-17T22:39:00+02:00")
    return (moment - EPOCH) // timedelta(microseconds=1)


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
