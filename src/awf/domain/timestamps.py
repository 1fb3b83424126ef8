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
