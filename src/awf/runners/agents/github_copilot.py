"""GitHub Copilot's command line: ``copilot -p``, read as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from awf.domain.outcomes import Usage
from awf.runners.agents import options
from awf.runners.agents.jsonlines import PrefixedJsonLines, at, count, objects, string
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
from awf.runners.agents.servers import servers
from awf.runners.agents.sessions import Session

_CHARACTERS_PER_TOKEN = 4

_OPTIONS = {
    "model": options.text("--model="),
    "mode": options.choice("--mode=", ("interactive", "plan", "autopilot")),
    "effort": options.choice("--effort=", ("none", "minimal", "low", "medium", "high", "xhigh", "max")),
    "allow_tool": options.words("--allow-tool="),
    "allow_tools": options.words("--allow-tool="),
    "deny_tool": options.words("--deny-tool="),
    "deny_tools": options.words("--deny-tool="),
    "allow_all": options.flag("--allow-all"),
    "dangerously_skip_permissions": options.flag("--allow-all"),
    "add_dir": options.words("--add-dir="),
    "agent": options.text("--agent="),
    "output_format": options.ignored(("text", "json")),
}


_SERVERS = "copilot-mcp.json"


class GitHubCopilot:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "github_copilot"
    program = "copilot"
    install = "npm install -g @github/copilot"
    no_session = "No session, task, or name matched"
    uses_mcp = True

    def check(self, request: Request) -> list[str]:
        """See the port."""
        return options.problems(request.options, _OPTIONS)

    def invocation(self, request: Request) -> Invocation:
        """See the port."""
        prompt = whole_prompt(request)
        session = Session.read(request.session).id
        argv = [
            "copilot",
            *(("-p", prompt) if fits(prompt) else ()),
            *("--output-format=json", "--silent"),
            *dict.fromkeys(options.arguments(request.options, _OPTIONS)),
            *((f"--resume={session}",) if session else ()),
            *(() if request.mcp is None else _tools(request.mcp)),
        ]
        return Invocation(
            argv=tuple(argv),
            stdin=None if fits(prompt) else prompt,
            files={} if request.mcp is None else {_SERVERS: servers(request.mcp, type="local", tools=["*"])},
        )

    def parser(self, request: Request) -> PrefixedJsonLines:
        """See the port."""
        return _Parser(request)


def _tools(server: McpServer) -> list[str]:
    """Arguments that add a server and allow its tools; none of the tool's own and no other servers, where it is so."""
    only = (f"--available-tools={server.name}", "--disable-builtin-mcps") if server.exclusive else ()
    return [f"--additional-mcp-config=@{server.directory}/{_SERVERS}", f"--allow-tool={server.name}", *only]


class _Parser(PrefixedJsonLines):
    """A message comes in pieces and then whole; the last one is the answer. What subagents say is in the record only. The tool
    does not always say what went in."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._asked = len(whole_prompt(request))
        self._answer = ""
        self._in_pieces = ""
        self._written = 0

    def answer(self) -> str:
        return self._answer

    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Event]:
        data = at(event, "data")
        inner = bool(string(data, "parentToolCallId"))
        match kind:
            case "assistant.message_delta" if not inner:
                message = string(data, "messageId")
                yield from self.says(string(data, "deltaContent"), apart=message != self._in_pieces)
                self._in_pieces = message
            case "assistant.message":
                yield from self._message(data, inner=inner)
            case "tool.execution_complete":
                failed = at(data, "success") is False
                output = at(data, "error", "message") if failed else at(data, "result", "content")
                yield Message("tool", (ToolResult(string(data, "toolCallId"), output, failed),))
            case "assistant.usage":
                self._count(data)
            case "session.error":
                self.error = string(data, "message") or string(data, "errorType") or "the session failed"
            case "result":
                self._end(event)

    def _message(self, data: Any, *, inner: bool) -> Iterator[Event]:
        text = string(data, "content")
        self._written += count(data, "outputTokens")
        if not inner:
            if string(data, "messageId") != self._in_pieces:
                yield from self.says(text)
            self._in_pieces = ""
            self._answer = text or self._answer
        blocks: list[Block] = [TextBlock(text)] if text else []
        blocks += [
            ToolUse(string(call, "toolCallId"), string(call, "name"), call.get("arguments"))
            for call in objects(data, "toolRequests")
        ]
        if blocks:
            yield Message("assistant", tuple(blocks))

    def _count(self, data: Any) -> None:
        cached = count(data, "cacheReadTokens")
        self.usage = (self.usage or Usage()) + Usage(
            input=count(data, "inputTokens"), output=count(data, "outputTokens"), cached=cached
        )

    def _end(self, event: Mapping[str, Any]) -> None:
        self.ended = True
        self.session = string(event, "sessionId") or self.session
        if self.usage is None and self._written:
            asked = self._asked // _CHARACTERS_PER_TOKEN
            self.usage = Usage(input=asked, output=self._written, estimated=True)
