"""A step runner that does what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded, Usage
from awf.engine.cancel import Cancel
from awf.engine.ports import Emit, StepContext
from awf.journal.events import StepStarted


class ScriptedRunner:
    """``awf.engine.ports.StepRunner`` by state name: a function from the fact to an outcome, or None to wait until
    ``release`` or a cancel. A state without a script succeeds at once. ``started`` lists the attempts, in order;
    ``costs``: what those of a state had cost that were cut short."""

    def __init__(
        self, scripts: dict[str, Callable[[StepStarted, Emit], Outcome | None]] | None = None
    ) -> None:
        self._scripts = scripts or {}
        self._gates: dict[str, asyncio.Future[Outcome]] = {}
        self._begun: dict[str, asyncio.Event] = {}
        self.started: list[StepStarted] = []
        self.contexts: list[StepContext] = []
        self.ended: list[str] = []
        self.adopted: list[tuple[StepStarted, float]] = []
        self.costs: dict[str, Usage] = {}

    async def run(self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel) -> Outcome:
        """See the class."""
        self.started.append(fact)
        self.contexts.append(context)
        self._event(fact.state).set()
        script = self._scripts.get(fact.state)
        outcome = script(fact, emit) if script else Succeeded()
        if outcome is not None:
            return outcome
        gate = self._gates.setdefault(fact.state, asyncio.get_running_loop().create_future())
        cancelled = asyncio.ensure_future(cancel.wait())
        waits: set[asyncio.Future[Any]] = {gate, cancelled}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        cancelled.cancel()
        return gate.result() if gate.done() else Cancelled()

    async def adopt(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel, ran: float
    ) -> Outcome:
        """Like ``run``; ``adopted`` lists these, with the seconds that they had run."""
        self.adopted.append((fact, ran))
        return await self.run(fact, context, emit, cancel)

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """Remember which were asked for."""
        self.ended += attempt_ids

    async def spent(self, fact: StepStarted) -> Usage | None:
        """What ``costs`` says of the state."""
        return self.costs.get(fact.state)

    async def begun(self, state: str) -> None:
        """Wait until an attempt of this state has started."""
        await self._event(state).wait()

    def release(self, state: str, outcome: Outcome | None = None) -> None:
        """Let a waiting attempt end."""
        gate = self._gates.setdefault(state, asyncio.get_running_loop().create_future())
        gate.set_result(outcome or Succeeded())

    def _event(self, state: str) -> asyncio.Event:
        return self._begun.setdefault(state, asyncio.Event())


class ScriptedKeeper:
    """``awf.engine.ports.AttemptKeeper`` in memory: ``adopts`` are the ids of attempts that can be taken over."""

    def __init__(self) -> None:
        self.adopts: set[str] = set()
        self.files: set[str] = set()
        self.closed = False

    def adoptable(self, attempt: str) -> bool:
        """See ``awf.engine.ports.AttemptKeeper``."""
        return attempt in self.adopts

    def kept(self) -> list[str]:
        """See ``awf.engine.ports.AttemptKeeper``."""
        return sorted(self.files)

    def forget(self, attempts: Collection[str]) -> None:
        """See ``awf.engine.ports.AttemptKeeper``."""
        self.files -= set(attempts)

    def sweep(self, owners: Collection[str]) -> None:
        """Nothing is kept for engines."""

    def close(self) -> None:
        """See ``awf.engine.ports.AttemptKeeper``."""
        self.closed = True


def wait(_fact: StepStarted, _emit: Emit) -> None:
    """A script: wait."""


def fail(error: str, code: int = 1) -> Callable[[StepStarted, Emit], Outcome]:
    """A script: fail like this."""
    return lambda _fact, _emit: Failed(error, code)


def write(text: str) -> Callable[[StepStarted, Emit], Outcome]:
    """A script: write this to stdout and succeed."""

    def script(_fact: StepStarted, emit: Emit) -> Outcome:
        emit("stdout", text, False)
        return Succeeded()

    return script
