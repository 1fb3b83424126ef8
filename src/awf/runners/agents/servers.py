"""How MCP servers are told to a tool, in the form that most tools share. Pure."""

from __future__ import annotations

import json
from typing import Any

from awf.runners.agents.port import McpServer

LONGEST_CALL = 24 * 60 * 60
"""Seconds that a tool waits for an answer of a server; the step's own timeout ends it before."""

LONGEST_START = 60
"""Seconds that a tool waits for a server to start."""


def servers(server: McpServer, **more: Any) -> str:
    """``{"mcpServers": {NAME: …}}``; ``more`` is what else the tool wants to know of it."""
    described = {"command": server.command, "args": list(server.args), "env": dict(server.env), **more}
    return json.dumps({"mcpServers": {server.name: described}})
