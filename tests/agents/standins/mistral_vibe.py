"""Stands in for Mistral's Vibe (3.0)."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import sys
import tomllib
from pathlib import Path

from standin import Flags, Standin, usage

KNOWN = {
    "-p": "maybe",
    "--prompt": "maybe",
    "--output": "value",
    "--agent": "value",
    "--auto-approve": "none",
    "--max-turns": "value",
    "--max-tokens": "value",
    "--max-price": "value",
    "--workdir": "value",
    "--enabled-tools": "value",
    "--disabled-tools": "value",
    "--add-dir": "value",
    "--trust": "none",
    "--resume": "maybe",
}
SERVER = {"name", "transport", "command", "args", "env", "startup_timeout_sec", "tool_timeout_sec"}


class Vibe(Standin):
    session = ""
    number = 0
    approves = False

    def configure(self, flags: Flags) -> None:
        """The user's file, and over it the environment, server by server and tool by tool."""
        path = Path(os.environ["HOME"], ".vibe", "config.toml")
        config = tomllib.loads(path.read_text()) if path.exists() else {}
        given = json.loads(os.environ.get("VIBE_MCP_SERVERS") or "[]")
        for server in (*config.get("mcp_servers", []), *given):
            if server.keys() - SERVER or server["transport"] != "stdio":
                usage(f"Error: Invalid configuration: mcp_servers: {server}", 2)
            command = server["command"]
            program, *more = shlex.split(command) if isinstance(command, str) else command
            args = [*more, *server.get("args", [])]
            self.servers[server["name"]] = {"command": program, "args": args, "env": server.get("env", {})}
        tools = {**config.get("tools", {}), **json.loads(os.environ.get("VIBE_TOOLS") or "{}")}
        self.permissions = {name: tool["permission"] for name, tool in tools.items()}
        self.enabled = flags.all("--enabled-tools")
        self.disabled = flags.all("--disabled-tools")
        self.approves = flags.has("--auto-approve") or flags.one("--agent") == "auto-approve"
        self.own_tools = self.is_enabled("bash")

    def is_enabled(self, name: str) -> bool:
        enabled = not self.enabled or any(matches(name, pattern) for pattern in self.enabled)
        return enabled and not any(matches(name, pattern) for pattern in self.disabled)

    def has(self, server: str, tool: str) -> bool:
        return self.is_enabled(f"{server}_{tool}")

    def allows(self, server: str, tool: str) -> bool:
        name = f"{server}_{tool}"
        return self.is_enabled(name) and (self.approves or self.permissions.get(name) == "always")

    def entry(self, kind: str, **fields) -> None:
        self.number += 1
        head = {
            "id": f"{kind}-{self.number}",
            "sessionId": self.session,
            "turnId": "turn-1",
            "generationStatus": "completed",
        }
        self.write({**head, "type": kind, **fields})

    def flood(self, piece: str) -> None:
        self.entry("message", role="assistant", content=[{"type": "text", "text": piece}])

    def say(self, text: str) -> None:
        self.interrupt()
        if self.scenario == "old":
            self.write({"role": "assistant", "content": text})
        else:
            self.entry(
                "message", role="assistant", content=[{"type": "text", "text": text}], source="harness"
            )

    def use(self, part) -> None:
        if self.scenario == "old":
            call = {
                "id": "c1",
                "type": "function",
                "function": {"name": "bash", "arguments": '{"command": "ls"}'},
            }
            self.write({"role": "assistant", "content": "", "tool_calls": [call]})
            self.write({"role": "tool", "tool_call_id": "c1", "name": "bash", "content": part.output})
            return
        state = {"status": "completed", "outputText": part.output, "display": {"success": not part.failed}}
        name = f"mcp_{part.server}.{part.tool.replace('.', '_')}" if part.server else "file_system.bash"
        detail = {"toolName": name, "kind": "tool" if part.server else "shell", "input": part.input}
        if part.server and part.failed:
            state |= {"status": "failed", "error": {"message": part.output, "code": "mcp_tool_error"}}
        self.entry("effect", title=name, detail=detail, state=state)


def matches(name: str, pattern: str) -> bool:
    if pattern.startswith("re:"):
        return re.fullmatch(pattern[3:], name, re.IGNORECASE) is not None
    return fnmatch.fnmatch(name, pattern)


def refuse(name: str):
    usage(f"error: unexpected argument '{name}' found\n\nUsage: vibe --prompt [<PROMPT>] [INITIAL_PROMPT]", 1)


def main() -> None:
    flags = Flags(sys.argv[1:], KNOWN, refuse)
    tool = Vibe("mistral_vibe")
    if flags.rest:
        refuse(flags.rest[0])
    if flags.one("--output") != "streaming":
        usage("this stand-in only speaks JSON lines", 1)
    if flags.one("--agent", "ask") not in {"ask", "accept-edits", "smart-approve", "auto-approve"}:
        usage(f"Error: Agent '{flags.one('--agent')}' not found.", 2)
    tool.configure(flags)
    prompt = tool.asked(flags.one("--prompt") or flags.one("-p") or tool.stdin())
    session = flags.one("--resume")
    tool.record(prompt=prompt, session=session)
    print("Reading API keys from the system keyring", file=sys.stderr)
    before = tool.turns(session) if session else []
    if before is None:
        usage(f"Error: Session not found: {session}", 1)
    tool.session = session or tool.new_session()
    tool.begin()
    if tool.scenario != "old":
        tool.entry("message", role="user", content=[{"type": "text", "text": prompt}], source="turn_start")
    if tool.scenario == "auth":
        usage("Error: Invalid API key (from env var MISTRAL_API_KEY).", 1)
    if tool.scenario == "model":
        usage("Error: Client error '400 Bad Request': no such model", 2)
    for part in tool.parts(prompt, before):
        tool.use(part) if part.tool else tool.say(part.text)
    tool.keep(tool.session, [*before, prompt])


main()
