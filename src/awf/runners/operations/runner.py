"""Runs the attempts of ``type: operation`` (workflow language, "Operations").

Inputs are coerced to their declared types and checked with all errors at once. ``Output`` is the outputs as JSON,
``Response`` the outputs. Every failure is one of the step, and routable; a fault in an operation too.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from awf.domain.outcomes import Cancelled, Failed, Outcome, Product, Succeeded
from awf.domain.suggest import did_you_mean
from awf.domain.timestamps import duration_text
from awf.engine.cancel import Cancel
from awf.engine.ports import Clock, Emit, StepContext
from awf.journal.events import StepStarted
from awf.runners.exits import done_or
from awf.runners.operations.port import Operation, OperationContext, OperationFailed
from awf.runners.processes import end
from awf.runners.retry_after import sound_wait

log = logging.getLogger("awf.engine")

TIMEOUT_EXIT = 124
NOT_FOUND_EXIT = 127


class OperationRunner(Struct, frozen=True):
    """``operations`` by name. ``grace``: seconds between SIGTERM and SIGKILL for what a dead engine has left."""

    operations: Mapping[str, Operation]
    clock: Clock
    grace: float = 5.0

    async def run(self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel) -> Outcome:
        """See ``awf.engine.ports.StepRunner``."""
        del emit
        assert fact.operation is not None
        name, began = fact.operation.name, self.clock.monotonic()
        operation = self.operations.get(name)
        if operation is None:
            return Failed(
                f"operation '{name}' not found{did_you_mean(name, self.operations)}",
                NOT_FOUND_EXIT,
                permanent=True,
            )
        inputs, errors = operation.signature.bind(fact.operation.inputs)
        if errors:
            return Failed("\n".join(f"{name}: {error}" for error in errors), permanent=True)
        where = OperationContext(
            execution=context.execution,
            workflow=context.workflow,
            state=fact.state,
            attempt_id=fact.attempt_id,
            environ=context.environ,
            working_dir=context.working_dir,
        )
        working = asyncio.ensure_future(_perform(operation, inputs, where))
        stopped = await done_or(working, cancel, fact.timeout)
        duration = self.clock.monotonic() - began
        if stopped == "cancel":
            return Cancelled(duration=duration)
        if stopped == "timeout":
            return Failed(f"timeout exceeded ({duration_text(fact.timeout or 0)})", TIMEOUT_EXIT, duration)
        if working.cancelled():
            return Failed(f"{name}: it gave up by itself", duration=duration)
        outcome = working.result()
        if isinstance(outcome, OperationFailed):
            return Failed(
                f"{name}: {outcome.message}",
                duration=duration,
                product=None if outcome.outputs is None else _product(outcome.outputs),
                retry_after=sound_wait(outcome.retry_after),
            )
        return Succeeded(0, duration, product=outcome)

    async def adopt(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel, ran: float
    ) -> Outcome:
        """An operation ends with its engine (the language has no ``detach`` for it): nothing of it can be taken over."""
        del context, emit, cancel
        return Failed(f"step '{fact.state}' ended with its engine", duration=ran)

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """End the programs that operations of a dead engine have started."""
        await end(attempt_ids, grace=self.grace)

    async def spent(self, fact: StepStarted) -> None:
        """Operations are not paid for."""


async def _perform(
    operation: Operation, inputs: Mapping[str, Any], context: OperationContext
) -> Product | OperationFailed:
    """What it made, or the failure. What is not JSON is found here, and is the operation's fault."""
    try:
        return _product(await operation.perform(inputs, context))
    except OperationFailed as failure:
        return failure
    except (Exception, SystemExit) as error:
        # Where it went wrong, without the texts of the errors: a secret may be in one.
        place = "".join(traceback.format_tb(error.__traceback__))
        log.error(  # noqa: TRY400
            "execution %s, step %s: %s\n%s", context.execution, context.state, type(error).__name__, place
        )
        return OperationFailed(f"internal error of the operation: {type(error).__name__}: {error}")


def _product(outputs: Mapping[str, Any]) -> Product:
    """Raises what msgspec raises of values that are not JSON."""
    text = msgspec.json.encode(outputs)
    return Product(output=text.decode(), response=msgspec.json.decode(text))
