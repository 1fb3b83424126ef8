from __future__ import annotations

from datetime import UTC, datetime

import pytest

from awf.cli.times import moment_of
from awf.errors import RequestInvalid

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30m", datetime(2026, 5, 17, 11, 30, tzinfo=UTC)),
        ("1d12h", datetime(2026, 5, 16, 0, tzinfo=UTC)),
        ("2026-05-01T10:00:00+02:00", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01T10:00Z", datetime(2026, 5, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_moment(text: str, found: datetime) -> None:
    assert moment_of("--since", text, NOW) == found


def test_a_date_is_its_beginning_here() -> None:
    found = moment_of("--since", "2026-05-01", NOW)
    assert found is not None
    assert found.astimezone().strftime("%F %T") == "2026-05-01 00:00:00"


@pytest.mark.parametrize("text", ["", "soon", "12", "99999999999d", "2026-13-01"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(RequestInvalid, match="--since"):
        moment_of("--since", text, NOW)
