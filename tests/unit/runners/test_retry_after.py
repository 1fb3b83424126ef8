from __future__ import annotations

import pytest

from awf.runners.retry_after import retry_after

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"retry-after": " 0 "}, 0),
        ({"Retry-After": "99999999999999999999999"}, 86400),
        ({"Retry-After": "Wed, 21 Oct 2026 07:29:30 GMT", "Date": DATE}, 90),
        ({"Retry-After": DATE, "date": "Wed, 21 Oct 2026 07:29:30 GMT"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2020 07:29:30 GMT"}, 0),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_when_to_ask_again(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
