"""The engine: claims executions, runs a bounded number of them at once, obeys intents, takes over from the dead.

It is woken by hints and looks every second anyway. The newest living engine claims; an older one only finishes what
it runs. It lives while a server of its store lives, or work is running or pending. What another owner has taken from
it, it drops: at the next look, and at the latest when it wants to write.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from awf.domain.outcomes import Price
from awf.domain.workflow import Budget
from awf.engine.claiming import Claims
from awf.engine.clock import Passing
from awf.engine.complaints import Complaint
from awf.engine.flow import execution_of
from awf.engine.intents import Intents, marked_cancel, stimulus_of
from awf.engine.interpreter import Interpreter
from awf.engine.machine import Machine
from awf.engine.pinned import Definitions
from awf.engine.ports import AttemptKeeper, Clock, Environment, StepRunner
from awf.engine.presence import Presence, living
from awf.engine.retention import ALL, Retention, keep_pruning
from awf.engine.stimuli import Respond
from awf.engine.takeover import Takeover
from awf.errors import AwfError, OwnershipLost, StoreUnavailable
from awf.journal.store import Claim, Intent, Ownership, Store

log = logging.getLogger("awf.engine")

POLL = 1.0
"""Seconds between looks when no hint comes."""

MAINTAIN = 0.25
"""Seconds between looks at the store's upkeep while there is work."""


class Marks(Protocol):
    """Cancel requests that could not be written (see ``awf.dispatch.wakeups``)."""

    def cancel_marks(self) -> list[str]: ...

    def clear_mark(self, execution: str) -> None: ...


class EngineSettings(Struct, frozen=True):
    """``slots``: executions running at once. ``engines``, ``servers``: the presence directories of the store. ``tools``:
    the agents' providers that are processes of their own. ``budget``: what every execution may spend; ``prices`` of models."""

    slots: int
    engines: Path
    servers: Path
    stays: bool = False
    max_transitions: int = 10_000
    retention: Retention = ALL
    tools: Collection[str] = ()
    budget: Budget | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)


