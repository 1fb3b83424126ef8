"""The system clock. Tests pass ``awf.testing.clock.FakeClock`` instead."""

from __future__ import annotations

import time


class SystemClock:
    """``awf.engine.ports.Clock`` over the operating system's clocks."""

    def now(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()
