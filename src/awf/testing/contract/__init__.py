"""What every store must do, as topics that a test runs against its own.

A topic is an async function that takes a constructor: a context manager that gives two handles on one fresh storage.
For a store that several processes can share they are two stores as two processes would have them; for one that
cannot, the same store twice.
"""

from __future__ import annotations

from awf.testing.contract import accepting, appending, filtering, owning, pruning, reading, sharing
from awf.testing.contract.topic import OpenStores, Topic

TOPICS: tuple[Topic, ...] = (
    *accepting.TOPICS,
    *owning.TOPICS,
    *appending.TOPICS,
    *reading.TOPICS,
    *filtering.TOPICS,
    *pruning.TOPICS,
    *sharing.TOPICS,
)

__all__ = ["TOPICS", "OpenStores", "Topic"]
