"""The tools that awf gives to an agent (``mcp_proxy``): operations, by a server that the agent's own tool starts, or called here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from awf.domain.suggest import did_you_mean
from awf.engine.ports import Clock, StepContext
from awf.journal.events import AgentTools, StepStarted
from awf.runners.agents.port import McpServer
from awf.runners.mcp.configuration import Configuration
from awf.runners.mcp.tools import OperationTools
from awf.runners.operations.port import Operation
from awf.runners.processes import ATTEMPT_VARIABLE

CONFIGURATION = "mcp-serve.json"
"""The file in the attempt's directory that says what the server is to do."""


class Proxy(Struct, frozen=True):
    """``operations`` are those that there are, by name. ``root`` is the project's, ``settings`` those that operations depend
    on, so that the server performs them as this engine would."""

    operations: Mapping[str, Operation]
    root: Path
    settings: Mapping[str, Any]

    def missing(self, tools: AgentTools) -> str:
        """Which of these operations there is not; empty: none."""
        wrong = [name for name in tools.operations if name not in self.operations]
        return "\n".join(
            f"mcp_proxy: operation '{name}' not found{did_you_mean(name, self.operations)}" for name in wrong
        )

    def server(self, tools: AgentTools, attempt: str, directory: Path) -> McpServer:
        """How the agent's tool starts it. It carries the attempt's id, so that it ends with the attempt whatever the tool
        makes of its environment."""
        # -P: the project's own files are not modules of ours.
        program = ("-P", "-m", "awf", "mcp-serve", "--config", str(directory / CONFIGURATION))
        return McpServer(
            command=sys.executable,
            args=program,
            env={ATTEMPT_VARIABLE: attempt},
            directory=str(directory),
            tools=tools.operations,
            exclusive=tools.exclusive,
        )

    def files(self, tools: AgentTools, fact: StepStarted, context: StepContext) -> dict[str, str]:
        """What the server reads."""
        configuration = self._configuration(tools, fact, context)
        return {CONFIGURATION: msgspec.json.encode(configuration).decode()}

    def tools(
        self, tools: AgentTools, fact: StepStarted, context: StepContext, clock: Clock
    ) -> OperationTools:
        """For a provider that calls them in this process."""
        return OperationTools(self.operations, self._configuration(tools, fact, context), clock)

    def _configuration(self, tools: AgentTools, fact: StepStarted, context: StepContext) -> Configuration:
        return Configuration(
            root=str(self.root),
            settings=dict(self.settings),
            operations=tools.operations,
            execution=context.execution,
            workflow=context.workflow,
            state=fact.state,
            attempt_id=fact.attempt_id,
            environ=dict(context.environ),
            working_dir=context.working_dir,
        )
