"""Mistral's Vibe: ``vibe --prompt``, read as ``streaming``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from awf.runners.agents import options
from awf.runners.agents.jsonlines import PrefixedJsonLines, as_object, at, objects, string
from awf.runners.agents.port import (
    Block,
    Event,
    Invocation,
    McpServer,
    Message,
    Request,
    TextBlock,
    ToolResult,
    ToolUse,
)
from awf.runners.agents.prompts import fits, whole_prompt
from awf.runners.agents.servers import LONGEST_CALL, LONGEST_START, described
from awf.runners.agents.sessions import Session

_DEFAULT = "default"
"""The agent that the tool takes by itself; by this name, not every version knows it."""

_AGENT = options.text("--agent")

_OPTIONS = {
    "agent": options.Option(_AGENT.expects, lambda value: [] if value == _DEFAULT else _AGENT.argv(value)),
    "dangerously_skip_permissions": options.flag("--agent", "auto-approve"),
    "max_turns": options.number("--max-turns", whole=True),
    "max_tokens": options.number("--max-tokens", whole=True),
    "max_price": options.number("--max-price"),
    "workdir": options.text("--workdir"),
    "enabled_tools": options.words("--enabled-tools"),
    "disabled_tools": options.words("--disabled-tools"),
    "add_dir": options.words("--add-dir"),
    "trust": options.flag("--trust"),
    "model": options.ignored_text(),
    "output": options.ignored(("text", "json", "streaming")),
    "output_format": options.ignored(("text", "json")),
}


_SERVERS, _TOOLS = "VIBE_MCP_SERVERS", "VIBE_TOOLS"
"""Settings as JSON, a list and an object. The tool lays them over those of its files, server by server and tool by tool."""

_ALONE = {"VIBE_ENABLE_SUBAGENTS": "false", "VIBE_ENABLE_BACKGROUND_PROCESSES": "false"}
"""Takes away what its tools for code have besides tools by name."""


class MistralVibe:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "mistral_vibe"
    program = "vibe"
    install = "uv tool install mistral-vibe"
    no_session = "Session not found"
    uses_mcp = True

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = options.problems(request.options, _OPTIONS)
        given = options.named(request.options, _OPTIONS)
        skips = options.is_true(given.get("dangerously_skip_permissions")) if not found else False
        if skips and given.get("agent") not in (None, _DEFAULT):
            found.append("options agent and dangerously_skip_permissions exclude each other")
        if request.mcp is not None:
            found += _obstacles(request.environ)
            if request.mcp.exclusive and given.get("enabled_tools") is not None:
                where = "where mcp_proxy switches the tool's own tools off (or say intercept_builtins: false)"
                found.append(f"option enabled_tools must not be set {where}")
        return found

    def invocation(self, request: Request) -> Invocation:
        """See the port."""
        prompt = whole_prompt(request)
        session = Session.read(request.session).id
        argv = [
            "vibe",
            *(("--prompt", prompt) if fits(prompt) else ("-p",)),
            *("--output", "streaming"),
            *options.arguments(request.options, _OPTIONS),
            *(() if request.mcp is None else _enabled(request, request.mcp)),
            *(("--resume", session) if session else ()),
        ]
        model = {"VIBE_ACTIVE_MODEL": request.model} if request.model else {}
        return Invocation(
            argv=tuple(argv),
            stdin=None if fits(prompt) else prompt,
            env=model if request.mcp is None else {**model, **_settings(request.environ, request.mcp)},
        )

    def parser(self, request: Request) -> PrefixedJsonLines:
        """See the port."""
        return _Parser(request)


def _enabled(request: Request, server: McpServer) -> tuple[str, ...]:
    """Arguments that leave only its tools, where it is so; those that are chosen by name, and its. An agent's own choice of tools
    outranks those that are enabled, but not those that are disabled."""
    chosen = options.named(request.options, _OPTIONS).get("enabled_tools") is not None
    return (
        *(("--enabled-tools", f"{server.name}_*") if server.exclusive or chosen else ()),
        *(("--disabled-tools", f"re:(?!{server.name}_).*") if server.exclusive else ()),
    )


def _settings(environ: Mapping[str, str], server: McpServer) -> dict[str, str]:
    """Variables that add the server and allow its tools; none of the tool's own and no other servers, where it is so."""
    ours = described(
        server,
        command=[server.command],  # a text would be read as a shell reads it
        name=server.name,
        transport="stdio",
        startup_timeout_sec=LONGEST_START,
        tool_timeout_sec=LONGEST_CALL,
    )
    others = [] if server.exclusive else _read(environ, _SERVERS, [])
    allowed = {f"{server.name}_{tool}": {"permission": "always"} for tool in server.tools}
    return {
        _SERVERS: json.dumps([*(each for each in others if at(each, "name") != server.name), ours]),
        _TOOLS: json.dumps({**_read(environ, _TOOLS, {}), **allowed}),
        **(_ALONE if server.exclusive else {}),
    }


def _obstacles(environ: Mapping[str, str]) -> list[str]:
    """Why nothing can be added to what the environment says."""
    expected: dict[str, tuple[Any, str]] = {_SERVERS: ([], "a JSON list"), _TOOLS: ({}, "a JSON object")}
    return [
        f"{name} of the environment is not {kind}, so nothing can be added to it"
        for name, (empty, kind) in expected.items()
        if _read(environ, name, empty) is None
    ]


def _read(environ: Mapping[str, str], name: str, empty: Any) -> Any:
    """A variable's value, where it is of the kind of ``empty``; None where it is not."""
    try:
        value = json.loads(environ.get(name, "").strip() or json.dumps(empty))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, type(empty)) else None


class _Parser(PrefixedJsonLines):
    """One entry of the exchange a line, when it is whole: messages and what tools did (``effect``). Before version 3 the entries
    were the messages of the model's protocol, without a type. There is no last event, and nobody counts tokens."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._answer = ""

    def kind(self, event: Mapping[str, Any]) -> str:
        return super().kind(event) or ("message" if string(event, "role") else "")

    def answer(self) -> str:
        return self._answer

    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Event]:
        self.session = string(event, "sessionId") or self.session
        match kind:
            case "message" if event.get("role") == "assistant":
                yield from self._message(event)
            case "message" if event.get("role") == "tool":
                result = ToolResult(string(event, "tool_call_id"), event.get("content"))
                yield Message("tool", (result,))
            case "effect":
                yield from _effect(event)

    def _message(self, event: Mapping[str, Any]) -> Iterator[Event]:
        text = string(event, "content") or "".join(string(part, "text") for part in objects(event, "content"))
        yield from self.says(text)
        blocks: list[Block] = [TextBlock(text)] if text else []
        for call in objects(event, "tool_calls"):
            given = string(call, "function", "arguments")
            blocks.append(
                ToolUse(string(call, "id"), string(call, "function", "name"), as_object(given) or given)
            )
        if blocks:
            yield Message("assistant", tuple(blocks))
        self._answer = text or self._answer
        # What uses a tool goes on.
        self.ended = not objects(event, "tool_calls")


def _effect(event: Mapping[str, Any]) -> Iterator[Event]:
    call = string(event, "id")
    name = string(event, "detail", "toolName") or string(event, "title")
    yield Message("assistant", (ToolUse(call, name, at(event, "detail", "input")),))
    status = string(event, "state", "status")
    output = at(event, "state", "outputText")
    failed = status not in {"", "completed"} or at(event, "state", "display", "success") is False
    if failed and not output:
        output = string(event, "state", "error", "message") or output
    if output is None:
        output = at(event, "state", "output")
    yield Message("tool", (ToolResult(call, output, failed),))
