"""OpenAI's Codex: ``codex exec --json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from awf.domain.outcomes import Usage
from awf.runners.agents import options
from awf.runners.agents.jsonlines import PrefixedJsonLines, as_object, count, string
from awf.runners.agents.port import (
    Answer,
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
from awf.runners.agents.servers import LONGEST_CALL, LONGEST_START
from awf.runners.agents.sessions import Session

_MODEL = re.compile(r"(?:gpt-|codex-)\S+|o\d\S*")

_OPTIONS = {
    "model": options.text("--model"),
    "dangerously_skip_permissions": options.flag("--dangerously-bypass-approvals-and-sandbox"),
    "config": options.words("-c"),
    "effort": options.choice(
        "--config=model_reasoning_effort=", ("minimal", "low", "medium", "high", "xhigh")
    ),
    "output_format": options.ignored(("text", "json")),
}
_OPTIONS_OF_EXEC = {
    "sandbox": options.choice("--sandbox", ("read-only", "workspace-write", "danger-full-access")),
    "profile": options.text("--profile"),
    "add_dir": options.words("--add-dir"),
}
"""Those that ``exec resume`` takes only before ``resume``."""

_TOOLS = frozenset(
    {"command_execution", "mcp_tool_call", "file_change", "web_search", "collab_tool_call", "todo_list"}
)


_NO_TOOLS = {
    "features.shell_tool": False,
    "features.unified_exec": False,
    "features.view_image": False,
    "features.multi_agent": False,
    "features.goals": False,
    "features.sleep_tool": False,
    "features.image_generation": False,
    "features.skill_search": False,
    "features.tool_suggest": False,
    "web_search": "disabled",
    "sandbox_mode": "read-only",
}
"""Switches its own tools off. Some models bring `apply_patch`, for which there is no switch: the sandbox lets it change
nothing."""

_WITHOUT_OWN = "where mcp_proxy switches the tool's own tools off (or say intercept_builtins: false)"


class Codex:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "codex"
    program = "codex"
    install = "npm install -g @openai/codex"
    no_session = "no rollout found for thread id"
    uses_mcp = True

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = options.problems(request.options, {**_OPTIONS, **_OPTIONS_OF_EXEC})
        if request.model and not _MODEL.fullmatch(request.model):
            expected = "a name that starts with gpt-, codex-, or o and a digit"
            found.append(f"invalid model format: {request.model} (expected {expected})")
        if request.mcp is not None and request.mcp.exclusive and not found:
            given = options.named(request.options, {**_OPTIONS, **_OPTIONS_OF_EXEC})
            if given.get("sandbox") not in {None, "read-only"}:
                found.append(f"option sandbox must be read-only {_WITHOUT_OWN}")
            if options.is_true(given.get("dangerously_skip_permissions")):
                found.append(f"option dangerously_skip_permissions must be false {_WITHOUT_OWN}")
        return found

    def invocation(self, request: Request) -> Invocation:
        """See the port. The project is where the workflow's own commands run, so it need not be a Git repository."""
        prompt = whole_prompt(request)
        session = Session.read(request.session).id
        argv = [
            *("codex", "exec"),
            *options.arguments(request.options, _OPTIONS_OF_EXEC),
            *(("resume", session) if session else ()),
            *("--json", prompt if fits(prompt) else "-", "--skip-git-repo-check"),
            *options.arguments(request.options, _OPTIONS),
            *(() if request.mcp is None else _tools(request.mcp)),
        ]
        return Invocation(argv=tuple(argv), stdin=None if fits(prompt) else prompt)

    def parser(self, request: Request) -> PrefixedJsonLines:
        """See the port."""
        return _Parser(request)


