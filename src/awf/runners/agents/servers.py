"""How MCP servers are told to a tool, in the form that most tools share. Pure."""

from __future__ import annotations

import json
from typing import Any

from awf.runners.agents.port import McpServer

LONGEST_CALL = 24 * 60 * 60
"""Seconds that a tool waits for an answer of a server; the step's own timeout ends it before."""

LONGEST_START = 60
"""Seconds that a tool waits for a server to start."""


def described(server: McpServer, **more: Any) -> dict[str, Any]:
    """``command``, ``args`` and ``env`` of a server; ``more`` is what else the tool wants to know of it, or in another form."""
    return {"command": server.command, "args": list(server.args), "env": dict(server.env), **more}


def servers(server: McpServer, **more: Any) -> str:
    """``{"mcpServers": {NAME: …}}``; ``more`` as in ``described``."""
    return json.dumps({"mcpServers": {server.name: described(server, **more)}})
