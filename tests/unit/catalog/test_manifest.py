from __future__ import annotations

import pytest

from awf.catalog.manifest import suits_version


@pytest.mark.parametrize(
    ("constraint", "suits"),
    [
        (">=0.5.0", True),
        (">= 0.11", True),
        (">0.11.0", False),
        ("<0.11.0", False),
        ("<=0.11.0", True),
        ("0.11.0", True),
        ("=0.11", True),
        ("!=0.11.0", False),
        ("^0.11.0", True),
        ("^0.10.0", False),
        ("~0.11.0", True),
        ("~0.10.0", False),
        ("~>0.10", True),
        (">=0.5.0, <1.0.0", True),
        (">=0.5.0 <0.6.0", False),
        ("<0.1.0 || >=0.9", True),
        ("0.11.x", True),
        ("*", True),
        ("v0.11.0", True),
        ("", None),
        ("soon", None),
        (">=", None),
        (">=1 ||", None),
    ],
)
def test_versions_meet_constraints(constraint: str, suits: bool | None) -> None:
    assert suits_version(constraint, (0, 11, 0)) is suits
