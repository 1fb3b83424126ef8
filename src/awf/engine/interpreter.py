"""One execution being run: take a stimulus, decide, append, perform.

The order is the promise: what was decided is appended to the journal before anything acts on it. While nothing can be
appended (the disk is full), nothing new starts, outcomes wait in memory, and the append is tried again until it works.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awf.domain.outcomes import Failed, Outcome
from awf.domain.sealing import Sealer
from awf.engine.decide import Core
from awf.engine.output import OutputBuffer
from awf.engine.ports import Clock, StepContext, StepRunner
from awf.engine.stimuli import Cancel, OutputArrived, Release, StepFinished, Stimulus, World
from awf.errors import StoreUnavailable
from awf.journal.events import (
    FINAL,
    CancelRequested,
    Entry,
    ExecutionReleased,
    ShellCommand,
    StepStarted,
    Stream,
)
from awf.journal.store import Ownership, Store

log = logging.getLogger("awf.engine")

RETRY_APPEND = 0.5
"""Seconds between tries to append while the store is unavailable."""

KILLED = frozenset({129, 130, 137, 143})
"""Exit codes of deaths by SIGHUP, SIGINT, SIGKILL, SIGTERM."""

KILLED_WAIT = 0.2
"""Seconds for which the verdict on such a death waits for the engine's own end."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What an interpreter works with. ``world`` gives the present moment as the core may see it; ``appended`` is
    called after every durable append (to wake viewers)."""

    store: Store
    runners: Mapping[str, StepRunner]
    clock: Clock
    world: Callable[[], World]
    appended: Callable[[], None]


class Interpreter:
    """Runs one owned execution until it is finished, released, or owned by somebody else."""

    def __init__(self, core: Core, ownership: Ownership, environment: Environment, sealer: Sealer) -> None:
        self._core = core
        self._ownership = ownership
        self._env = environment
        self._sealer = sealer
        self._inbox: asyncio.Queue[Stimulus] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancel = asyncio.Event()
        self._intents: list[int] = []
        self._cancel_asked = False
        self._leaving = False
        self._abandoning = asyncio.Event()

    @property
    def execution(self) -> str:
        """The id of what it runs."""
        return self._ownership.execution

    def folds(self, intent: int) -> None:
        """The next append takes this intent out of the store."""
        self._intents.append(intent)

    def cancel(self, intent: int | None = None) -> None:
        """Somebody asked for the execution to end; safe at any time, and twice."""
        if intent is not None:
            self.folds(intent)
        self._cancel_asked = True
        self._inbox.put_nowait(Cancel())

    def leave(self) -> None:
        """Let the step in flight finish and be recorded, start nothing more, and release the execution."""
        self._leaving = True

    async def abandon(self) -> None:
        """End the steps in flight without judging them, and release the execution: recovery decides."""
        self._abandoning.set()
        await self._end_tasks()
        self._inbox.put_nowait(Release())

    async def run(self, first: Sequence[Stimulus]) -> None:
        """Run from the first stimuli to the end. What a step or the disk does becomes a fact or a retry.

        Raises OwnershipLost where somebody else owns the execution by now; anything else raised is a bug."""
        try:
            world = self._env.world()
            for stimulus in first:
                self._core.decide(stimulus, world)
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
            self._core.decide(stimulus, world)
            if self._inbox.empty():
                return
            stimulus = self._inbox.get_nowait()

    async def _append(self, entries: list[Entry]) -> None:
        intents, self._intents = self._intents, []
        while True:
            try:
                await self._env.store.append(self._ownership, entries, intents=intents)
            except StoreUnavailable as error:
                log.warning("execution %s waits to be recorded: %s", self.execution, error)
                if self._cancel_asked:
                    # A cancel ends the processes even while nothing can be recorded.
                    self._cancel.set()
                await asyncio.sleep(RETRY_APPEND)
            else:
                self._env.appended()
                return

    def _perform(self, entries: list[Entry]) -> bool:
        """Act on what is durable now; True when there is nothing left to do."""
        for entry in entries:
            fact = entry.fact
            if isinstance(fact, StepStarted):
                self._start(fact)
            elif isinstance(fact, CancelRequested):
                self._cancel.set()
            elif isinstance(fact, (*FINAL, ExecutionReleased)):
                return True
        return False

    # Steps

    def _start(self, fact: StepStarted) -> None:
        if fact.refused:
            self._inbox.put_nowait(
                StepFinished(fact.path, Failed(fact.refused, exit_code=126), self._leaving)
            )
            return
        self._tasks[fact.path] = asyncio.create_task(self._attempt(fact))

    async def _attempt(self, fact: StepStarted) -> None:
        buffer = OutputBuffer(lambda *piece: self._written(fact.path, *piece), self._sealer)
        outcome: Outcome
        runner = self._env.runners.get(fact.kind)
        if runner is None:
            outcome = Failed(f"no runner for steps of type '{fact.kind}'", exit_code=126)
        else:
            try:
                outcome = await runner.run(self._unsealed(fact), self._context(), buffer.write, self._cancel)
            except Exception as error:
                log.exception("execution %s, step %s: the runner failed", self.execution, fact.state)
                outcome = Failed(
                    f"internal error in the runner of '{fact.kind}' steps: {error!r}", exit_code=126
                )
        outcome = buffer.close(outcome)
        if outcome.exit_code in KILLED and not self._cancel.is_set():
            # A reboot, or a service manager, ends steps and engine at the same moment: see whether this is one.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._abandoning.wait(), KILLED_WAIT)
        if self._abandoning.is_set():
            return
        self._tasks.pop(fact.path, None)
        self._inbox.put_nowait(StepFinished(fact.path, outcome, self._leaving))

    def _written(self, path: str, stream: Stream, text: str, truncated: bool) -> None:
        self._inbox.put_nowait(OutputArrived(path, stream, text, truncated))

    def _unsealed(self, fact: StepStarted) -> StepStarted:
        if not self._sealer or fact.command is None:
            return fact
        unseal = self._sealer.unseal
        return StepStarted(
            step=fact.step,
            state=fact.state,
            path=fact.path,
            attempt=fact.attempt,
            attempt_id=fact.attempt_id,
            kind=fact.kind,
            command=ShellCommand(
                script=unseal(fact.command.script),
                variables=tuple((name, unseal(value)) for name, value in fact.command.variables),
            ),
            dir=unseal(fact.dir),
            env={name: unseal(value) for name, value in fact.env.items()},
            timeout=fact.timeout,
        )

    def _context(self) -> StepContext:
        accepted = self._core.state.accepted
        return StepContext(
            execution=self.execution,
            workflow=accepted.workflow,
            inputs=self._core.inputs,
            environ=self._env.world().environ,
            working_dir=accepted.working_dir,
        )

    async def _end_tasks(self) -> None:
        """Nothing may run on behalf of an execution that this interpreter has let go."""
        self._cancel.set()
        if self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def real_inputs(masked: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with the real values of the secret ones."""
    return {**masked, **secrets}
