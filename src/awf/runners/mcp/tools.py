"""Operations as MCP tools: what they are called, what they take, and what they answer."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from awf.domain.outcomes import Failed, Succeeded
from awf.domain.signatures.schema import tool_schema
from awf.engine.cancel import Cancel
from awf.engine.ports import Clock, StepContext
from awf.journal.events import OperationCall, StepStarted
from awf.runners.mcp.configuration import Configuration
from awf.runners.operations.port import Operation
from awf.runners.operations.runner import OperationRunner
from awf.runners.processes import OF_ATTEMPT


class OperationTools:
    """The operations that a configuration names, performed as a step of ``type: operation`` performs them; those of
    ``operations`` that it does not name are not there."""

    def __init__(
        self, operations: Mapping[str, Operation], configuration: Configuration, clock: Clock
    ) -> None:
        self._operations = {name: operations[name] for name in configuration.operations if name in operations}
        self._configuration = configuration
        self._runner = OperationRunner(self._operations, clock)
        self._numbers: Iterator[int] = itertools.count(1)

    def __contains__(self, name: object) -> bool:
        return name in self._operations

    def listed(self) -> list[dict[str, Any]]:
        """As ``tools/list`` answers."""
        return [
            {
                "name": name,
                "description": operation.signature.description,
                "inputSchema": tool_schema(operation.signature),
            }
            for name, operation in self._operations.items()
        ]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Perform one, as ``tools/call`` answers: its outputs as JSON, or what went wrong. When cancelled, it ends what the
        operation has started first."""
        given, cancel = self._configuration, Cancel()
        number = next(self._numbers)
        fact = StepStarted(
            step=number,
            state=given.state,
            path=given.state,
            attempt=1,
            # Its own: the programs of one call are ended without the agent's.
            attempt_id=f"{given.attempt_id}{OF_ATTEMPT}{number}",
            kind="operation",
            operation=OperationCall(name=name, inputs=dict(arguments)),
        )
        context = StepContext(given.execution, given.workflow, {}, given.environ, given.working_dir)
        running = asyncio.ensure_future(self._runner.run(fact, context, lambda *_: None, cancel))
        try:
            outcome = await asyncio.shield(running)
        except asyncio.CancelledError:
            cancel.set()
            await running
            raise
        if isinstance(outcome, Succeeded):
            return _answer(outcome.product.output if outcome.product is not None else "")
        message = outcome.error if isinstance(outcome, Failed) else "cancelled"
        return _answer(message) | {"isError": True}


def _answer(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}
