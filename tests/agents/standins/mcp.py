"""What the stand-ins do with an MCP server that they are given: start it, list its tools, call one."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

KEPT = ("PATH", "HOME", "LANG")
"""What tools leave of their environment to a server; some leave more."""


class McpServer:
    """Speaks with a server as the real clients do. ``described``: ``command``, ``args``, ``env``."""

    def __init__(self, described: dict[str, Any]) -> None:
        env = {name: os.environ[name] for name in KEPT if name in os.environ} | described.get("env", {})
        self._process = subprocess.Popen(
            [described["command"], *described.get("args", [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
        )
        self._number = 0
        found = self._ask(
            "initialize",
            protocolVersion="2025-06-18",
            capabilities={"elicitation": {}},
            clientInfo={"name": "stand-in", "version": "1"},
        )
        assert found["protocolVersion"] == "2025-06-18", found
        assert "tools" in found["capabilities"], found
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self.tools = {tool["name"]: tool for tool in self._ask("tools/list")["tools"]}

    def call(self, name: str, arguments: dict[str, Any]) -> tuple[str, bool]:
        """What a tool answers, and whether it failed."""
        assert self.tools[name]["inputSchema"]["type"] == "object"
        result = self._ask("tools/call", name=name, arguments=arguments)
        return "".join(part["text"] for part in result["content"]), result.get("isError", False)

    def close(self) -> None:
        """It must end when nobody asks any more."""
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        self._process.stdout.close()

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        answer = json.loads(self._process.stdout.readline())
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", self._number), answer
        return answer["result"]

    def _send(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()
