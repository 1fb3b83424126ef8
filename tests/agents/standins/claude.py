"""Stands in for Claude Code (2.1)."""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
from pathlib import Path

from standin import Flags, Standin, usage

KNOWN = {
    "-p": "none",
    "--print": "none",
    "--model": "value",
    "--output-format": "value",
    "--verbose": "none",
    "--include-partial-messages": "none",
    "--allowedTools": "many",
    "--disallowedTools": "many",
    "--dangerously-skip-permissions": "none",
    "--permission-mode": "value",
    "--system-prompt": "value",
    "--append-system-prompt": "value",
    "--add-dir": "many",
    "--agent": "value",
    "--effort": "value",
    "--fallback-model": "value",
    "--max-budget-usd": "value",
    "--mcp-config": "many",
    "--strict-mcp-config": "none",
    "--tools": "many",
    "--settings": "value",
    "-r": "maybe",
    "--resume": "maybe",
}


class Claude(Standin):
    session = ""
    allowed: tuple[str, ...] = ()

    def allows(self, server: str, tool: str) -> bool:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", tool)
        return bool({f"mcp__{server}", f"mcp__{server}__{name}"} & set(self.allowed))

    def frame(self, event) -> None:
        self.write(
            {
                "type": "stream_event",
                "event": event,
                "session_id": self.session,
                "parent_tool_use_id": None,
                "uuid": str(uuid.uuid4()),
            }
        )

    def message(self, role: str, content: list, parent: str | None = None) -> None:
        body = {"role": role, "content": content}
        if role == "assistant":
            body |= {
                "id": "msg_1",
                "type": "message",
                "model": "claude-sonnet-4-5",
                "stop_reason": None,
                "usage": {"input_tokens": 9, "output_tokens": 1},
            }
        self.write(
            {
                "type": role,
                "message": body,
                "parent_tool_use_id": parent,
                "session_id": self.session,
                "uuid": str(uuid.uuid4()),
            }
        )

    def delta(self, text: str) -> None:
        self.frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})

    def flood(self, piece: str) -> None:
        self.delta(piece)

    def say(self, text: str) -> None:
        self.frame({"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "content": []}})
        self.frame({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        for piece in self.pieces(text):
            self.delta(piece)
            self.interrupt()
        self.message("assistant", [{"type": "text", "text": text}])
        self.frame({"type": "content_block_stop", "index": 0})
        self.frame(
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 45}}
        )
        self.frame({"type": "message_stop"})

    def use(self, number: int, part) -> None:
        call, name = f"toolu_{number}", "Bash"
        if part.server:
            name = f"mcp__{part.server}__{part.tool.replace('.', '_')}"
        self.frame(
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "tool_use", "id": call, "name": name, "input": {}},
            }
        )
        self.frame(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": '{"com'},
            }
        )
        self.message(
            "assistant",
            [
                {"type": "thinking", "thinking": "hm"},
                {"type": "tool_use", "id": call, "name": name, "input": part.input},
            ],
        )
        self.message("assistant", [{"type": "text", "text": "said by a subagent"}], parent=call)
        self.message(
            "user",
            [{"tool_use_id": call, "type": "tool_result", "content": part.output, "is_error": part.failed}],
        )

    def result(self, **fields) -> None:
        counts = {
            "input_tokens": 100,
            "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 3,
            "output_tokens": 45,
        }
        self.write(
            {
                "type": "result",
                "subtype": "success",
                "is_error": False,
                "duration_ms": 400,
                "num_turns": 1,
                "session_id": self.session,
                "total_cost_usd": 0.25,
                "usage": counts,
                "permission_denials": [],
                "uuid": str(uuid.uuid4()),
                **fields,
            }
        )


def main() -> None:
    flags = Flags(sys.argv[1:], KNOWN, lambda name: usage(f"error: unknown option '{name}'", 1))
    tool = Claude("claude")
    if not (flags.has("-p") or flags.has("--print")):
        usage(
            "Error: Input must be provided either through stdin or as a prompt argument when using --print", 1
        )
    if flags.one("--output-format") == "stream-json" and not flags.has("--verbose"):
        usage("Error: When using --print, --output-format=stream-json requires --verbose", 1)
    if len(flags.rest) > 1:
        usage(f"error: too many arguments: {flags.rest}", 1)
    if flags.one("--permission-mode", "default") not in {
        "acceptEdits",
        "auto",
        "bypassPermissions",
        "default",
        "dontAsk",
        "plan",
    }:
        usage("error: option '--permission-mode <mode>' argument is invalid", 1)
    tool.allowed = tuple(word for each in flags.all("--allowedTools") for word in each.split(","))
    tool.own_tools = flags.all("--tools") != [""]
    for file in flags.all("--mcp-config"):
        for name, server in json.loads(Path(file).read_text())["mcpServers"].items():
            if server.keys() - {"type", "command", "args", "env", "alwaysLoad"}:
                usage(f"Error: Invalid MCP configuration: {file}", 1)
            # For others the model does not wait.
            assert not server.get("alwaysLoad") or int(os.environ["MCP_CONNECT_TIMEOUT_MS"]) >= 10_000
            tool.servers[name] = server
    prompt = tool.asked(flags.rest[0] if flags.rest else tool.stdin())
    tool.record(
        prompt=prompt,
        system=flags.one("--system-prompt"),
        model=flags.one("--model"),
        session=flags.one("-r"),
    )
    tool.session, before = tool.new_session(), []
    if flags.has("-r"):
        tool.session = flags.one("-r")
        found = tool.turns(tool.session)
        if found is None:
            tool.result(
                subtype="error_during_execution",
                is_error=True,
                errors=[f"No conversation found with session ID: {tool.session}"],
            )
            raise SystemExit(1)
        before = found
    tool.begin()
    tool.write(
        {
            "type": "system",
            "subtype": "init",
            "cwd": ".",
            "session_id": tool.session,
            "tools": ["Bash"],
            "model": "claude-sonnet-4-5",
        }
    )
    if tool.scenario == "auth":
        tool.message("assistant", [{"type": "text", "text": "Invalid API key · Please run /login"}])
        tool.result(
            is_error=True,
            result="Invalid API key · Please run /login",
            usage={"input_tokens": 0, "output_tokens": 0},
        )
        raise SystemExit(1)
    if tool.scenario == "model":
        tool.result(is_error=True, result="There's an issue with the selected model (claude-nope).")
        raise SystemExit(1)
    tool.write({"type": "system", "subtype": "status", "status": "requesting", "session_id": tool.session})
    said = ""
    for number, part in enumerate(tool.parts(prompt, before)):
        if part.tool:
            tool.use(number, part)
        else:
            tool.say(part.text)
            said = part.text
    tool.keep(tool.session, [*before, prompt])
    tool.result(result=said)


main()
