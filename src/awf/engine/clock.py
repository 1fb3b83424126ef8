"""The system clock, and one that nobody can set back. Tests pass ``awf.testing.clock.FakeClock`` for the former."""

from __future__ import annotations

import time

from awf.engine.ports import Clock


class SystemClock:
    """``awf.engine.ports.Clock`` over the operating system's clocks."""

    def now(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()


class Passing:
    """What time it is at least: where a clock is set back, as much time has passed since this was made all the same."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began, self._began_at = clock.monotonic(), clock.now()

    def now(self) -> int:
        """Microseconds since the epoch; never less than before."""
        passed = round((self._clock.monotonic() - self._began) * 1_000_000)
        return max(self._clock.now(), self._began_at + passed)
