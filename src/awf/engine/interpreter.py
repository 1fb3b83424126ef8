"""One execution being run: take a stimulus, decide, append, perform.

The order is the promise: what was decided is appended to the journal before anything acts on it. While nothing can be
appended (the disk is full), nothing new starts, outcomes wait in memory, and the append is tried again until it works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from awf.domain.sealing import Sealer
from awf.engine.complaints import Complaint
from awf.engine.decide import Core
from awf.engine.inflight import InFlight
from awf.engine.lost import is_recorded
from awf.engine.ports import Environment
from awf.engine.state import PROCESSLESS
from awf.engine.stimuli import (
    Cancel,
    Idle,
    Leave,
    Release,
    Respond,
    Stimulus,
    World,
)
from awf.engine.timers import Timers
from awf.errors import OwnershipLost, StoreUnavailable
from awf.journal.events import (
    BlockEnding,
    CancelRequested,
    Entry,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionReleased,
    HookStarted,
    InputReceived,
    InputRequired,
    StepAdopted,
    StepCompleted,
    StepFailed,
    StepRetrying,
    StepStarted,
    WorkflowClosing,
)
from awf.journal.store import Ownership

log = logging.getLogger("awf.engine")

RETRY_APPEND = 0.5
"""Seconds between tries to append while the store is unavailable."""


class Interpreter:
    """Runs one owned execution until it is finished, released, or owned by somebody else."""

    def __init__(self, core: Core, ownership: Ownership, environment: Environment, sealer: Sealer) -> None:
        self._core = core
        self._ownership = ownership
        self._env = environment
        self._inbox: asyncio.Queue[Stimulus | None] = asyncio.Queue()
        self._inflight = InFlight(core, environment, sealer, ownership.execution, self._inbox.put_nowait)
        self._timers = Timers(environment.clock, self._inbox.put_nowait)
        self._intents: list[int] = []
        self._cancel_asked = False
        self._stays = False
        self._lost = False

    @property
    def demand(self) -> int:
        """How many slots it needs: one per running process, none while it only waits for a delay."""
        if self._inflight:
            return len(self._inflight)
        return 0 if self._timers and self._inbox.empty() else 1

    @property
    def execution(self) -> str:
        """The id of what it runs."""
        return self._ownership.execution

    @property
    def fence(self) -> int:
        """The number of the claim under which it runs."""
        return self._ownership.fence

    @property
    def attempts(self) -> list[str]:
        """The ids of the attempts in flight, those of hooks too."""
        state = self._core.state
        steps = [activity.started.attempt_id for activity in state.flying() if activity.started is not None]
        return steps + [hook.attempt_id for hook in state.hooks.values()]

    def lose(self) -> None:
        """Somebody else owns the execution by now: end its processes and write nothing more."""
        self._lost = True
        self._inflight.abandoning.set()
        self._inbox.put_nowait(None)

    def folds(self, intent: int) -> None:
        """The next append takes this intent out of the store."""
        self._intents.append(intent)

    def cancel(self, intent: int | None = None) -> None:
        """Somebody asked for the execution to end; safe at any time, and twice."""
        if intent is not None:
            self.folds(intent)
        self._cancel_asked = True
        self._inbox.put_nowait(Cancel())

    def respond(self, intent: int, answer: Respond) -> None:
        """A person answered a question of the execution."""
        self.folds(intent)
        self._inbox.put_nowait(answer)

    def stay(self) -> None:
        """Keep the execution also while only people can move it on."""
        self._stays = True

    def leave(self) -> None:
        """Let the step in flight finish and be recorded, start nothing more, and release the execution. Detached steps
        are left to the next engine."""
        self._inflight.leaving = True
        self._inbox.put_nowait(Leave())

    async def abandon(self, *, everything: bool) -> None:
        """End the steps in flight without judging them, and release the execution: recovery decides. Detached steps go
        on, unless ``everything`` is to end."""
        await self._inflight.abandon(everything=everything)
        self._inbox.put_nowait(Release(self._inflight.spent))

    async def run(self, first: Sequence[Stimulus]) -> None:
        """Run from the first stimuli to the end. What a step or the disk does becomes a fact or a retry.

        Raises OwnershipLost where somebody else owns the execution by now; anything else raised is a bug."""
        try:
            world = self._env.world()
            for stimulus in first:
                self._core.decide(stimulus, world)
            self._rest(world)
            self._timers.recover(self._core.state)
            while not await self._step():
                await self._stimuli()
        finally:
            self._timers.set_limit(None)
            await self._inflight.end_all()

    async def _step(self) -> bool:
        """Append and perform what has been decided; True when the execution has been let go."""
        while entries := self._core.take():
            await self._append(entries)
            over = self._perform(entries)
            # After the next step has begun: who watches can wait that long, and the step need not.
            self._env.appended()
            if over:
                return True
        self._timers.set_limit(self._core.due_in(self._env.world()))
        return False

    async def _stimuli(self) -> None:
        """Wait for one stimulus, then decide it and all that came with it: they share one append."""
        stimulus = await self._inbox.get()
        world = self._env.world()
        while True:
            if stimulus is None:
                raise self._loss()
            self._core.decide(stimulus, world)
            if self._inbox.empty():
                return self._rest(world)
            stimulus = self._inbox.get_nowait()

    def _rest(self, world: World) -> None:
        """Let the execution go if only people can move it on. Nothing that has come may be left undecided then."""
        if not self._stays:
            self._core.decide(Idle(), world)

    def _loss(self) -> OwnershipLost:
        return OwnershipLost(
            f"execution {self.execution} belongs to another owner than {self._ownership.owner}"
        )

    async def _append(self, entries: list[Entry]) -> None:
        intents, self._intents = self._intents, []
        complaint = Complaint(log, f"execution {self.execution} waits to be recorded")
        unsure = False
        while True:
            try:
                if not (unsure and await is_recorded(self._env.store, self.execution, entries)):
                    if self._lost:
                        raise self._loss()
                    await self._env.store.append(self._ownership, entries, intents=intents)
            except StoreUnavailable as error:
                unsure = True
                complaint.about(error)
                if self._cancel_asked:
                    # A cancel ends the processes even while nothing can be recorded.
                    self._end_below("")
                await asyncio.sleep(RETRY_APPEND)
            else:
                complaint.over()
                return

    def _perform(self, entries: list[Entry]) -> bool:
        """Act on what is durable now; True when there is nothing left to do."""
        for entry in entries:
            match entry.fact:
                case StepStarted() as fact:
                    self._start(fact)
                case StepAdopted() as fact:
                    self._inflight.adopt(fact)
                case HookStarted() as fact:
                    self._inflight.start_hook(fact)
                case StepRetrying() as fact:
                    self._inflight.recorded(fact.path)
                    self._timers.set(fact, fact.delay)
                case InputRequired() as fact:
                    if fact.turn is not None:
                        self._inflight.recorded(fact.path)
                    self._timers.set_deadline(fact, entry.at)
                case InputReceived(path=path):
                    self._timers.drop(path)
                    activity = self._core.state.activities.get(path)
                    if activity is not None and activity.stopped:
                        self._inflight.end(path)
                case StepCompleted(path=path) | StepFailed(path=path):
                    self._inflight.recorded(path)
                    self._timers.drop(path)
                case BlockEnding(path=path) | WorkflowClosing(path=path):
                    self._end_below(path)
                case CancelRequested():
                    self._end_below("")
                case ExecutionCompleted() | ExecutionFailed() | ExecutionCancelled() | ExecutionReleased():
                    return True
                case _:
                    pass
        return False

    def _end_below(self, path: str) -> None:
        """End the processes of what is inside a block, and forget its delays; of everything, for the empty path."""
        self._inflight.end_below(path)
        self._timers.drop_below(path)

    def _start(self, fact: StepStarted) -> None:
        if fact.held is not None or fact.asks:
            return
        if fact.kind not in PROCESSLESS:
            self._inflight.start(fact)
        elif fact.timeout is not None:
            self._timers.set(fact, fact.timeout)
