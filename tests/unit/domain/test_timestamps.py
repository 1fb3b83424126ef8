import pytest

from awf.domain.timestamps import duration_text, rfc3339


def test_whole_seconds_have_no_fraction() -> None:
    assert rfc3339(1_779_050_340_000_000) == "2026-05-17T20:39:00Z"
    assert rfc3339(1_779_050_340_000_001) == "2026-05-17T20:39:00.000001Z"


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
