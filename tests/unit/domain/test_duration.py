from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1.5h", 5400),
        ("1h2m3s", 3723),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("250μs", 0.00025),
        ("7ns", 7e-9),
        (".5s", 0.5),
        ("30", 30),
        ("1.5", 1.5),
        ("0", 0),
        ("0s", 0),
        ("+2s", 2),
        (" 3s ", 3),
    ],
)
def test_durations_as_go_writes_them_and_bare_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["", "s", "1x", "1 m", "1m 30s", "ten", "1e3s", "٣s", "1m30", "1.2.3s", "1h-2m"]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_duration(text)


def test_negative_and_endless_durations_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative: -5s"):
        parse_duration("-5s")
    with pytest.raises(ValueError, match="too long"):
        parse_duration("99999999999h")
    with pytest.raises(ValueError, match="…"):
        parse_duration("9" * 100_000)


@given(st.integers(0, 9999), st.integers(0, 59), st.integers(0, 59_999))
def test_the_parts_add_up(hours: int, minutes: int, millis: int) -> None:
    expected = hours * 3600 + minutes * 60 + millis / 1000
    assert parse_duration(f"{hours}h{minutes}m{millis}ms") == pytest.approx(expected, rel=1e-12)
