from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.duration import LONGEST, duration_text, parse_duration


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "30s"), (90, "1m30s"), (0.5, "500ms"), (3600, "1h"), (5400, "1h30m"), (0, "0s"), (1.25, "1.25s")],
)
def test_durations_read_as_people_write_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.integers(min_value=0, max_value=int(LONGEST)), st.integers(min_value=0, max_value=999_999))
def test_what_is_printed_is_read_back(seconds: int, micros: int) -> None:
    total = seconds + micros / 1_000_000
    if total <= LONGEST:
        assert parse_duration(duration_text(total)) == pytest.approx(total, rel=1e-9, abs=1e-6)
