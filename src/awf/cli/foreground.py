"""Running an execution in this process, over the store that servers and engines share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from awf.cli.breakpoints import Again, Breakpoints
from awf.cli.local import execution_record, journal_events
from awf.cli.prompt import Prompter, at_terminal
from awf.cli.view import Shown, choose_view, say
from awf.cli.watching import CANCELLED_STATUS, Listener, Questions, interruptions, report, watch
from awf.compose import (
    Layout,
    build_engine,
    build_service,
    kill_attempts,
    new_member,
    open_store,
    open_wakeups,
)
from awf.domain.workflow import Executable, InlineFailure, TerminalState, Workflow
from awf.engine.clock import SystemClock
from awf.engine.pinned import Definitions
from awf.engine.presence import Presence
from awf.errors import ExecutionError, InputsInvalid
from awf.journal.events import ExecutionAccepted, ExecutionCancelled, ExecutionCompleted, ExecutionFailed
from awf.journal.store import Ownership

if TYPE_CHECKING:
    from awf.dispatch.wakeups import Wakeups
    from awf.engine.ports import WorkflowFile
    from awf.engine.service import Service
    from awf.journal.events import AnyFact
    from awf.journal.store import ExecutionRow, Store
    from awf.settings import Settings

INTERRUPTED = "cancelling; a second Ctrl-C ends its processes at once"


class Manner(Struct, frozen=True):
    """How a run is shown and steered: ``shown`` None is live on a terminal. ``interactive``: stop before steps, at those in
    ``breakpoints``, or before every one."""

    shown: Shown | None = None
    interactive: bool = False
    breakpoints: Collection[str] = ()


async def run_here(settings: Settings, file: WorkflowFile, inputs: dict[str, Any], manner: Manner) -> int:
    """Run a workflow to its end, showing it; the exit status. Raises what ``Service.run`` raises."""
    async with contextlib.AsyncExitStack() as stack:
        here = await Foreground.open(settings, stack)
        return await here.run(await here.service.run_file(file, inputs, owner=here.owner), manner)


async def resume_here(
    settings: Settings, execution: str, wanted: Again, manner: Manner, *, latest: bool
) -> int:
    """Resume an execution and run it to its end, showing it; the exit status. Raises what ``Service.resume`` raises."""
    async with contextlib.AsyncExitStack() as stack:
        here = await Foreground.open(settings, stack)
        return await here.run(await here.resume(execution, wanted, latest=latest), manner)


class Foreground:
    """An engine for executions of our own, in this process; it takes nothing else on."""

    def __init__(
        self,
        settings: Settings,
        wakeups: Wakeups,
        presence: Presence,
        service: Service,
        definitions: Definitions,
    ) -> None:
        self.service = service
        self._settings = settings
        self._store = service.store
        self._wakeups = wakeups
        self._presence = presence
        self._definitions = definitions
        self._prompter = Prompter()

    @classmethod
    async def open(
        cls,
        settings: Settings,
        stack: contextlib.AsyncExitStack,
        store: Store | None = None,
        definitions: Definitions | None = None,
    ) -> Foreground:
        """Over a store, None: that of the project; it is closed with the stack. ``definitions`` says what pinned workflows
        are; None: what was pinned."""
        engines = Layout(settings.storage).engines
        store = store or open_store(settings)
        stack.push_async_callback(store.close)
        member = new_member(SystemClock(), engines, foreground=True)
        presence = Presence(engines, member)
        stack.callback(presence.release)
        wakeups = open_wakeups(settings, member, "engine")
        stack.callback(wakeups.close)
        service = build_service(settings, store, wakeups)
        return cls(settings, wakeups, presence, service, definitions or Definitions(store))

    @property
    def owner(self) -> str:
        """As whom we own executions."""
        return self._presence.member.id

    async def resume(self, execution: str, wanted: Again, *, latest: bool = False) -> str:
        """Accept what goes on where an execution ended, as ours."""
        return await self.service.resume(
            execution,
            from_step=wanted.from_step,
            overrides=dict(wanted.overrides),
            latest=latest,
            owner=self.owner,
        )

    async def run(self, execution: str, manner: Manner) -> int:
        """Run one that has just been accepted as ours to its end, and what a person at a breakpoint makes of it; the exit
        status."""
        while True:
            again = await self._run_one(execution, manner)
            if again is None:
                await report(execution, partial(execution_record, self.service, execution))
                return await self._status(execution)
            try:
                execution = await self.resume(execution, again)
            except InputsInvalid as error:
                say(error.message)
                execution = await self.resume(execution, Again(again.from_step))

    async def _run_one(self, execution: str, manner: Manner) -> Again | None:
        row = await self.service.execution(execution)
        shown = (manner.shown or "streaming") if manner.interactive else manner.shown
        view = choose_view(shown, execution)
        grown, cancels = _Grown(), set[asyncio.Task[None]]()

        async def cancel() -> None:
            await self.service.cancel(execution)

        async def answer(path: str, response: str) -> None:
            await self.service.respond(execution, response, path=path)

        gate = None
        if manner.interactive:
            secrets = [name for name, value in row.inputs.items() if value == "***"]
            gate = Breakpoints(manner.breakpoints, view, self._prompter, cancel, secrets)

        def appended() -> None:
            grown.look()
            self._wakeups.notify("server")

        engine = build_engine(
            self._settings,
            self._store,
            self._wakeups,
            self._presence,
            appended=appended,
            around=None if gate is None else gate.before,
            definitions=self._definitions,
        )
        self._wakeups.listen(engine.wake)

        def interrupted() -> None:
            if cancels:
                kill_attempts(engine.attempts)
            else:
                view.say(INTERRUPTED)
                cancels.add(asyncio.create_task(cancel()))

        listeners: list[Listener] = [] if gate is None else [gate]
        if at_terminal():
            listeners.append(Questions(view, self._prompter, answer))
        with interruptions(interrupted):
            events = journal_events(self._store, row, grown.wait, outputs=False)
            watching = asyncio.create_task(watch(events, view, *listeners))
            try:
                await engine.run_only(Ownership(execution, self.owner, 1))
            finally:
                self._wakeups.mute()
                grown.close()
                await watching
            await asyncio.gather(*cancels)
        return gate.again if gate is not None and (await self._row(execution)).status == "cancelled" else None

    async def _row(self, execution: str) -> ExecutionRow:
        return await self.service.execution(execution)

    async def _status(self, execution: str) -> int:
        """The exit status that the end of an execution stands for."""
        row = await self._row(execution)
        first = await self._store.journal(execution, limit=1)
        last = await self._store.journal(execution, after=row.last_seq - 1)
        accepted = first[0].fact
        assert isinstance(accepted, ExecutionAccepted)
        workflow = await self._definitions.workflow(accepted)
        return exit_status(last[-1].fact, workflow)


class _Grown:
    """Whether a journal may have grown since the last look."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._closed = False

    def look(self) -> None:
        """It may have."""
        self._woken.set()

    def close(self) -> None:
        """It does not any more."""
        self._closed = True
        self._woken.set()

    async def wait(self) -> bool:
        """Until it may have; False: never again."""
        await self._woken.wait()
        self._woken.clear()
        return not self._closed


def exit_status(fact: AnyFact | None, workflow: Workflow | None) -> int:
    """The exit status that the final fact stands for: the workflow's own choice where it made one."""
    match fact:
        case ExecutionCompleted(exit_code=code):
            return code
        case ExecutionCancelled():
            return CANCELLED_STATUS
        case ExecutionFailed(exit_code=code, state=name):
            known = workflow.states.get(name) if workflow is not None else None
            if isinstance(known, TerminalState):
                return ExecutionError.exit_status if known.exit_code is None else code
            failures = known.routing.after_failures if isinstance(known, Executable) else ()
            if any(isinstance(failure, InlineFailure) and failure.status == code for failure in failures):
                return code
    return ExecutionError.exit_status
