"""Stands in for GitHub Copilot's command line (1.0)."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from standin import Flags, Standin, usage

KNOWN = {
    "-p": "value",
    "--prompt": "value",
    "--output-format": "value",
    "--silent": "none",
    "-s": "none",
    "--model": "value",
    "--mode": "value",
    "--effort": "value",
    "--reasoning-effort": "value",
    "--allow-tool": "equals",
    "--deny-tool": "equals",
    "--allow-all": "none",
    "--add-dir": "value",
    "--agent": "value",
    "--resume": "equals",
    "--additional-mcp-config": "equals",
    "--available-tools": "equals",
    "--disable-builtin-mcps": "none",
}
CHOICES = {
    "--mode": {"interactive", "plan", "autopilot"},
    "--effort": {"none", "minimal", "low", "medium", "high", "xhigh", "max"},
    "--output-format": {"text", "json"},
}


class Copilot(Standin):
    number = 0
    allowed: tuple[str, ...] = ()

    def configure(self, flags: Flags) -> None:
        """Servers are kept where the model may have their tools."""
        only = flags.all("--available-tools")
        self.own_tools = not only
        self.allowed = tuple(flags.all("--allow-tool"))
        for file in flags.all("--additional-mcp-config"):
            for name, server in json.loads(Path(file.removeprefix("@")).read_text())["mcpServers"].items():
                if server["type"] != "local" or server["tools"] != ["*"]:
                    usage(f"error: Invalid MCP config: {name}", 1)
                if not only or name in only:
                    self.servers[name] = server

    def allows(self, server: str, tool: str) -> bool:
        return server in self.allowed

    def event(self, kind: str, *, ephemeral: bool = False, **data) -> None:
        event = {"type": kind, "data": data, "id": str(uuid.uuid4()), "timestamp": "2026-11-28T06:05:50.132Z"}
        self.write({**event, "ephemeral": True} if ephemeral else event)

    def delta(self, text: str) -> None:
        self.event("assistant.message_delta", ephemeral=True, messageId=f"m{self.number}", deltaContent=text)

    def flood(self, piece: str) -> None:
        self.delta(piece)

    def message(self, text: str, calls=(), **more) -> None:
        self.event(
            "assistant.message",
            messageId=f"m{self.number}",
            content=text,
            toolRequests=list(calls),
            outputTokens=45,
            **more,
        )

    def say(self, text: str) -> None:
        self.number += 1
        self.event("assistant.turn_start", turnId=str(self.number))
        self.event("assistant.message_start", ephemeral=True, messageId=f"m{self.number}")
        for piece in self.pieces(text):
            self.delta(piece)
            self.interrupt()
        self.message(text)
        self.event("assistant.turn_end", turnId=str(self.number))

    def use(self, part) -> None:
        self.number += 1
        call = f"call_{self.number}"
        name = f"{part.server}-{part.tool.replace('.', '-')}" if part.server else "bash"
        request = {"toolCallId": call, "name": name, "arguments": part.input, "type": "function"}
        self.event("assistant.tool_call_delta", ephemeral=True, toolCallId=call, inputDelta='{"com')
        self.message("", [request])
        self.event("tool.execution_start", toolCallId=call, toolName=name, arguments=part.input)
        self.message("said by a subagent", parentToolCallId=call)
        self.event("tool.execution_partial_result", ephemeral=True, toolCallId=call, partialOutput="h")
        done = (
            {"success": False, "error": {"message": part.output}}
            if part.failed
            else {"success": True, "result": {"content": part.output}}
        )
        self.event("tool.execution_complete", toolCallId=call, **done)

    def result(self, session: str, code: int = 0) -> None:
        counts = {"premiumRequests": 0, "totalApiDurationMs": 41}
        self.write(
            {"type": "result", "timestamp": "x", "sessionId": session, "exitCode": code, "usage": counts}
        )


def refuse(name: str):
    usage(
        f"error: Invalid command format.\n\nunexpected {name}\n\nTry 'copilot --help' for more information.",
        1,
    )


def main() -> None:
    flags = Flags(sys.argv[1:], KNOWN, refuse)
    tool = Copilot("github_copilot")
    if flags.rest:
        refuse(flags.rest[0])
    for name, values in CHOICES.items():
        if flags.has(name) and flags.one(name) not in values:
            usage(f"error: invalid value '{flags.one(name)}' for '{name}'", 1)
    if flags.one("--output-format") != "json" or not flags.has("--silent"):
        usage("this stand-in only speaks JSON, silently", 1)
    tool.configure(flags)
    prompt = tool.asked(flags.one("-p") if flags.has("-p") else tool.stdin())
    session = flags.one("--resume")
    tool.record(prompt=prompt, model=flags.one("--model"), session=session)
    before = tool.turns(session) if session else []
    if before is None:
        usage(f"Error: No session, task, or name matched '{session}'.", 1)
    session = session or tool.new_session()
    tool.begin()
    tool.event("session.skills_loaded", ephemeral=True, skills=[])
    tool.event("user.message", content=prompt, messageId="u1")
    if tool.scenario in {"auth", "model"}:
        said = (
            "Authentication failed with provider (HTTP 401)."
            if tool.scenario == "auth"
            else "Unknown model: gpt-nope"
        )
        tool.event("session.error", errorType="authentication", message=said, statusCode=401)
        tool.result(session, 1)
        raise SystemExit(1)
    for part in tool.parts(prompt, before):
        tool.use(part) if part.tool else tool.say(part.text)
    tool.event(
        "assistant.usage", ephemeral=True, model="gpt-5", inputTokens=123, outputTokens=45, cacheReadTokens=3
    )
    tool.event("assistant.idle", ephemeral=True)
    tool.keep(session, [*before, prompt])
    tool.result(session)


main()
