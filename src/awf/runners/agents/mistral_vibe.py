"""Mistral's Vibe: ``vibe --prompt``, read as ``streaming``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from awf.runners.agents import options
from awf.runners.agents.jsonlines import PrefixedJsonLines, as_object, at, objects, string
from awf.runners.agents.port import (
    Block,
    Event,
    Invocation,
    Message,
    Request,
    TextBlock,
    ToolResult,
    ToolUse,
)
from awf.runners.agents.prompts import fits, whole_prompt
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


class MistralVibe:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "mistral_vibe"
    program = "vibe"
    install = "uv tool install mistral-vibe"

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = options.problems(request.options, _OPTIONS)
        given = options.named(request.options, _OPTIONS)
        skips = options.is_true(given.get("dangerously_skip_permissions")) if not found else False
        if skips and given.get("agent") not in (None, _DEFAULT):
            found.append("options agent and dangerously_skip_permissions exclude each other")
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
            *(("--resume", session) if session else ()),
        ]
        return Invocation(
            argv=tuple(argv),
            stdin=None if fits(prompt) else prompt,
            env={"VIBE_ACTIVE_MODEL": request.model} if request.model else {},
        )

    def parser(self, request: Request) -> PrefixedJsonLines:
        """See the port."""
        return _Parser(request)


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
    if output is None:
        output = at(event, "state", "output")
    yield Message("tool", (ToolResult(call, output, failed),))
