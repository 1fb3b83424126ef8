"""One execution being run: take a stimulus, decide, append, perform.

The order is the promise: what was decided is appended to the journal before anything acts on it. While nothing can be
appended (the disk is full), nothing new starts, outcomes wait in memory, and the append is tried again until it works.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awf.domain.outcomes import KILLED, Failed, Outcome
from awf.domain.sealing import Sealer
from awf.engine.complaints import Complaint
from awf.engine.decide import Core
from awf.engine.hooks import TIMEOUT as HOOK_TIMEOUT
from awf.engine.lost import is_recorded
from awf.engine.output import Heard, OutputBuffer
from awf.engine.ports import AttemptKeeper, Clock, Emit, StepContext, StepRunner, Tell
from awf.engine.state import PROCESSLESS, is_below
from awf.engine.stimuli import (
    Cancel,
    HookEnded,
    Idle,
    Leave,
    MessageArrived,
    OutputArrived,
    Release,
    Respond,
    StepFinished,
    Stimulus,
    World,
)
from awf.engine.timers import Timers
from awf.engine.unseal import unsealed
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
    Stream,
    WorkflowClosing,
)
from awf.journal.messages import Block, Role, Turn
from awf.journal.store import Ownership, Store

log = logging.getLogger("awf.engine")

RETRY_APPEND = 0.5
"""Seconds between tries to append while the store is unavailable."""

LONGEST_HOOK_OUTPUT = 4096
"""Characters of a hook's output that are kept."""

KILLED_WAIT = 0.2
"""Seconds for which the verdict on such a death waits for the engine's own end."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What an interpreter works with. ``world`` gives the present moment as the core may see it; ``appended`` is
    called after every durable append (to wake viewers); ``slots`` bounds the running processes of the whole engine."""

    store: Store
    runners: Mapping[str, StepRunner]
    attempts: AttemptKeeper
    clock: Clock
    world: Callable[[], World]
    appended: Callable[[], None]
    slots: asyncio.Semaphore


