"""What a measurement says, and how samples become one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["ok", "MISS", "-"]


class NotMeasured(Exception):
    """A row could not be measured; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. ``floor`` is in the same unit, ``floor_is`` says of what. ``limit`` bounds the value,
    ``ratio_limit`` value / floor; without either the line only informs. ``of`` says of how many samples."""

    what: str
    value: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    limit: float | None = None
    ratio_limit: float | None = None
    of: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor."""
        return self.value / self.floor if self.floor else None

    @property
    def verdict(self) -> Verdict:
        """Whether the targets are met."""
        if self.limit is None and self.ratio_limit is None:
            return "-"
        within = self.limit is None or self.value <= self.limit
        near = self.ratio_limit is None or (self.ratio is not None and self.ratio <= self.ratio_limit)
        return "ok" if within and near else "MISS"

    def as_json(self, row: str) -> dict[str, Any]:
        """For the record."""
        return {"row": row, **asdict(self), "ratio": self.ratio, "verdict": self.verdict}


def percentile(values: Sequence[float], q: float) -> float:
    """The nearest-rank percentile: at least ``q`` per cent of the values are at most this."""
    if not values:
        raise NotMeasured("no samples")
    return sorted(values)[max(0, math.ceil(len(values) * q / 100) - 1)]


def milliseconds(nanoseconds: float) -> float:
    """Nanoseconds as milliseconds."""
    return nanoseconds / 1e6
