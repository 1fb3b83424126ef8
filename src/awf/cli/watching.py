"""A person at a terminal and one execution: its events shown, its questions asked, Ctrl-C passed on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import click

from awf.cli.access import Event
from awf.cli.options import again, current
from awf.cli.prompt import Prompter
from awf.cli.show import show_json
from awf.cli.unread import unread_is_dropped
from awf.cli.view import View
from awf.errors import AnswerInvalid, NotWaiting

if TYPE_CHECKING:
    from awf.server.schemas import ExecutionDetail

CANCELS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CANCELLED_STATUS = 130
"""What a shell says of a command that Ctrl-C ended."""

Answer = Callable[[str, str], Awaitable[None]]
"""Takes the path of a step that waits, and the response."""


class Listener(Protocol):
    """Hears what happens to an execution."""

    def hear(self, event: Event) -> None:
        """Something happened, and has been shown."""
        ...

    async def close(self) -> None:
        """Nothing more will happen."""
        ...


class Questions:
    """Asks the person at the terminal what steps wait for, one question at a time; who answers elsewhere first is heard."""

    def __init__(self, view: View, prompter: Prompter, answer: Answer) -> None:
        self._view = view
        self._prompter = prompter
        self._answer = answer
        self._asked: dict[str, asyncio.Task[None]] = {}

    def hear(self, event: Event) -> None:
        """Something happened: a question, or the end of one."""
        if event.name == "input.required" and not self._prompter.closed:
            self._asked[event.path] = asyncio.create_task(self._ask(event))
        elif event.name in {"input.received", "step.completed", "step.failed"} and event.path in self._asked:
            self._asked.pop(event.path).cancel()

    async def close(self) -> None:
        """Ask nothing more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _ask(self, event: Event) -> None:
        self._view.pause()
        try:
            response = await self._prompter.ask(
                f"{event.path}: {event.data['prompt']}", event.data["choices"]
            )
        finally:
            self._view.proceed()
        if response is None:
            return self._view.say(f"{event.path} goes on waiting; `{again()} respond` answers it")
        with contextlib.suppress(NotWaiting):
            try:
                await self._answer(event.path, response)
            except AnswerInvalid as error:
                self._view.say(error.message)
        return None


async def watch(events: AsyncIterator[Event], view: View, *listeners: Listener) -> Event | None:
    """Show events to the last one, and return that; ``listeners`` hear each after it has been shown."""
    last = None
    try:
        async for last in events:
            view.show(last)
            for listener in listeners:
                listener.hear(last)
    finally:
        for listener in listeners:
            await listener.close()
        view.close()
    return last


async def report(execution: str, record: Callable[[], Awaitable[ExecutionDetail]]) -> None:
    """What programs want to know of a run in the end: its ``record``, or its id alone."""
    options = current()
    with unread_is_dropped():
        if options.format == "json":
            show_json(await record())
        elif options.quiet:
            click.echo(execution)


@contextlib.contextmanager
def interruptions(handler: Callable[[], None]) -> Iterator[None]:
    """Call ``handler`` for every signal that asks for an end, as long as the block runs. One that was ignored when we were
    started (nohup) stays ignored."""
    loop = asyncio.get_running_loop()
    taken = [number for number in CANCELS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in taken:
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
