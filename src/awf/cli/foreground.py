"""Running an execution in this process, over the store that servers and engines share."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from awf.cli.follow import Follower, Shown
from awf.compose import (
    Layout,
    build_engine,
    build_service,
    ensure_engine,
    kill_attempts,
    new_member,
    open_store,
    open_wakeups,
)
from awf.domain.workflow import Executable, InlineFailure, TerminalState, Workflow
from awf.engine.clock import SystemClock
from awf.engine.presence import Presence
from awf.errors import ExecutionError
from awf.journal.events import ExecutionCancelled, ExecutionCompleted, ExecutionFailed
from awf.journal.store import Ownership

if TYPE_CHECKING:
    from awf.engine.ports import WorkflowFile
    from awf.journal.events import AnyFact
    from awf.settings import Settings

CANCELS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CANCELLED_STATUS = 130
"""What a shell says of a command that Ctrl-C ended."""


async def run_here(settings: Settings, file: WorkflowFile, inputs: dict[str, Any], shown: Shown) -> int:
    """Run a workflow to its end, showing it; the exit status. Raises what ``Service.run`` raises."""
    engines = Layout(settings.storage).engines
    async with contextlib.AsyncExitStack() as stack:
        store = open_store(settings)
        stack.push_async_callback(store.close)
        member = new_member(SystemClock(), engines, foreground=True)
        presence = Presence(engines, member)
        stack.callback(presence.release)
        wakeups = open_wakeups(settings, member, "engine")
        stack.callback(wakeups.close)
        service = build_service(settings, store, wakeups)
        execution = await service.run_file(file, inputs, owner=member.id)
        follower = Follower(store, execution, shown)

        def appended() -> None:
            follower.look()
            wakeups.notify("server")

        engine = build_engine(settings, store, wakeups, presence, appended=appended)
        wakeups.listen(engine.wake)
        asked: list[asyncio.Task[None]] = []

        def interrupted() -> None:
            if asked:
                kill_attempts(engine.attempts)
            asked.append(asyncio.create_task(service.cancel(execution)))

        with _signals(interrupted):
            following = asyncio.create_task(follower.run())
            await engine.run_only(Ownership(execution, member.id, 1))
            follower.close()
            await following
            await asyncio.gather(*asked)
        return _status(None if follower.last is None else follower.last.fact, file.loaded.workflow)


async def leave_to_engine(settings: Settings, file: WorkflowFile, inputs: dict[str, Any]) -> str:
    """Accept an execution, see to it that an engine lives, and return the execution's id. Raises what ``Service.run``
    raises."""
    async with contextlib.AsyncExitStack() as stack:
        store = open_store(settings)
        stack.push_async_callback(store.close)
        wakeups = open_wakeups(
            settings, new_member(SystemClock(), Layout(settings.storage).servers), "server"
        )
        stack.callback(wakeups.close)
        execution = await build_service(settings, store, wakeups).run_file(file, inputs)
        await asyncio.to_thread(ensure_engine, settings)
        return execution


@contextlib.contextmanager
def _signals(handler: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in CANCELS:
        # A signal that was ignored when we were started (nohup) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in CANCELS:
            loop.remove_signal_handler(number)


def _status(fact: AnyFact | None, workflow: Workflow | None) -> int:
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
            if isinstance(known, Executable) and isinstance(known.routing.on_failure, InlineFailure):
                return code
    return ExecutionError.exit_status
