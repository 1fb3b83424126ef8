"""Times in queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.server.problems import Refused
from awf.server.queries import instant
from awf.server.rows import microseconds, moment

ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES))
def test_every_time_is_read_as_it_is_written(at: datetime) -> None:
    assert instant("since", at.isoformat()) == microseconds(at)
    assert moment(microseconds(at)) == at


@given(st.text(max_size=30))
def test_whatever_else_is_written_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="invalid query parameter: since ") as caught:
        instant("since", text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.5Z", -500_000),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("1970-01-01T00:59:60Z", 3_600_000_000),
        ("1970-01-01T01:00:00-00:30", 5_400_000_000),
    ],
)
def test_fractions_leap_seconds_and_offsets(text: str, expected: int) -> None:
    assert instant("since", text) == expected


def test_times_on_the_wire_are_utc() -> None:
    assert moment(1_770_000_000_123_456) == datetime(2026, 2, 2, 2, 40, 0, 123456, tzinfo=UTC)
