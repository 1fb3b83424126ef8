"""Asks a service of Chat Completions until its model has answered: what it wants called is called, and told to it.

A failure of the first round is the step's: its ``retry`` says what becomes of it. Later, when tools have been called, the
service is asked again here.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from awf.domain.outcomes import Usage
from awf.domain.timestamps import duration_text
from awf.runners.agents import functions
from awf.runners.agents.completions import Completion, Unavailable
from awf.runners.agents.functions import Functions
from awf.runners.agents.port import (
    Answer,
    Block,
    BudgetUsedUp,
    Event,
    Message,
    ProviderFailed,
    Request,
    Spent,
    Text,
    TextBlock,
)
from awf.runners.agents.results import CHARACTERS_PER_TOKEN

MOST_ROUNDS = 25
"""Requests of one attempt; the last must bring the answer."""

ENDLESS = "USER.MCP_PROXY.INFINITE_LOOP_GUARD"

MOST_RETRIES = 5
"""Times that one round is asked again."""

FIRST_WAIT = 1.0
"""Seconds before the first of them, where the service does not say; each further wait is twice as long."""

LONGEST_WAIT = 3600.0
"""Seconds that are waited in the middle of an attempt; where the service wants more, the attempt fails."""

Messages: TypeAlias = list[dict[str, Any]]
Ask: TypeAlias = Callable[[Messages, Callable[[Event], None]], Awaitable[Completion]]
"""Sends messages, and says the text of the answer and what it costs as they come. Raises ProviderFailed."""


class Rounds:
    """One attempt. ``messages`` is what is said first; it grows. ``say`` gets what happens."""

    def __init__(
        self,
        ask: Ask,
        messages: Messages,
        tools: Functions,
        say: Callable[[Event], None],
        request: Request,
    ) -> None:
        self._ask = ask
        self._messages = messages
        self._tools = tools
        self._say = say
        self._afford = request.afford
        self._called = bool(request.called)
        self._last = ""
        """The last character that the model has said."""
        self._apart = False
        """Does a new text begin?"""
        self._spent: Usage | None = None

    async def answer(self) -> Answer:
        """Raises ProviderFailed."""
        try:
            for number in range(1, MOST_ROUNDS + 1):
                found = await self._round()
                if not found.calls or not self._tools.declared:
                    if self._called:
                        self._say(Message("assistant", (TextBlock(found.text),)))
                    return Answer(text=found.text, usage=self._spent)
                if number < MOST_ROUNDS:
                    await self._call(found)
                    if self._spent is not None and not self._afford(self._spent):
                        raise BudgetUsedUp("a budget is used up between two rounds of tool calls")
        except ProviderFailed as failure:
            self._spend(failure.usage)
            failure.usage = self._spent
            raise
        message = f"mcp_proxy: no answer after {MOST_ROUNDS} rounds of tool calls [{ENDLESS}]"
        raise ProviderFailed(message, usage=self._spent)

    async def _round(self) -> Completion:
        """What the model says next."""
        for retry in itertools.count():
            self._apart = True
            try:
                found = await self._ask(self._messages, self._hear)
                break
            except Unavailable as failure:
                wait = FIRST_WAIT * 2**retry if failure.retry_after is None else failure.retry_after
                if not self._called or retry == MOST_RETRIES or wait > LONGEST_WAIT:
                    raise
                self._spend(failure.usage)
                again = f"{failure.message}; it is asked again in {duration_text(wait)}"
                self._say(Message("system", (TextBlock(again),)))
                await asyncio.sleep(wait)
        self._spend(found.usage or self._estimate(found))
        return found

    async def _call(self, found: Completion) -> None:
        blocks: list[Block] = [TextBlock(found.text)] if found.text else []
        self._say(Message("assistant", (*blocks, *map(self._tools.use, found.calls))))
        self._called = True
        self._messages.append(functions.asked(found.text, found.calls))
        self._messages += functions.answered(await self._tools.perform(found.calls, self._say))

    def _hear(self, event: Event) -> None:
        if isinstance(event, Text) and event.text:
            self._say(Text(self._set_apart(event.text)))
        elif isinstance(event, Spent):
            self._say(Spent(self._with(event.usage)))

    def _set_apart(self, text: str) -> str:
        if self._apart and self._last and not (self._last.isspace() or text[0].isspace()):
            text = "\n" + text
        self._apart, self._last = False, text[-1]
        return text

    def _spend(self, usage: Usage | None) -> None:
        if usage is not None:
            self._spent = self._with(usage)
            self._say(Spent(self._spent))

    def _with(self, usage: Usage) -> Usage:
        return usage if self._spent is None else self._spent + usage

    def _estimate(self, found: Completion) -> Usage | None:
        """Where a service does not count; without tools that is done for the whole attempt."""
        if not self._tools.declared:
            return None
        asked = sum(len(str(message)) for message in self._messages)
        said = len(found.text) + sum(len(call.name) + len(call.arguments) for call in found.calls)
        return Usage(input=asked // CHARACTERS_PER_TOKEN, output=said // CHARACTERS_PER_TOKEN, estimated=True)
