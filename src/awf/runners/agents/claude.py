"""Claude Code: ``claude -p``, read as ``stream-json``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from awf.domain.outcomes import Usage
from awf.runners.agents import options
from awf.runners.agents.jsonlines import JsonLines, at, count, money, objects, string
from awf.runners.agents.port import (
    Block,
    Event,
    Invocation,
    McpServer,
    Message,
    Request,
    Role,
    TextBlock,
    ToolResult,
    ToolUse,
)
from awf.runners.agents.prompts import fits, transcript
from awf.runners.agents.servers import LONGEST_START, servers
from awf.runners.agents.sessions import Session

_MODEL = re.compile(r"(?:(?:sonnet|opus|haiku|fable|opusplan|default)(?:\[1m\])?|claude-\S+)")

_OPTIONS = {
    "model": options.text("--model"),
    "allowed_tools": options.words("--allowedTools", joined=","),
    "disallowed_tools": options.words("--disallowedTools", joined=","),
    "permission_mode": options.choice(
        "--permission-mode", ("acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan")
    ),
    "dangerously_skip_permissions": options.flag("--dangerously-skip-permissions"),
    "add_dir": options.words("--add-dir"),
    "agent": options.text("--agent"),
    "append_system_prompt": options.text("--append-system-prompt"),
    "effort": options.choice("--effort", ("low", "medium", "high", "xhigh", "max")),
    "fallback_model": options.text("--fallback-model"),
    "max_budget_usd": options.number("--max-budget-usd"),
    "mcp_config": options.words("--mcp-config"),
    "settings": options.text("--settings"),
    "output_format": options.ignored(("text", "json")),
}


_SERVERS = "claude-mcp.json"
_WAITS = dict.fromkeys(("MCP_CONNECT_TIMEOUT_MS", "MCP_TIMEOUT"), str(LONGEST_START * 1000))
"""With ``alwaysLoad`` of a server: the model is asked when the server has started. It is waited for two seconds otherwise."""


class Claude:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "claude"
    program = "claude"
    install = "npm install -g @anthropic-ai/claude-code"
    no_session = "No conversation found with session ID"
    uses_mcp = True

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = options.problems(request.options, _OPTIONS)
        if request.model and not _MODEL.fullmatch(request.model):
            expected = "sonnet, opus, haiku, or a name that starts with claude-"
            found.append(f"invalid model format: {request.model} (expected {expected})")
        return found

    def invocation(self, request: Request) -> Invocation:
        """See the port."""
        system_prompt = request.system_prompt if fits(request.system_prompt) else ""
        parts = ("" if system_prompt else request.system_prompt, transcript(request), request.prompt)
        prompt = "\n\n".join(part for part in parts if part)
        session = Session.read(request.session).id
        argv = [
            "claude",
            "-p",
            *([prompt] if fits(prompt) else []),
            *("--output-format", "stream-json", "--verbose", "--include-partial-messages"),
            *(("--system-prompt", system_prompt) if system_prompt else ()),
            *(("-r", session) if session else ()),
            *options.arguments(request.options, _OPTIONS),
            *(() if request.mcp is None else _tools(request.mcp)),
        ]
        stdin = None if fits(prompt) else prompt
        if request.mcp is None:
            return Invocation(argv=tuple(argv), stdin=stdin)
        return Invocation(
            argv=tuple(argv),
            stdin=stdin,
            env={name: value for name, value in _WAITS.items() if name not in request.environ},
            files={_SERVERS: servers(request.mcp, alwaysLoad=True)},
        )

    def parser(self, request: Request) -> JsonLines:
        """See the port."""
        return _Parser(request)


def _tools(server: McpServer) -> list[str]:
    """Arguments that add a server and allow its tools; none of the tool's own and no other servers, where it is so."""
    only = ("--tools", "", "--strict-mcp-config") if server.exclusive else ()
    return [f"--mcp-config={server.directory}/{_SERVERS}", f"--allowedTools=mcp__{server.name}", *only]


class _Parser(JsonLines):
    """A message comes in pieces (``stream_event``) and then whole (``assistant``). What subagents say, under a
    ``parent_tool_use_id``, is in the record and not in the answer."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._result: str | None = None
        self._in_pieces = False

    def answer(self) -> str:
        return self.said if self._result is None else self._result

    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Event]:
        self.session = string(event, "session_id") or self.session
        inner = bool(event.get("parent_tool_use_id"))
        match kind:
            case "stream_event":
                self._count(event)
                if not inner and string(event, "event", "delta", "type") == "text_delta":
                    piece = string(event, "event", "delta", "text")
                    yield from self.says(piece, apart=not self._in_pieces)
                    self._in_pieces = self._in_pieces or bool(piece)
            case "assistant" | "user":
                content = objects(event, "message", "content")
                if kind == "assistant" and not inner:
                    if not self._in_pieces:
                        yield from self.says("".join(string(block, "text") for block in content))
                    self._in_pieces = self._in_pieces and not any(string(block, "text") for block in content)
                blocks = tuple(block for each in content if (block := _block(each)) is not None)
                if blocks:
                    yield Message(_role(kind, blocks), blocks)
            case "result":
                self._end(event)

    def _count(self, event: Mapping[str, Any]) -> None:
        """What goes in is told at the beginning of a message, what came out at its end; the result has the whole."""
        match string(event, "event", "type"):
            case "message_start":
                told = _usage(at(event, "event", "message", "usage"))
                self.usage = (self.usage or Usage()) + replace(told, output=0)
            case "message_delta":
                told = _usage(at(event, "event", "usage"))
                self.usage = (self.usage or Usage()) + Usage(output=told.output)

    def _end(self, event: Mapping[str, Any]) -> None:
        self.ended = True
        if isinstance(event.get("usage"), dict):
            self.usage = _usage(event["usage"])
        self.cost = money(event, "total_cost_usd")
        subtype, result = string(event, "subtype"), string(event, "result")
        if event.get("is_error") is True or subtype.startswith("error"):
            listed = event.get("errors")
            errors = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
            self.error = result or "; ".join(errors) or subtype or "it failed"
        elif isinstance(event.get("result"), str):
            self._result = result


def _usage(told: Any) -> Usage:
    """Tokens, as the service says them; those that a cache has are apart there."""
    cached, created = count(told, "cache_read_input_tokens"), count(told, "cache_creation_input_tokens")
    return Usage(
        input=count(told, "input_tokens") + cached + created,
        output=count(told, "output_tokens"),
        cached=cached,
    )


def _role(kind: str, blocks: tuple[Block, ...]) -> Role:
    if kind == "assistant":
        return "assistant"
    return "tool" if any(isinstance(block, ToolResult) for block in blocks) else "user"


def _block(block: Mapping[str, Any]) -> Block | None:
    match block.get("type"):
        case "text" if string(block, "text"):
            return TextBlock(string(block, "text"))
        case "tool_use":
            return ToolUse(string(block, "id"), string(block, "name"), block.get("input"))
        case "tool_result":
            failed = block.get("is_error") is True
            return ToolResult(string(block, "tool_use_id"), block.get("content"), failed)
    return None
