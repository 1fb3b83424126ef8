"""The rules of appending that hold for every store."""

from __future__ import annotations

from collections.abc import Sequence

from awf.errors import OwnershipLost, ReplayDiverged
from awf.journal.events import FINAL, Entry
from awf.journal.store import ExecutionStatus, Ownership

FINISHED: tuple[ExecutionStatus, ...] = ("completed", "failed", "cancelled")
UNFINISHED: tuple[ExecutionStatus, ...] = ("pending", "running")


def check_owner(ownership: Ownership, owner: str | None, fence: int) -> None:
    """Raises OwnershipLost unless ``owner`` and ``fence``, as the store has them, are those of ``ownership``."""
    if (owner, fence) != (ownership.owner, ownership.fence):
        raise OwnershipLost(
            f"execution {ownership.execution} is no longer owned by {ownership.owner} "
            f"(claim {ownership.fence}): its owner is {owner or 'nobody'} (claim {fence})"
        )


def check_entries(execution: str, last_seq: int, entries: Sequence[Entry]) -> None:
    """Raises ReplayDiverged unless the entries continue a journal that ends at ``last_seq``, and nothing follows a
    final one.
    """
    for expected, entry in enumerate(entries, last_seq + 1):
        if entry.seq != expected:
            raise ReplayDiverged(
                f"journal of execution {execution}: entry {entry.seq} cannot follow entry {expected - 1}"
            )
    if any(isinstance(entry.fact, FINAL) for entry in entries[:-1]):
        raise ReplayDiverged(f"journal of execution {execution}: entries follow the final one")


def accepted_before(execution: str) -> ReplayDiverged:
    """The error of accepting one id twice."""
    return ReplayDiverged(f"execution {execution} has been accepted before")
