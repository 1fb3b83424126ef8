"""Google's Gemini CLI, read as ``stream-json``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from awf.domain.outcomes import Usage
from awf.runners.agents import gemini_home, options
from awf.runners.agents.jsonlines import PrefixedJsonLines, as_object, at, count, string
from awf.runners.agents.port import (
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
_SANDBOX = "GEMINI_SANDBOX"

_HOME, _POLICY = "gemini", "gemini-tools.toml"

_RULE = """[[rule]]
toolName = "*"
{which}decision = "{decision}"
priority = {priority}
"""


class Gemini:
    """See ``awf.runners.agents.port.CommandLineProvider``."""

    name = "gemini"
    program = "gemini"
    install = "npm install -g @google/gemini-cli"
    no_session = "Error resuming session"
    uses_mcp = True

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = options.problems(request.options, _OPTIONS)
        if request.model and not _MODEL.fullmatch(request.model):
            found.append(f"invalid model format: {request.model} (expected a name that starts with gemini-)")
        given = options.named(request.options, _OPTIONS)
        skips = options.is_true(given.get("dangerously_skip_permissions")) if not found else False
        if skips and given.get("approval_mode") is not None:
            found.append("options approval_mode and dangerously_skip_permissions exclude each other")
        if request.mcp is not None and not found:
            found += _obstacles(request, request.mcp, given)
        return found

    def invocation(self, request: Request) -> Invocation:
        """See the port. The project is where the workflow's own commands run, so it is trusted, unless the environment says
        otherwise."""
        prompt = whole_prompt(request)
        session = Session.read(request.session).id
        argv = [
            "gemini",
            *options.arguments(request.options, _OPTIONS),
            *(() if request.mcp is None else _tools(request, request.mcp)),
            *("--output-format", "stream-json"),
            *(("--resume", session) if session else ()),
            *(("-p", prompt) if fits(prompt) else ()),
        ]
        env = {} if _TRUST in request.environ else {_TRUST: "true"}
        stdin = None if fits(prompt) else prompt
        if request.mcp is None:
            return Invocation(argv=tuple(argv), stdin=stdin, env=env)
        home = gemini_home.home(request.environ)
        settings = gemini_home.with_server(gemini_home.read_settings(home), request.mcp)
        return Invocation(
            argv=tuple(argv),
            stdin=stdin,
            env={**env, gemini_home.VARIABLE: f"{request.mcp.directory}/{_HOME}"},
            files={f"{_HOME}/{gemini_home.SETTINGS}": settings, _POLICY: _policy(request.mcp)},
            links={f"{_HOME}/{name}": target for name, target in gemini_home.links(home).items()},
        )

    def parser(self, request: Request) -> PrefixedJsonLines:
        """See the port."""
        return _Parser(request)


def _tools(request: Request, server: McpServer) -> list[str]:
    """Arguments that allow its tools, and where it is so no others. Policies of an administrator are laid over the user's, those
    of the user come in place of their own; where the system has some, the tool heeds the latter only."""
    policy = f"{server.directory}/{_POLICY}"
    chosen = options.named(request.options, _OPTIONS).get("allowed_mcp_server_names") is not None
    return [
        f"--admin-policy={policy}",
        *([f"--policy={policy}"] if server.exclusive else []),
        *([f"--allowed-mcp-server-names={server.name}"] if server.exclusive or chosen else []),
    ]


def _policy(server: McpServer) -> str:
    """The rule with the highest priority that matches counts. What is denied whatever it is given, the model is not told of."""
    rules = [_RULE.format(which=f'mcpName = "{server.name}"\n', decision="allow", priority=999)]
    if server.exclusive:
        rules.append(_RULE.format(which="", decision="deny", priority=998))
    return "\n".join(rules)


def _obstacles(request: Request, server: McpServer, given: Mapping[str, Any]) -> list[str]:
    """Why the tool would not have the server, or not ours."""
    found = []
    if server.exclusive and given.get("allowed_mcp_server_names") is not None:
        where = "where mcp_proxy switches the tool's own tools off (or say intercept_builtins: false)"
        found.append(f"option allowed_mcp_server_names must not be set {where}")
    found += [
        f"the tool takes '$' and ',' in a path for something else, and mcp_proxy needs {path}"
        for path in dict.fromkeys((server.command, server.directory))
        if "$" in path or "," in path
    ]
    home, project = gemini_home.home(request.environ), Path(request.working_dir)
    try:
        settings = [gemini_home.read_settings(home)]
        if project != home:
            settings.append(gemini_home.read_settings(project))
    except gemini_home.Unreadable as error:
        return [*found, f"its settings cannot be added to: {error}"]
    if at(settings[-1], "mcpServers", server.name) is not None and project != home:
        found.append(
            f"{project / gemini_home.SETTINGS} has an MCP server '{server.name}' of its own, which the tool would start instead"
        )
    if options.is_true(given.get("sandbox")) or _in_container(request.environ, settings):
        found.append(
            "its sandbox must be off with mcp_proxy: in it there is nothing that the server could be started from"
        )
    return found


def _in_container(environ: Mapping[str, str], settings: list[dict[str, Any]]) -> bool:
    """Does the tool start itself again in its sandbox? The environment wins over settings."""
    said = environ.get(_SANDBOX, "").strip().lower()
    return said not in {"false", "0"} if said else any(at(each, "tools", "sandbox") for each in settings)


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
                failed, output = event.get("status") == "error", event.get("output")
                if failed or output is None:
                    output = string(event, "error", "message") or output
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
