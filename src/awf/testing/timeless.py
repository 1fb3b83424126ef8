"""An event loop in which waiting takes no time: when nothing is ready, its clock jumps to the next timer.

What runs in it must wait for nothing outside of it (threads, processes, sockets).
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = 1_700_000_000_000_000
"""The loop's time 0 as microseconds since 1970."""


class Deadlock(AssertionError):
    """Everything waits, and no timer is set."""


class _Jumping(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise Deadlock("everything waits for something, and no timer is set")
        self.now += max(0.0, timeout)
        return super().select(0)


class TimelessLoop(asyncio.SelectorEventLoop):
    """See the module's docstring; also ``awf.engine.ports.Clock``, of the same time."""

    def __init__(self, start: float = 0.0, set_back: float = 0.0) -> None:
        """``start``: the time that it begins at, in seconds; ``set_back``: as a clock, it is so many seconds behind."""
        self._jumping = _Jumping()
        self._jumping.now = start
        self._set_back = set_back
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds."""
        return self._jumping.now

    def monotonic(self) -> float:
        """Seconds."""
        return self.time()

    def now(self) -> int:
        """Microseconds since the epoch."""
        return EPOCH + round((self.time() - self._set_back) * 1_000_000)


def run_timeless(main: Coroutine[Any, Any, T], loop: TimelessLoop) -> T:
    """Like ``asyncio.run``."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)
