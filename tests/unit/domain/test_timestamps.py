import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.timestamps import duration_text, parse_rfc3339, rfc3339


def test_whole_seconds_have_no_fraction() -> None:
    assert rfc3339(1_779_050_340_000_000) == "2026-05-17T20:39:00Z"
    assert rfc3339(1_779_050_340_000_001) == "2026-05-17T20:39:00.000001Z"


@given(st.integers(0, 4_000_000_000_000_000))
def test_text_and_number_are_inverse(moment: int) -> None:
    assert parse_rfc3339(rfc3339(moment)) == moment


def test_offsets_are_understood() -> None:
    assert parse_rfc3339("2026-05-17T22:39:00+02:00") == parse_rfc3339("2026-05-17T20:39:00Z")


@pytest.mark.parametrize(
    "text", ["yesterday", "", "2026-05-17", "2026-05-17T20:39:00", "2026-13-17T20:39:00Z"]
)
def test_what_is_no_rfc_3339_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|offset"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (30, "30s"),
        (0.5, "500ms"),
        (0.0015, "1.5ms"),
        (90, "1m30s"),
        (7200, "2h0m0s"),
        (1.25, "1.25s"),
        (0, "0s"),
    ],
)
def test_durations_read_like_go_prints_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
