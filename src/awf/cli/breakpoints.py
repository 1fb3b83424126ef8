"""``awf run --interactive``: a gate before the start of steps, in the engine in the foreground.

The gate stands before the runner, so that everything around it is real: the journal says when a step was started, a step
that is skipped has a record that says so, and time limits count from when it is let through. To run a step again, or with
another input, its execution is cancelled and resumed there: the record shows both.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from awf.cli.access import Event
from awf.cli.prompt import Prompter
from awf.cli.view import View
from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded
from awf.domain.suggest import did_you_mean
from awf.domain.workflow import CallState, LoopState, ParallelState, TerminalState, Workflow
from awf.errors import RequestInvalid

if TYPE_CHECKING:
    from awf.engine.cancel import Cancel
    from awf.engine.ports import Emit, StepContext, StepRunner
    from awf.journal.events import StepStarted

BEFORE = ("continue", "skip", "inspect", "edit", "retry", "abort")
AFTER = ("continue", "inspect", "edit", "retry", "abort")

LONGEST = 2000
"""Characters of a value that is inspected."""


class Again(Struct, frozen=True):
    """The execution is to go on anew from a step (``from_step`` as of a resume), with these inputs replaced."""

    from_step: str
    overrides: Mapping[str, Any] = field(default_factory=dict)


def check_names(names: Collection[str], workflow: Workflow) -> None:
    """A run that would never stop where it is meant to is not begun. Paths (``each[1]/one``), and the names that there may be
    in sub-workflows, are taken as they are. Raises RequestInvalid."""
    if any(isinstance(state, CallState) for state in workflow.states.values()):
        return
    never = (LoopState, ParallelState, TerminalState)  # what runs is in them, or nothing
    steps = [each for each, state in workflow.states.items() if not isinstance(state, never)]
    for name in names:
        if name not in steps and not {"/", "["} & set(name):
            why = "nothing stops at" if name in workflow.states else "step not found:"
            raise RequestInvalid(
                f"--breakpoint: {why} {name}{did_you_mean(name, steps)}", remedy=f"one of {', '.join(steps)}"
            )


class Breakpoints:
    """Where to stop, and what the person there wants. ``at`` has states or paths; empty: before every step.

    ``cancel`` asks for the execution's end. ``again`` is set where it is to go on anew after that.
    """

    def __init__(
        self,
        at: Collection[str],
        view: View,
        prompter: Prompter,
        cancel: Callable[[], Awaitable[None]],
        secrets: Collection[str] = (),
    ) -> None:
        self.again: Again | None = None
        self._at = frozenset(at)
        self._view = view
        self._prompter = prompter
        self._cancel = cancel
        self._secrets = secrets
        self._results: dict[str, str] = {}
        self._gate = asyncio.Lock()
        self._shown: dict[tuple[str, int], asyncio.Event] = {}

    def hear(self, event: Event) -> None:
        """What has been shown: who is asked about a step has seen that it starts."""
        if event.name == "step.started":
            self._seen(event.path, event.data["attempt"]).set()

    async def close(self) -> None:
        """Nothing more is shown."""
        for shown in self._shown.values():
            shown.set()

    def _seen(self, path: str, attempt: int) -> asyncio.Event:
        return self._shown.setdefault((path, attempt), asyncio.Event())

    def before(self, runner: StepRunner) -> StepRunner:
        """The runner behind the gate."""
        return _Gated(runner, self)

    async def pass_through(
        self,
        fact: StepStarted,
        context: StepContext,
        emit: Emit,
        cancel: asyncio.Event,
        run: Callable[[Emit], Awaitable[Outcome]],
    ) -> Outcome:
        """Perform an attempt as the person says."""
        if self._at and not self._at.intersection((fact.state, fact.path)):
            return await self._run(fact, emit, run)
        action = await self._ask(
            fact, context, cancel, BEFORE, f"{fact.path} is about to start: {_shown(fact)}"
        )
        if action == "skip":
            emit("stderr", "skipped by a person at a breakpoint\n", False)
            return Succeeded()
        if action != "continue":
            return await self._end(cancel)
        outcome = await self._run(fact, emit, run)
        if isinstance(outcome, Failed):
            error = f": {outcome.error}" if outcome.error else ""
            text = f"{fact.path} failed with exit code {outcome.exit_code}{error}"
            if await self._ask(fact, context, cancel, AFTER, text) != "continue":
                return await self._end(cancel)
        return outcome

    async def _run(self, fact: StepStarted, emit: Emit, run: Callable[[Emit], Awaitable[Outcome]]) -> Outcome:
        """Run it, and keep the end of what it writes for who inspects."""

        def heard(stream: Any, text: str, truncated: bool) -> None:
            if stream == "stdout":
                self._results[fact.path] = (self._results.get(fact.path, "") + text)[-LONGEST:]
            emit(stream, text, truncated)

        return await run(heard)

    async def _ask(
        self,
        fact: StepStarted,
        context: StepContext,
        cancel: asyncio.Event,
        actions: tuple[str, ...],
        text: str,
    ) -> str:
        """What the person wants; ``abort`` where the execution is ended meanwhile, or nobody is there any more."""
        async with self._gate:
            await _unless(cancel, self._seen(fact.path, fact.attempt).wait())
            self._view.pause()
            try:
                while not cancel.is_set():
                    action = await _unless(cancel, self._prompter.ask(text, actions)) or "abort"
                    if action == "inspect":
                        self._inspect(fact, context)
                    elif action == "edit":
                        changed = await _unless(cancel, self._edit(context))
                        if changed:
                            self.again = Again(fact.path, changed)
                            return "abort"
                    elif action == "retry":
                        self.again = Again("previous" if actions is BEFORE else fact.path)
                        return "abort"
                    else:
                        return action
            finally:
                self._view.proceed()
        return "abort"

    async def _end(self, cancel: asyncio.Event) -> Outcome:
        await self._cancel()
        await cancel.wait()
        return Cancelled()

    def _inspect(self, fact: StepStarted, context: StepContext) -> None:
        """Show what the step works with, without secret values."""
        from awf.cli.view import say

        say(f"step {fact.path}, attempt {fact.attempt}: {_shown(fact)}")
        for name, value in context.inputs.items():
            say(f"inputs.{name} = {'***' if name in self._secrets else _text(value)}")
        for path, output in self._results.items():
            say(f"states.{path}.Output = {_text(output.rstrip())}")

    async def _edit(self, context: StepContext) -> dict[str, Any] | None:
        """An input with another value, as a person types it; None where nothing is to change."""
        names = list(context.inputs)
        if not names:
            self._view.say("there is no input to change")
            return None
        name = await self._prompter.ask("Which input?", names)
        if name is None:
            return None
        value = await self._prompter.ask(f"inputs.{name}:")
        return None if value is None else {name: value}


class _Gated:
    """A runner that starts nothing before it has been let through; hooks, and what runs already, pass."""

    def __init__(self, runner: StepRunner, breakpoints: Breakpoints) -> None:
        self._runner = runner
        self._breakpoints = breakpoints

    async def run(self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel) -> Outcome:
        async def run(heard: Emit) -> Outcome:
            return await self._runner.run(fact, context, heard, cancel)

        if not fact.step:
            return await run(emit)
        return await self._breakpoints.pass_through(fact, context, emit, cancel, run)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)


async def _unless(ended: asyncio.Event, question: Any) -> Any:
    """The answer; None where the execution is ended meanwhile."""
    asking, ending = asyncio.ensure_future(question), asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait((asking, ending), return_when=asyncio.FIRST_COMPLETED)
        return asking.result() if asking.done() else None
    finally:
        for task in (asking, ending):
            task.cancel()
        await asyncio.gather(asking, ending, return_exceptions=True)


def _shown(fact: StepStarted) -> str:
    """What will be done, for people; secret values are masked in it."""
    if fact.command is not None:
        return fact.command.display or fact.command.script
    if fact.operation is not None:
        return fact.operation.display
    return f"type {fact.kind}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
