"""Runs the attempts of ``type: agent`` (workflow language, "Agents").

A command-line tool is a process that outlives the engine, and the next one follows it from the beginning of what it wrote. A
service is asked by the engine itself. Every failure is one of the step, and routable; a fault in a provider too.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from msgspec import Struct

from awf.domain.outcomes import Failed, Outcome, Usage, Written
from awf.domain.proxies import UNSUPPORTED_PROVIDER
from awf.domain.suggest import did_you_mean
from awf.engine.cancel import Cancel
from awf.engine.ports import Clock, Emit, StepContext
from awf.journal.events import StepStarted
from awf.runners.agents.bounds import sound
from awf.runners.agents.exchange import Exchange
from awf.runners.agents.port import (
    Answer,
    CommandLineProvider,
    McpServer,
    Provider,
    ProviderFailed,
    RemoteProvider,
    Request,
    Tools,
)
from awf.runners.agents.proxy import Proxy
from awf.runners.agents.results import sane
from awf.runners.agents.speech import Speech
from awf.runners.agents.tool import Tool, told
from awf.runners.attempts import Attempts
from awf.runners.environment import step_environment
from awf.runners.exits import done_or
from awf.runners.processes import end
from awf.runners.starting import CANNOT_START_EXIT, NOT_FOUND_EXIT

log = logging.getLogger("awf.engine")


def tools(providers: Mapping[str, Provider]) -> frozenset[str]:
    """The names of those that are processes of their own."""
    return frozenset(name for name, provider in providers.items() if not isinstance(provider, RemoteProvider))


def can_have_tools(provider: Provider) -> bool:
    """Can its agents be given tools by awf (``mcp_proxy``)?"""
    able = "uses_tools" if isinstance(provider, RemoteProvider) else "uses_mcp"
    return bool(getattr(provider, able, False))


class AgentRunner(Struct, frozen=True):
    """``providers`` by name. ``grace``: seconds between SIGTERM and SIGKILL. ``attempts``: where starts are noted, and where
    processes leave what the next engine needs. ``proxy`` gives them tools; None: it cannot."""

    providers: Mapping[str, Provider]
    grace: float
    clock: Clock
    attempts: Attempts
    proxy: Proxy | None = None

    async def run(self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel) -> Outcome:
        """See ``awf.engine.ports.StepRunner``."""

        async def work(provider: Provider, exchange: Exchange) -> Outcome:
            refused = self._without_tools(exchange) or _refusal(provider, exchange)
            if refused is not None:
                return refused
            if isinstance(provider, RemoteProvider):
                return await self._ask(provider, exchange, cancel)
            return await self._tool(provider, exchange, emit).run(cancel)

        return await self._with_provider(fact, context, emit, work)

    async def adopt(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel, ran: float
    ) -> Outcome:
        """See ``awf.engine.ports.StepRunner``."""

        async def work(provider: Provider, exchange: Exchange) -> Outcome:
            if isinstance(provider, RemoteProvider):
                return Failed(f"step '{fact.state}' ended with its engine", duration=ran)
            return await self._tool(provider, exchange, emit, ran).follow(None, cancel)

        return await self._with_provider(fact, context, emit, work)

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """See ``awf.engine.ports.StepRunner``."""
        leaders = await asyncio.to_thread(self.attempts.notes.leaders, attempt_ids)
        await end(attempt_ids, leaders, grace=self.grace)

    async def spent(self, fact: StepStarted) -> Usage | None:
        """See ``awf.engine.ports.StepRunner``. A tool has left what it wrote; of a service nothing is known."""
        call = fact.agent
        assert call is not None
        provider = self.providers.get(call.provider)
        if provider is None or isinstance(provider, RemoteProvider):
            return None
        request = Request(
            prompt=call.prompt, system_prompt=call.system_prompt, options=call.options, session=call.session
        )
        output = self.attempts.files(fact.attempt_id).stdout
        try:
            usage = await asyncio.to_thread(lambda: told(provider.parser(request), output))
        except FileNotFoundError:
            return None
        except (Exception, SystemExit) as error:
            _log(error, call.provider, f"attempt {fact.attempt_id}")
            return None
        return None if usage is None else sane(usage)

    async def _with_provider(
        self,
        fact: StepStarted,
        context: StepContext,
        emit: Emit,
        work: Callable[[Provider, Exchange], Awaitable[Outcome]],
    ) -> Outcome:
        call = fact.agent
        assert call is not None
        provider = self.providers.get(call.provider)
        if provider is None:
            known = ", ".join(sorted(self.providers))
            hint = did_you_mean(call.provider, self.providers) or (f" (there are {known})" if known else "")
            return Failed(f"provider '{call.provider}' not found{hint}", NOT_FOUND_EXIT, permanent=True)
        server: McpServer | None = None
        files: Mapping[str, str] = {}
        tools: Tools | None = None
        if call.tools is not None and self.proxy is not None:
            if isinstance(provider, RemoteProvider):
                tools = self.proxy.tools(call.tools, fact, context, self.clock)
            else:
                directory = self.attempts.files(fact.attempt_id).directory
                server = self.proxy.server(call.tools, fact.attempt_id, directory)
                files = self.proxy.files(call.tools, fact, context)
        request = Request(
            prompt=call.prompt,
            system_prompt=call.system_prompt,
            options=call.options,
            session=call.session,
            turns=context.turns,
            environ=step_environment(fact, context),
            working_dir=str(Path(context.working_dir, Path(fact.dir).expanduser())),
            mcp=server,
            tools=tools,
            called=context.called,
            afford=context.afford,
        )
        exchange = Exchange(fact.attempt_id, call, request, Speech(emit, context.tell), fact.timeout, files)
        try:
            return await work(provider, exchange)
        except (Exception, SystemExit) as error:
            _log(error, call.provider, f"execution {context.execution}, step {fact.state}")
            await self.end_leftovers([fact.attempt_id])
            return Failed(f"internal error of provider '{call.provider}': {error!r}")

    def _without_tools(self, exchange: Exchange) -> Failed | None:
        """Why the agent cannot have the tools that it is to have; None where it can, or is to have none."""
        tools = exchange.call.tools
        if tools is None:
            return None
        able = sorted(name for name, each in self.providers.items() if can_have_tools(each))
        if self.proxy is None or exchange.call.provider not in able:
            message = f"mcp_proxy: this provider cannot be given tools by awf (these can: {', '.join(able)})"
            return exchange.refused(f"{message} [{UNSUPPORTED_PROVIDER}]")
        missing = self.proxy.missing(tools)
        return exchange.refused(missing) if missing else None

    def _tool(self, provider: CommandLineProvider, exchange: Exchange, emit: Emit, ran: float = 0.0) -> Tool:
        began = self.clock.monotonic() - ran
        return Tool(provider, exchange, emit, self.attempts, self.grace, self.clock, began)

    async def _ask(self, provider: RemoteProvider, exchange: Exchange, cancel: asyncio.Event) -> Outcome:
        began = self.clock.monotonic()
        asking = asyncio.ensure_future(_answer(provider, exchange))
        stopped = await done_or(asking, cancel, exchange.timeout)
        duration = self.clock.monotonic() - began
        if stopped is not None:
            return exchange.stopped(stopped, duration, Written())
        if asking.cancelled():
            return exchange.lost("it gave up by itself", duration, Written())
        try:
            return exchange.answered(asking.result(), duration, Written())
        except ProviderFailed as failure:
            return exchange.failed(failure, duration, Written())


async def _answer(provider: RemoteProvider, exchange: Exchange) -> Answer:
    """What it answers. A SystemExit would end the engine, if it left the task."""
    try:
        return await provider.ask(exchange.request, exchange.speech.say)
    except SystemExit as error:
        raise RuntimeError(repr(error)) from error


def _log(error: BaseException, provider: str, where: str) -> None:
    """A provider's fault and its place. What the exception says may hold secret values: people get that, masked."""
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s: provider '%s' failed (%s):\n%s", where, provider, type(error).__name__, place)


def _refusal(provider: Provider, exchange: Exchange) -> Failed | None:
    """Why it is not asked, with everything that is wrong at once; None where nothing is."""
    call, request = exchange.call, exchange.request
    if not Path(request.working_dir).is_dir():
        return Failed(f"working directory does not exist: {request.working_dir}", CANNOT_START_EXIT)
    if isinstance(provider, RemoteProvider) and call.continue_from and not (call.session or request.turns):
        message = (
            f'continue_from: step "{call.continue_from}" has no conversation turns for HTTP-based provider '
            f'"{call.provider}"'
        )
        return Failed(message, CANNOT_START_EXIT, permanent=True)
    errors = "\n".join(f"{call.provider}: {sound(error)}" for error in provider.check(request))
    return Failed(errors, CANNOT_START_EXIT, permanent=True) if errors else None
