from __future__ import annotations

import pytest

from fuzz.fuzzing import SECONDS

MARGIN = 120


def pytest_itemcollected(item: pytest.Item) -> None:
    """A target may take as long as it was asked to."""
    item.add_marker(pytest.mark.timeout(SECONDS + MARGIN))
