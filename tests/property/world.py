"""A scripted world: how each attempt and each hook ends is decided by a seed, whoever asks and however often.

An attempt is known by its path, by how many times that path has been entered, and by how many attempts failed before
it: a crash changes none of these, so a crashed execution meets the same world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Place = tuple[str, int, int]


@dataclass(frozen=True)
class Ended:
    """What an attempt or a hook did."""

    exit_code: int
    output: str


@dataclass(frozen=True)
class Script:
    """``failing`` is the percentage of attempts that fail."""

    seed: int
    failing: int = 30

    def step(self, place: Place) -> Ended:
        """How an attempt ends."""
        random = Random(f"{self.seed} step {place}")
        outputs: Sequence[str] = ("", "ok", "no")
        return Ended(
            (1 + random.randrange(3)) if random.randrange(100) < self.failing else 0, random.choice(outputs)
        )

    def answer(self, place: Place) -> str:
        """What a person says to an approval: ``timeout`` is nothing."""
        return ("approve", "reject", "timeout", "timeout")[self.step(place).exit_code]

    def hook(self, place: Place, hook: str, index: int) -> Ended:
        """How a hook's command ends."""
        random = Random(f"{self.seed} hook {place} {hook} {index}")
        return Ended(1 if random.randrange(100) < self.failing // 3 else 0, "")