def _tools(server: McpServer) -> Iterator[str]:
    """Overrides of the configuration that add a server and allow its tools; none of the tool's own, where it is so."""
    place = f"mcp_servers.{server.name}"
    settings = {
        f"{place}.command": server.command,
        f"{place}.args": list(server.args),
        **{f"{place}.env.{name}": value for name, value in server.env.items()},
        f"{place}.required": True,
        f"{place}.startup_timeout_sec": LONGEST_START,
        f"{place}.tool_timeout_sec": LONGEST_CALL,
        f"{place}.default_tools_approval_mode": "approve",
        **(_NO_TOOLS if server.exclusive else {}),
    }
    for name, value in settings.items():
        yield from ("-c", f"{name}={json.dumps(value, ensure_ascii=False)}")


class _Parser(PrefixedJsonLines):
    """The tool counts the tokens of the whole session; what it had cost before is known by the session's record."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._used: Usage | None = None
        self._last_error = ""
        self._begun: set[str] = set()

    def next_session(self) -> Session:
        before = super().next_session()
        return Session(id=before.id, told=before.told, used=self._used or self.before.used)

    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Event]:
        match kind:
            case "thread.started":
                self.session = string(event, "thread_id") or self.session
            case "item.started" | "item.completed":
                item = event.get("item")
                if isinstance(item, dict):
                    yield from self._item(item, done=kind == "item.completed")
            case "turn.completed":
                self.ended, self._last_error = True, ""
                if isinstance(event.get("usage"), dict):
                    self._count(event)
            case "turn.failed":
                self.error = (
                    _readable(string(event, "error", "message")) or self._last_error or "the turn failed"
                )
            case "error":
                # It tries again by itself; only the last one counts, and only where the turn does not end.
                self._last_error = _readable(string(event, "message"))

    def finish(self, exit_code: int, stderr: str) -> Answer:
        if exit_code or not self.ended:
            self.error = self.error or self._last_error
        return super().finish(exit_code, stderr)

    def _item(self, item: Mapping[str, Any], *, done: bool) -> Iterator[Event]:
        kind = string(item, "type") or string(item, "item_type")
        if kind in {"agent_message", "assistant_message"}:
            if done and string(item, "text"):
                yield from self.says(string(item, "text"))
                yield Message("assistant", (TextBlock(string(item, "text")),))
        elif kind in _TOOLS:
            name, given, result, failed = _tool(kind, item)
            call = string(item, "id")
            if call not in self._begun:  # not all of them have a beginning
                self._begun.add(call)
                yield Message("assistant", (ToolUse(call, name, given),))
            if done:
                yield Message("tool", (ToolResult(call, result, failed),))

    def _count(self, event: Mapping[str, Any]) -> None:
        total = Usage(
            input=count(event, "usage", "input_tokens"),
            cached=count(event, "usage", "cached_input_tokens"),
            output=count(event, "usage", "output_tokens"),
        )
        before, self._used = self.before.used, total
        parts = (total.input - before.input, total.cached - before.cached, total.output - before.output)
        if min(parts) >= 0:
            total = Usage(input=parts[0], cached=parts[1], output=parts[2])
        self.usage = total


def _tool(kind: str, item: Mapping[str, Any]) -> tuple[str, Any, Any, bool]:
    """A tool's name, what it was given, what it answered, and whether it failed."""
    failed = string(item, "status") in {"failed", "declined"}
    match kind:
        case "command_execution":
            code = item.get("exit_code")
            return (
                "shell",
                item.get("command"),
                item.get("aggregated_output"),
                failed or code not in (0, None),
            )
        case "mcp_tool_call":
            name = ".".join(part for part in (string(item, "server"), string(item, "tool")) if part)
            error = string(item, "error", "message")
            return name or kind, item.get("arguments"), error or item.get("result"), failed or bool(error)
        case "file_change":
            return kind, item.get("changes"), item.get("status"), failed
        case "web_search":
            return kind, item.get("query"), item.get("status"), failed
        case "todo_list":
            return kind, item.get("items"), item.get("items"), failed
    return string(item, "tool") or kind, item.get("prompt"), item.get("status"), failed


def _readable(message: str) -> str:
    """A service's error comes as the JSON that it sent."""
    return string(as_object(message), "error", "message") or message