class Engine:
    """One engine process's work. ``run`` returns when there is no reason to live any more, or after ``stop``."""

    def __init__(
        self,
        *,
        store: Store,
        runners: Mapping[str, StepRunner],
        attempts: AttemptKeeper,
        clock: Clock,
        settings: EngineSettings,
        presence: Presence,
        marks: Marks,
        appended: Callable[[], None],
        environ: Mapping[str, str],
        definitions: Definitions | None = None,
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._clock = clock
        self._settings = settings
        self._presence = presence
        self._marks = marks
        machine = Machine(
            presence.member.id,
            environ,
            clock,
            settings.max_transitions,
            settings.tools,
            settings.budget,
            settings.prices,
        )
        environment = Environment(
            store=store,
            runners=runners,
            attempts=attempts,
            clock=clock,
            environ=machine.environ,
            world=machine.world,
            appended=appended,
            slots=asyncio.Semaphore(settings.slots),
        )
        passing = Passing(clock)
        self._claims = Claims(store, presence.member.id, settings.engines, passing)
        self._takeover = Takeover(environment, definitions or Definitions(store), machine.secrets, passing)
        self._running: dict[str, tuple[Interpreter | None, asyncio.Task[None]]] = {}
        self._slotless: set[str] = set()
        self._intents = Intents(store)
        self._woken = asyncio.Event()
        self._draining = False
        self._stopping = self._ending = False
        self._waiting = Complaint(log, "waiting for the store")
        self._foreground = False
        self._verified = clock.monotonic()

    @property
    def id(self) -> str:
        """The name under which it owns executions."""
        return self._presence.member.id

    @property
    def running(self) -> set[str]:
        """The executions that it has in hand."""
        return set(self._running)

    @property
    def attempts(self) -> list[str]:
        """The ids of the attempts whose processes may be running now."""
        found = (interpreter.attempts for interpreter, _ in self._running.values() if interpreter is not None)
        return [attempt for attempts in found for attempt in attempts]

    def wake(self) -> None:
        """Something may have changed."""
        self._woken.set()

    def drain(self) -> None:
        """Claim nothing more; let steps in flight finish, release their executions, then leave."""
        self._draining = True
        self._presence.drain()
        for interpreter, _ in self._running.values():
            if interpreter is not None:
                interpreter.leave()
        self.wake()

    def stop(self, *, everything: bool = False) -> None:
        """Claim nothing more, end the steps in flight without judging them, leave. Detached steps are left to the next
        engine, unless ``everything`` is to end."""
        self._draining = self._stopping = True
        self._ending = self._ending or everything
        self._presence.drain()
        self.wake()

    async def run_only(self, ownership: Ownership) -> None:
        """Run one execution that is ours already and has just been accepted, to its end; claim nothing."""
        self._foreground = True
        self._take(Claim(ownership=ownership, last_seq=1, previous=None), None)
        await self.run()

    async def run(self) -> None:
        """Work until there is no reason to live."""
        background = [asyncio.create_task(self._upkeep())]
        if not self._foreground:
            background.append(asyncio.create_task(self._prune()))
        try:
            await self._sweep()
            while not self._stopping and (self._running or self._takes_on):
                self._woken.clear()
                if await self._look():
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), POLL)
            await self._abandon()
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            self._attempts.close()

    async def _sweep(self) -> None:
        """Remove what engines before us kept of attempts that nobody will ask for."""
        try:
            self._attempts.sweep(await self._store.owners())
            kept: dict[str, list[str]] = {}
            for attempt in self._attempts.kept():
                kept.setdefault(execution_of(attempt), []).append(attempt)
            for execution, attempts in kept.items():
                if await self._is_over(execution):
                    self._attempts.forget(attempts)
        except StoreUnavailable as error:
            log.warning("what is left of old attempts stays for now: %s", error)

    async def _look(self) -> bool:
        """Obey intents, claim work; True when there is no reason to live."""
        try:
            await self._verify()
            await self._find_lost()
            await self._obey()
            if self._takes_on and self._claims.is_newest():
                await self._claim()
            idle = await self._is_idle()
        except StoreUnavailable as error:
            self._waiting.about(error)
            return False
        self._waiting.over()
        return idle

    async def _abandon(self) -> None:
        interpreters = [interpreter for interpreter, _ in self._running.values() if interpreter is not None]
        await asyncio.gather(*(interpreter.abandon(everything=self._ending) for interpreter in interpreters))
        tasks = [task for _, task in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=5)
            for task in late:
                task.cancel()

    async def _upkeep(self) -> None:
        complaint = Complaint(log, "upkeep of the store fails")
        while True:
            await asyncio.sleep(MAINTAIN)
            try:
                await self._store.maintain()
                complaint.over()
            except AwfError as error:
                complaint.about(error)

    async def _prune(self) -> None:
        await keep_pruning(
            self._store,
            self._clock,
            self._settings.retention,
            lambda: self._takes_on and self._claims.is_newest(),
        )

    # Ownership

    async def _verify(self) -> None:
        """Are we still there for the others, and is what we run still ours?"""
        if self._clock.monotonic() - self._verified < POLL:
            return
        self._verified = self._clock.monotonic()
        try:
            if self._presence.keep():
                log.warning("the presence file of engine %s had been removed; made it again", self.id)
        except OSError as error:
            log.warning("cannot make the presence file of engine %s again: %s", self.id, error)
        running = {
            id: interpreter for id, (interpreter, _) in self._running.items() if interpreter is not None
        }
        if not running:
            return
        held = await self._store.held(self.id)
        for execution, interpreter in running.items():
            if execution in self._running and held.get(execution) != interpreter.fence:
                interpreter.lose()

    # Reasons to live

    async def _is_idle(self) -> bool:
        if self._running:
            return False
        if not self._takes_on or not self._claims.is_newest():
            return True
        if self._settings.stays:
            return False
        return not living(self._settings.servers) and await self._store.unfinished() == 0

    # What it takes on

    @property
    def _takes_on(self) -> bool:
        """Does it take what it is not running yet?"""
        return not self._draining and not self._foreground

    async def _claim(self) -> None:
        demand = sum(
            1 if interpreter is None else interpreter.demand
            for execution, (interpreter, _) in self._running.items()
            if execution not in self._slotless
        )
        free = self._settings.slots - demand
        if free > 0:
            for claim in await self._claims.waiting(free):
                self._take(claim, None)

    async def _find_lost(self) -> None:
        for claim in await self._claims.lost(self._running) if self._takes_on else ():
            self._take(claim, None)

    def _take(self, claim: Claim, intent: Intent | None) -> None:
        execution = claim.ownership.execution
        if intent is not None and intent.kind == "cancel":
            self._slotless.add(execution)
        # What we lost and have again by now: its processes may still be ending.
        _, before = self._running.get(execution, (None, None))
        task = asyncio.create_task(self._execute(claim, intent, before))
        self._running[execution] = (None, task)

    async def _execute(self, claim: Claim, intent: Intent | None, before: asyncio.Task[None] | None) -> None:
        execution, task = claim.ownership.execution, asyncio.current_task()
        if before is not None:
            await asyncio.wait([before])
        try:
            prepared = await self._takeover.prepare(claim, intent)
            if prepared is not None:
                interpreter, first = prepared
                self._running[execution] = (interpreter, self._running[execution][1])
                if self._foreground:
                    interpreter.stay()
                if self._draining:
                    interpreter.leave()
                await interpreter.run(first)
        except OwnershipLost:
            log.warning("execution %s has another owner now; dropped", execution)
        except Exception as error:
            await self._takeover.give_up(claim, error)
        finally:
            if self._running[execution][1] is task:
                del self._running[execution]
                self._slotless.discard(execution)
                self._intents.forget(execution)
            self.wake()

    # Intents

    async def _obey(self) -> None:
        for intent in await self._intents.untold():
            interpreter, _ = self._running.get(intent.execution, (None, None))
            if interpreter is not None:
                stimulus = stimulus_of(intent)
                if isinstance(stimulus, Respond):
                    interpreter.respond(intent.id, stimulus)
                else:
                    interpreter.cancel(intent.id)
                self._intents.tell(intent)
            elif await self._take_for(intent):
                self._intents.tell(intent)
        for execution in self._marks.cancel_marks():
            interpreter, _ = self._running.get(execution, (None, None))
            if interpreter is not None:
                interpreter.cancel()
            elif await self._is_over(execution):
                self._marks.clear_mark(execution)
            else:
                await self._take_for(marked_cancel(execution, self._clock.now()))

    async def _take_for(self, intent: Intent) -> bool:
        """Claim what nobody runs, because somebody wants something of it. No slot is needed for that."""
        if intent.execution in self._running or not self._takes_on:
            return False
        if intent.kind == "respond" and not self._claims.is_newest():
            return False
        claims = await self._claims.one(intent.execution)
        for claim in claims:
            self._take(claim, intent)
        return bool(claims)

    async def _is_over(self, execution: str) -> bool:
        row = await self._store.execution(execution)
        return row is None or row.completed_at is not None
