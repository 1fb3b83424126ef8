"""The attempts and hooks of one execution that are being run: each is a task, which hears what its step says, and tells how
it ended. What is to be run has been recorded before."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from awf.domain.outcomes import KILLED, Failed, Outcome, Usage
from awf.domain.sealing import Sealer
from awf.engine.cancel import Cancel
from awf.engine.decide import Core
from awf.engine.hooks import TIMEOUT as HOOK_TIMEOUT
from awf.engine.output import Heard, OutputBuffer
from awf.engine.ports import Emit, Environment, StepContext, Tell
from awf.engine.state import is_below
from awf.engine.stimuli import HookEnded, MessageArrived, OutputArrived, StepFinished, Stimulus
from awf.engine.unseal import unsealed
from awf.journal.events import HookStarted, StepAdopted, StepStarted, Stream
from awf.journal.messages import Block, Role

log = logging.getLogger("awf.engine")

LONGEST_HOOK_OUTPUT = 4096
"""Characters of a hook's output that are kept."""

KILLED_WAIT = 0.2
"""Seconds for which the verdict on such a death waits for the engine's own end."""


class InFlight:
    """``post`` is called with what the core is to decide about: pieces of output, messages, ends. ``leaving``: the engine
    is about to let the execution go. Once ``abandoning`` is set, the end of nothing is told any more; ``spent``: what it had
    cost by then, by path."""

    def __init__(
        self,
        core: Core,
        environment: Environment,
        sealer: Sealer,
        execution: str,
        post: Callable[[Stimulus], None],
    ) -> None:
        self._core = core
        self._env = environment
        self._sealer = sealer
        self._execution = execution
        self._post = post
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancels: dict[str, Cancel] = {}
        self._detached: dict[str, str] = {}
        self.leaving = False
        self.abandoning = asyncio.Event()
        self.spent: dict[str, Usage] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, fact: StepStarted) -> None:
        """Run an attempt."""
        if fact.refused:
            refused = Failed(fact.refused, exit_code=126, permanent=True)
            self._post(StepFinished(fact.path, refused, self.leaving))
            return
        if fact.detach:
            self._detached[fact.path] = fact.attempt_id
        self._launch(fact.path, lambda cancel: self._attempt(fact, cancel))

    def adopt(self, adopted: StepAdopted) -> None:
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

    def start_hook(self, fact: HookStarted) -> None:
        """Run one command of a hook."""
        if fact.refused or fact.command is None:
            self._post(HookEnded(fact.path, Failed(fact.refused, exit_code=126)))
            return
        self._launch(f"{fact.path}/@{fact.hook}", lambda cancel: self._hook(fact, cancel))

    def end_below(self, path: str) -> None:
        """End the processes of what is inside a block; of everything, for the empty path."""
        for running, cancel in self._cancels.items():
            if not path or is_below(running, path):
                cancel.set()

    def recorded(self, path: str) -> None:
        """How an attempt ended is durable: what was kept of it for another engine is not needed any more."""
        attempt = self._detached.pop(path, None)
        if attempt is not None:
            self._env.attempts.forget([attempt])

    async def abandon(self, *, everything: bool) -> None:
        """End all without judging it; detached steps go on, unless ``everything`` is to end."""
        self.abandoning.set()
        if everything:
            self.end_below("")
            detached = [task for path, task in self._tasks.items() if path in self._detached]
            await asyncio.gather(*detached, return_exceptions=True)
            self._env.attempts.forget(list(self._detached.values()))
        await self.end_all()
        if not everything:
            # Of a detached step that was being ended, the next owner reads the same.
            for path in self._detached:
                self.spent.pop(path, None)

    def end(self, path: str) -> None:
        """End the process of an attempt."""
        if path in self._cancels:
            self._cancels[path].set()

    async def end_all(self) -> None:
        """Nothing may run on behalf of an execution that has been let go, but for detached steps that nobody has told to
        end: the next owner takes them over."""
        for path in self._detached:
            task, cancel = self._tasks.get(path), self._cancels.get(path)
            if task is not None and cancel is not None and not cancel.is_set():
                task.cancel()
        self.end_below("")
        if self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _launch(self, key: str, work: Callable[[Cancel], Coroutine[Any, Any, None]]) -> None:
        cancel = self._cancels[key] = Cancel()
        self._tasks[key] = asyncio.create_task(work(cancel))

    async def _attempt(
        self, fact: StepStarted, cancel: Cancel, adopted: tuple[float, Heard] | None = None
    ) -> None:
        ran, heard = adopted or (None, None)
        buffer = OutputBuffer(lambda *piece: self._written(fact.path, *piece), self._sealer, heard)
        tell = self._telling(fact.path, buffer, heard) if fact.agent is not None else None
        outcome = buffer.close(await self._perform_step(fact, buffer.write, cancel, ran, tell))
        if outcome.exit_code in KILLED and not cancel.is_set():
            # A reboot, or a service manager, ends steps and engine at the same moment: see whether this is one.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.abandoning.wait(), KILLED_WAIT)
        if not self.abandoning.is_set():
            self._forget(fact.path)
            self._post(StepFinished(fact.path, outcome, self.leaving))
        elif outcome.product is not None and outcome.product.usage is not None:
            self.spent[fact.path] = outcome.product.usage

    async def _hook(self, fact: HookStarted, cancel: Cancel) -> None:
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
        if not self.abandoning.is_set():
            self._forget(f"{fact.path}/@{fact.hook}")
            self._post(HookEnded(fact.path, outcome, "".join(written)[-LONGEST_HOOK_OUTPUT:]))

    async def _perform_step(
        self,
        fact: StepStarted,
        emit: Emit,
        cancel: Cancel,
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
            log.exception("execution %s, step %s: the runner failed", self._execution, fact.state)
            return Failed(f"internal error in the runner of '{fact.kind}' steps: {error!r}", exit_code=126)

    def _forget(self, key: str) -> None:
        self._tasks.pop(key, None)
        self._cancels.pop(key, None)

    def _written(self, path: str, stream: Stream, text: str, truncated: bool) -> None:
        self._post(OutputArrived(path, stream, text, truncated))

    def _telling(self, path: str, buffer: OutputBuffer, heard: Heard | None) -> Tell:
        """Takes messages; of an adopted attempt, whose messages come from the first again, those that are new."""
        known = heard.messages if heard is not None else 0

        def tell(role: Role, blocks: tuple[Block, ...]) -> None:
            nonlocal known
            buffer.flush()
            if known:
                known -= 1
            else:
                self._post(MessageArrived(path, role, blocks))

        return tell

    def _unsealed(self, fact: StepStarted) -> StepStarted:
        return unsealed(fact, self._sealer) if self._sealer else fact

    def _context(self, path: str, tell: Tell | None) -> StepContext:
        workflow, inputs = self._core.identity(path)
        context = StepContext(
            execution=self._execution,
            workflow=workflow,
            inputs=inputs,
            environ=self._env.environ,
            working_dir=self._core.state.accepted.working_dir,
        )
        if tell is None:
            return context
        unseal = self._sealer.unseal
        activity = self._core.state.activities[path]
        turns = tuple(replace(turn, text=unseal(turn.text)) for turn in activity.turns)
        return replace(
            context,
            turns=turns,
            called=activity.carried,
            tell=tell,
            afford=lambda usage: self._core.afford(path, usage),
        )
