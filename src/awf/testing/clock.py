"""A clock that stands still until it is told to go on, or back."""

from __future__ import annotations


class FakeClock:
    """``awf.engine.ports.Clock`` for tests."""

    def __init__(self, now: int = 1_700_000_000_000_000) -> None:
        self._now = now
        self._passed = 0.0

    def now(self) -> int:
        """Microseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that have passed, whatever the clock was set to."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += round(seconds * 1_000_000)
        self._passed += seconds

    def set_back(self, seconds: float) -> None:
        """Somebody sets the clock of the machine back; no time passes."""
        self._now -= round(seconds * 1_000_000)
