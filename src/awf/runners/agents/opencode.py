"""OpenCode: ``opencode run``, read as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from awf.domain.outcomes import Usage
from awf.runners.agents import options
from awf.runners.agents.jsonlines import PrefixedJsonLines, as_object, at, count, money, string
from awf.runners.agents.port import Event, Invocation, Message, Request, TextBlock, ToolResult, ToolUse
from awf.runners.agents.prompts import whole_prompt
from awf.runners.agents.servers import LONGEST_START
from awf.runners.agents.sessions import Session

_OPTIONS = {
    "model": options.text("--model"),
    "dangerously_skip_permissions": options.flag("--dangerously-skip-permissions"),
    "agent": options.text("--agent"),
    "variant": options.text("--variant"),
    "file": options.words("--file"),
    "verbose": options.flag("--print-logs"),
    "output_format": options.ignored(("text", "json")),
}


_CONFIG = "OPENCODE_CONFIG_CONTENT"
_OWN = (
    *(
        "bash",
        "codesearch",
        "doom_loop",
        "edit",
        "external_directory",
        "glob",
        "grep",
        "list",
        "lsp",
        "question",
        "read",
    ),
    *("skill", "task", "todoread", "todowrite", "webfetch", "websearch", "write"),
)
"""Its own tools. It lays our permissions over those of its files, key by key, and the last that matches counts: ``*`` alone
would not undo what a file allows by name."""


class OpenCode:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "opencode"
    program = "opencode"
    install = "npm install -g opencode-ai"
    no_session = "Session not found"
    uses_mcp = True

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = options.problems(request.options, _OPTIONS)
        given = request.environ.get(_CONFIG, "")
        if request.mcp is not None and given.strip() and not as_object(given):
            found.append(f"{_CONFIG} of the environment is not a JSON object, so nothing can be added to it")
        return found

    def invocation(self, request: Request) -> Invocation:
        """See the port. The tool puts an argument with spaces in quotation marks before it passes it on, so prompts go by
        standard input."""
        session = Session.read(request.session).id
        argv = [
            *("opencode", "run", "--format", "json"),
            *(("-s", session) if session else ()),
            *options.arguments(request.options, _OPTIONS),
        ]
        return Invocation(argv=tuple(argv), stdin=whole_prompt(request), env=_tools(request))

    def parser(self, request: Request) -> PrefixedJsonLines:
        """See the port."""
        return _Parser(request)


def _tools(request: Request) -> dict[str, str]:
    """The configuration of the environment with the server added, and its tools allowed; none of the tool's own, where it is
    so."""
    server = request.mcp
    if server is None:
        return {}
    config = dict(as_object(request.environ.get(_CONFIG, "")))
    described = {
        "type": "local",
        "command": [server.command, *server.args],
        "environment": dict(server.env),
        "enabled": True,
        "timeout": LONGEST_START * 1000,
    }
    config["mcp"] = {**_map(config.get("mcp")), server.name: described}
    allowed = {f"{server.name}_*": "allow"}
    if server.exclusive:
        config["permission"] = dict.fromkeys(("*", *_OWN), "deny") | allowed
    else:
        given = config.get("permission")
        config["permission"] = {**({"*": given} if isinstance(given, str) else _map(given)), **allowed}
    return {_CONFIG: json.dumps(config)}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


class _Parser(PrefixedJsonLines):
    """Parts of messages come when they are whole. Every step counts its own tokens."""

    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Event]:
        self.session = string(event, "sessionID") or self.session
        part = at(event, "part")
        match kind:
            case "text":
                text = string(part, "text")
                yield from self.says(text)
                if text:
                    yield Message("assistant", (TextBlock(text),))
            case "tool_use":
                yield from _tool(part)
            case "step_finish":
                self._count(part)
                # Another step follows where tools were used.
                self.ended = string(part, "reason") != "tool-calls"
            case "error":
                said = string(event, "error", "data", "message") or string(event, "error", "message")
                self.error = said or string(event, "error", "name") or "it failed"

    def _count(self, part: Any) -> None:
        cached, written = count(part, "tokens", "cache", "read"), count(part, "tokens", "cache", "write")
        self.usage = (self.usage or Usage()) + Usage(
            input=count(part, "tokens", "input") + cached + written,
            output=count(part, "tokens", "output") + count(part, "tokens", "reasoning"),
            cached=cached,
        )
        cost = money(part, "cost")
        if cost:  # 0 is also what the tool says of models whose price it does not know
            self.cost = (self.cost or 0.0) + cost


def _tool(part: Any) -> Iterator[Event]:
    call, name = string(part, "callID"), string(part, "tool")
    state = at(part, "state")
    yield Message("assistant", (ToolUse(call, name, at(state, "input")),))
    failed = at(state, "status") == "error"
    output = at(state, "error") if failed else at(state, "output")
    yield Message("tool", (ToolResult(call, output, failed),))