class Interpreter:
    """Runs one owned execution until it is finished, released, or owned by somebody else."""

    def __init__(self, core: Core, ownership: Ownership, environment: Environment, sealer: Sealer) -> None:
        self._core = core
        self._ownership = ownership
        self._env = environment
        self._sealer = sealer
        self._inbox: asyncio.Queue[Stimulus | None] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancels: dict[str, asyncio.Event] = {}
        self._detached: dict[str, str] = {}
        self._timers = Timers(environment.clock, self._inbox.put_nowait)
        self._intents: list[int] = []
        self._cancel_asked = False
        self._leaving = False
        self._stays = False
        self._lost = False
        self._abandoning = asyncio.Event()

    @property
    def demand(self) -> int:
        """How many slots it needs: one per running process, none while it only waits for a delay."""
        if self._tasks:
            return len(self._tasks)
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
        self._abandoning.set()
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
        self._leaving = True
        self._inbox.put_nowait(Leave())

    async def abandon(self, *, everything: bool) -> None:
        """End the steps in flight without judging them, and release the execution: recovery decides. Detached steps go
        on, unless ``everything`` is to end."""
        self._abandoning.set()
        if everything:
            self._end_below("")
            self._env.attempts.forget(await self._end_detached())
        await self._end_tasks()
        self._inbox.put_nowait(Release())

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
            await self._end_tasks()

    async def _step(self) -> bool:
        """Append and perform what has been decided; True when the execution has been let go."""
        while entries := self._core.take():
            await self._append(entries)
            if self._perform(entries):
                return True
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
                self._env.appended()
                return

    def _perform(self, entries: list[Entry]) -> bool:
        """Act on what is durable now; True when there is nothing left to do."""
        for entry in entries:
            match entry.fact:
                case StepStarted() as fact:
                    self._start(fact)
                case StepAdopted() as fact:
                    self._adopt(fact)
                case HookStarted() as fact:
                    self._start_hook(fact)
                case StepRetrying() as fact:
                    self._drop_attempt(fact.path)
                    self._timers.set(fact, fact.delay)
                case InputRequired() as fact:
                    self._timers.set_deadline(fact, entry.at)
                case InputReceived(path=path):
                    self._timers.drop(path)
                case StepCompleted(path=path) | StepFailed(path=path):
                    self._drop_attempt(path)
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
        for running, cancel in self._cancels.items():
            if not path or is_below(running, path):
                cancel.set()
        self._timers.drop_below(path)

    # Steps and hooks

    def _start(self, fact: StepStarted) -> None:
        if fact.held is not None:
            return
        if fact.kind in PROCESSLESS:
            if fact.timeout is not None:
                self._timers.set(fact, fact.timeout)
        elif fact.refused:
            self._inbox.put_nowait(
                StepFinished(fact.path, Failed(fact.refused, exit_code=126), self._leaving)
            )
        else:
            if fact.detach:
                self._detached[fact.path] = fact.attempt_id
            self._launch(fact.path, lambda cancel: self._attempt(fact, cancel))

    def _adopt(self, adopted: StepAdopted) -> None:
        """Follow an attempt that another engine started: what is new of its output, and its end."""
        activity = self._core.state.activities[adopted.path]
        fact = activity.started
        assert fact is not None
        ran = (max(self._env.clock.now(), self._core.state.at) - activity.attempt_at) / 1_000_000
        heard = Heard(
            {stream: sum(map(len, texts)) for stream, texts in activity.written.items()},
            set(activity.cut),
            activity.messages,
        )
        self._detached[fact.path] = fact.attempt_id
        self._launch(fact.path, lambda cancel: self._attempt(fact, cancel, (ran, heard)))

    def _start_hook(self, fact: HookStarted) -> None:
        if fact.refused or fact.command is None:
            self._inbox.put_nowait(HookEnded(fact.path, Failed(fact.refused, exit_code=126)))
            return
        self._launch(f"{fact.path}/@{fact.hook}", lambda cancel: self._hook(fact, cancel))

    def _launch(self, key: str, work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        cancel = self._cancels[key] = asyncio.Event()
        self._tasks[key] = asyncio.create_task(work(cancel))

    async def _attempt(
        self, fact: StepStarted, cancel: asyncio.Event, adopted: tuple[float, Heard] | None = None
    ) -> None:
        ran, heard = adopted or (None, None)
        buffer = OutputBuffer(lambda *piece: self._written(fact.path, *piece), self._sealer, heard)
        tell = self._telling(fact.path, buffer, heard) if fact.agent is not None else None
        outcome = buffer.close(await self._perform_step(fact, buffer.write, cancel, ran, tell))
        if outcome.exit_code in KILLED and not cancel.is_set():
            # A reboot, or a service manager, ends steps and engine at the same moment: see whether this is one.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._abandoning.wait(), KILLED_WAIT)
        if not self._abandoning.is_set():
            self._forget(fact.path)
            self._inbox.put_nowait(StepFinished(fact.path, outcome, self._leaving))

    async def _hook(self, fact: HookStarted, cancel: asyncio.Event) -> None:
        assert fact.command is not None
        written: list[str] = []
        step = StepStarted(
            step=0,
            state=f"{fact.hook}[{fact.index}]",
            path=fact.path,
            attempt=fact.attempt,
            attempt_id=fact.attempt_id,
            kind="step",
            command=fact.command,
            timeout=HOOK_TIMEOUT,
        )
        outcome = await self._perform_step(
            step, lambda _stream, text, _truncated: written.append(text), cancel
        )
        if not self._abandoning.is_set():
            self._forget(f"{fact.path}/@{fact.hook}")
            self._inbox.put_nowait(HookEnded(fact.path, outcome, "".join(written)[-LONGEST_HOOK_OUTPUT:]))

    async def _perform_step(
        self,
        fact: StepStarted,
        emit: Emit,
        cancel: asyncio.Event,
        ran: float | None = None,
        tell: Tell | None = None,
    ) -> Outcome:
        runner = self._env.runners.get(fact.kind)
        if runner is None:
            return Failed(f"no runner for steps of type '{fact.kind}'", exit_code=126)
        try:
            context = self._context(fact.path, tell)
            if ran is not None:
                # It runs already: to follow it, or to end it, must not wait for a slot.
                return await runner.adopt(self._unsealed(fact), context, emit, cancel, ran)
            async with self._env.slots:
                return await runner.run(self._unsealed(fact), context, emit, cancel)
        except Exception as error:
            log.exception("execution %s, step %s: the runner failed", self.execution, fact.state)
            return Failed(f"internal error in the runner of '{fact.kind}' steps: {error!r}", exit_code=126)

    def _forget(self, key: str) -> None:
        self._tasks.pop(key, None)
        self._cancels.pop(key, None)

    def _written(self, path: str, stream: Stream, text: str, truncated: bool) -> None:
        self._inbox.put_nowait(OutputArrived(path, stream, text, truncated))

    def _telling(self, path: str, buffer: OutputBuffer, heard: Heard | None) -> Tell:
        """Takes messages; of an adopted attempt, whose messages come from the first again, those that are new."""
        known = heard.messages if heard is not None else 0

        def tell(role: Role, blocks: tuple[Block, ...]) -> None:
            nonlocal known
            buffer.flush()
            if known:
                known -= 1
            else:
                self._inbox.put_nowait(MessageArrived(path, role, blocks))

        return tell

    def _unsealed(self, fact: StepStarted) -> StepStarted:
        return unsealed(fact, self._sealer) if self._sealer else fact

    def _context(self, path: str, tell: Tell | None) -> StepContext:
        workflow, inputs = self._core.identity(path)
        context = StepContext(
            execution=self.execution,
            workflow=workflow,
            inputs=inputs,
            environ=self._env.world().environ,
            working_dir=self._core.state.accepted.working_dir,
        )
        if tell is None:
            return context
        unseal = self._sealer.unseal
        turns = self._core.state.activities[path].turns
        return dataclasses.replace(
            context, turns=tuple(Turn(turn.role, unseal(turn.text)) for turn in turns), tell=tell
        )

    def _drop_attempt(self, path: str) -> None:
        """How it ended is durable: what was kept of it for another engine is not needed any more."""
        attempt = self._detached.pop(path, None)
        if attempt is not None:
            self._env.attempts.forget([attempt])

    async def _end_detached(self) -> list[str]:
        """Wait for detached steps that have been told to end; the ids of their attempts."""
        tasks = [task for path, task in self._tasks.items() if path in self._detached]
        await asyncio.gather(*tasks, return_exceptions=True)
        return list(self._detached.values())

    async def _end_tasks(self) -> None:
        """Nothing may run on behalf of an execution that this interpreter has let go, but for detached steps that
        nobody has told to end: the next owner takes them over."""
        for path in self._detached:
            task, cancel = self._tasks.get(path), self._cancels.get(path)
            if task is not None and cancel is not None and not cancel.is_set():
                task.cancel()
        self._end_below("")
        if self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
