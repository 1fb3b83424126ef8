from __future__ import annotations

import logging
from typing import Any

from awf.engine.complaints import Complaint


def test_a_fault_is_told_when_it_comes_when_it_changes_and_when_it_is_over(caplog: Any) -> None:
    complaint = Complaint(logging.getLogger("awf.test"), "waiting")
    with caplog.at_level(logging.INFO):
        complaint.over()
        for text in ("full", "full", "read-only", "full"):
            complaint.about(OSError(text))
        complaint.over()
        complaint.over()
        complaint.about(OSError("full"))
    assert [record.message for record in caplog.records] == [
        "waiting: full",
        "waiting: read-only",
        "waiting: full",
        "waiting no more: it works again",
        "waiting: full",
    ]
