"""When a service wants to be asked again (RFC 9110, ``Retry-After``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 24 * 3600.0
"""Seconds; who asks for more is asked again after these."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by a response's header fields (names in any case); None where they do not say. A date counts from
    the response's own ``Date``, so that clocks need not agree."""
    fields = {name.lower(): value.strip() for name, value in headers.items()}
    wanted = fields.get("retry-after", "")
    if wanted.isascii() and wanted.isdigit():
        return min(float(wanted), LONGEST)
    moment = _moment(wanted)
    if moment is None:
        return None
    now = _moment(fields.get("date", "")) or datetime.now(UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST)


def sound_wait(seconds: object) -> float | None:
    """What a plug-in says of how long to wait; None where nobody can wait so long."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        return None
    return float(min(seconds, LONGEST))


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
