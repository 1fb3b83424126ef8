from __future__ import annotations

import pytest

from awf.domain.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1", 1),
        (" 12 ", 12),
        ("1k", 1024),
        ("2 KB", 2048),
        ("3KiB", 3072),
        ("1.5m", 1572864),
        ("1GB", 1 << 30),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "KB", "1TB", "1 0", "1e3", "ten", "1.", "9" * 50])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="invalid size: "):
        parse_size(text)
