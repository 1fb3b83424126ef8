"""The delays and time limits of one execution, one at a time for each path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from awf.engine.ports import Clock
from awf.engine.state import BLOCKS, ExecutionState, is_below
from awf.engine.stimuli import LimitDue, TimerFired
from awf.journal.events import InputRequired, StepRetrying, StepStarted

SHORTEST_LIMIT = 0.02
"""Seconds between looks at a budget of time: its clock may be set back, or go slower."""


class Timers:
    """``fired`` is called with what the timer was set for."""

    def __init__(self, clock: Clock, fired: Callable[[TimerFired | LimitDue], None]) -> None:
        self._clock = clock
        self._fired = fired
        self._limit: asyncio.TimerHandle | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._timers)

    def set(self, fact: StepStarted | StepRetrying | InputRequired, seconds: float) -> None:
        """Fire for this attempt of the step after so many seconds."""
        self.drop(fact.path)
        loop = asyncio.get_running_loop()
        self._timers[fact.path] = loop.call_later(
            max(0.0, seconds), self._fire, TimerFired(fact.path, fact.step, fact.attempt)
        )

    def set_deadline(self, fact: InputRequired, reached: int) -> None:
        """Fire when it is too late for an answer, if it ever is. ``reached``: the time of a later entry of the journal, or
        of this one; also where the clock has been set back, no more remains than from then on."""
        if fact.deadline is not None:
            self.set(fact, (fact.deadline - max(self._clock.now(), reached)) / 1_000_000)

    def set_limit(self, seconds: float | None) -> None:
        """Fire when a step that runs has gone over a budget of time; None: none can."""
        if self._limit is not None:
            self._limit.cancel()
        self._limit = None
        if seconds is not None:
            wait = max(SHORTEST_LIMIT, seconds)
            self._limit = asyncio.get_running_loop().call_later(wait, self._fired, LimitDue())

    def drop(self, path: str) -> None:
        """Forget the timer of a path."""
        timer = self._timers.pop(path, None)
        if timer is not None:
            timer.cancel()

    def drop_below(self, path: str) -> None:
        """Forget the timers of what is inside a block; all, for the empty path."""
        for waiting in [waiting for waiting in self._timers if not path or is_below(waiting, path)]:
            self.drop(waiting)

    def recover(self, state: ExecutionState) -> None:
        """Set those that were running when the engine before ended, to what remains of them."""
        now = max(self._clock.now(), state.at)
        for activity in state.activities.values():
            started = activity.started
            if started is None:
                continue
            if activity.question is not None and activity.asks:
                self.set_deadline(activity.question.fact, now)
            elif activity.retry_at is not None:
                self.set(started, (activity.retry_at - now) / 1_000_000)
            elif activity.kind in BLOCKS and activity.flying and started.timeout is not None:
                ran = min(max(0.0, (now - activity.attempt_at) / 1_000_000), started.timeout)
                self.set(started, started.timeout - ran)

    def _fire(self, fired: TimerFired) -> None:
        del self._timers[fired.path]
        self._fired(fired)
