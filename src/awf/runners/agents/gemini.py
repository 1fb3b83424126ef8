"""Google's Gemini CLI, read as ``stream-json``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from awf.domain.outcomes import Usage
from awf.runners.agents import options
from awf.runners.agents.jsonlines import PrefixedJsonLines, as_object, count, string
from awf.runners.agents.port import Event, Invocation, Message, Request, TextBlock, ToolResult, ToolUse
from awf.runners.agents.prompts import fits, whole_prompt
from awf.runners.agents.sessions import Session

_MODEL = re.compile(r"gemini-\S+|auto|pro|flash|flash-lite")

_OPTIONS = {
    "dangerously_skip_permissions": options.flag("--approval-mode=yolo"),
    "approval_mode": options.choice("--approval-mode=", ("default", "auto_edit", "yolo", "plan")),
    "model": options.text("--model"),
    "sandbox": options.flag("--sandbox"),
    "include_directories": options.words("--include-directories", joined=","),
    "extensions": options.words("--extensions"),
    "allowed_mcp_server_names": options.words("--allowed-mcp-server-names"),
    "output_format": options.ignored(("text", "json")),
}

_TRUST = "GEMINI_CLI_TRUST_WORKSPACE"


class Gemini:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "gemini"
    program = "gemini"
    install = "npm install -g @google/gemini-cli"

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = options.problems(request.options, _OPTIONS)
        if request.model and not _MODEL.fullmatch(request.model):
            found.append(f"invalid model format: {request.model} (expected a name that starts with gemini-)")
        given = options.named(request.options, _OPTIONS)
        skips = options.is_true(given.get("dangerously_skip_permissions")) if not found else False
        if skips and given.get("approval_mode") is not None:
            found.append("options approval_mode and dangerously_skip_permissions exclude each other")
        return found

    def invocation(self, request: Request) -> Invocation:
        """See the port. The project is where the workflow's own commands run, so it is trusted, unless the environment says
        otherwise."""
        prompt = whole_prompt(request)
        session = Session.read(request.session).id
        argv = [
            "gemini",
            *options.arguments(request.options, _OPTIONS),
            *("--output-format", "stream-json"),
            *(("--resume", session) if session else ()),
            *(("-p", prompt) if fits(prompt) else ()),
        ]
        return Invocation(
            argv=tuple(argv),
            stdin=None if fits(prompt) else prompt,
            env={} if _TRUST in request.environ else {_TRUST: "true"},
        )

    def parser(self, request: Request) -> PrefixedJsonLines:
        """See the port."""
        return _Parser(request)


class _Parser(PrefixedJsonLines):
    """A message comes in pieces and has no end: the next event of another kind ends it."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._pieces: list[str] = []
        self._warning = ""

    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Event]:
        if kind == "message" and event.get("role") == "assistant":
            piece = string(event, "content")
            is_next = event.get("delta") is True and bool(self._pieces)
            if not is_next:
                yield from self._message()
            yield from self.says(piece, apart=not is_next)
            self._pieces.append(piece)
            return
        yield from self._message()
        match kind:
            case "init":
                self.session = string(event, "session_id") or self.session
            case "tool_use":
                call, name = string(event, "tool_id"), string(event, "tool_name")
                yield Message("assistant", (ToolUse(call, name, event.get("parameters")),))
            case "tool_result":
                failed = event.get("status") == "error"
                output = event.get("output")
                if output is None:
                    output = string(event, "error", "message")
                yield Message("tool", (ToolResult(string(event, "tool_id"), output, failed),))
            case "error":
                self._warning = string(event, "message") or self._warning
            case "result":
                self._end(event)

    def _message(self) -> Iterator[Event]:
        text = "".join(self._pieces)
        self._pieces.clear()
        if text:
            yield Message("assistant", (TextBlock(text),))

    def _end(self, event: Mapping[str, Any]) -> None:
        self.ended = True
        if isinstance(event.get("stats"), dict):
            self.usage = Usage(
                input=count(event, "stats", "input_tokens"),
                output=count(event, "stats", "output_tokens"),
                cached=count(event, "stats", "cached"),
            )
        if event.get("status") == "error":
            said = string(event, "error", "message")
            self.error = _readable(said) or self._warning or "it failed"


def _readable(message: str) -> str:
    """The service's error comes as the JSON that it sent: ``[API Error: {"error": …}]``."""
    inner = message.removeprefix("[API Error: ").removesuffix("]")
    return string(as_object(inner), "error", "message") or message
