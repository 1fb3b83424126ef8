"""What the stand-ins for agents' command-line tools have in common: what they are asked, what they do about it, what they keep
of sessions. Each tool's own file has its arguments, strictly, and its output, as the real one writes it.

The end of the prompt chooses: ``Do it [tools]``. Nothing: it repeats the prompt.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from mcp import McpServer

GARBAGE = [
    b"npm warn deprecated",
    b'{"type":',
    b"\xff\xfe\x00",
    b"[1, 2]",
    b"null",
    b'{"no": "type"}',
    b'{"type": 7}',
    b"{" * 3000,
]
FLOOD_PIECE = "All work and no play makes Jack a dull boy.\n" * 1500
FLOOD = 50 * 1024 * 1024


@dataclass
class Part:
    """Something that the agent does: says a text, or uses a tool, its own or one of an MCP server."""

    text: str = ""
    tool: str = ""
    input: dict[str, Any] = field(default_factory=dict)
    output: str = ""
    failed: bool = False
    server: str = ""


def usage(message: str, code: int) -> NoReturn:
    """What was asked is not understood."""
    print(message, file=sys.stderr)
    raise SystemExit(code)


class Flags:
    """Strict reading of arguments. ``known``: per flag whether it has a value: ``"none"``, ``"value"``, ``"many"`` (values up to
    the next flag), ``"equals"`` (only as ``--flag=value``), ``"maybe"`` (a value, if the next is no flag)."""

    def __init__(self, argv: list[str], known: dict[str, str], refuse) -> None:
        self.found: dict[str, list[str]] = {}
        self.rest: list[str] = []
        while argv:
            word, *argv = argv
            name, equals, value = word.partition("=")
            if not word.startswith("-") or word == "-":
                self.rest.append(word)
                continue
            kind = known.get(name)
            if kind is None or (equals and kind == "none"):
                refuse(name)
            values = self.found.setdefault(name, [])
            if equals:
                values.append(value)
            elif kind == "value":
                if not argv or argv[0].startswith("-"):
                    refuse(name)
                values.append(argv.pop(0))
            elif kind == "many":
                while argv and not argv[0].startswith("-"):
                    values.append(argv.pop(0))
            elif kind == "maybe":
                if argv and not argv[0].startswith("-"):
                    values.append(argv.pop(0))
            elif kind == "equals":
                refuse(name)

    def has(self, name: str) -> bool:
        return name in self.found

    def one(self, name: str, default: str = "") -> str:
        return (self.found.get(name) or [default])[-1]

    def all(self, name: str) -> list[str]:
        return self.found.get(name, [])


class Standin:
    """One run of a tool."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scenario = ""
        self.servers: dict[str, dict[str, Any]] = {}
        """The MCP servers that it is told of, each with ``command``, ``args``, ``env``."""
        self.own_tools = True
        self._home = Path(os.environ["HOME"], ".standins", name)
        self.sessions = self._home / "sessions"
        self._interrupted = False

    def asked(self, prompt: str) -> str:
        """Take note of the prompt; it, without the choice at its end."""
        if not prompt.strip():
            usage("Error: no prompt", 1)
        chosen = re.search(r"\s*\[(\w+)\]\s*$", prompt)
        self.scenario = chosen[1] if chosen else ""
        return prompt[: chosen.start()] if chosen else prompt

    def stdin(self) -> str:
        """What is piped in."""
        return sys.stdin.buffer.read().decode()

    def record(self, **what: Any) -> None:
        """Leave for the test what was asked."""
        self._home.mkdir(parents=True, exist_ok=True)
        with open(self._home / "asked.jsonl", "a") as file:
            asked = {"argv": sys.argv[1:], "cwd": os.getcwd(), "servers": sorted(self.servers), **what}
            file.write(json.dumps(asked) + "\n")

    def turns(self, session: str) -> list[str] | None:
        """What was asked in a session before; None where there is no such session."""
        try:
            return json.loads((self.sessions / session).read_text())
        except FileNotFoundError:
            return None

    def keep(self, session: str, turns: list[str]) -> None:
        """Keep a session."""
        self.sessions.mkdir(parents=True, exist_ok=True)
        (self.sessions / session).write_text(json.dumps(turns))

    def new_session(self) -> str:
        return str(uuid.uuid4())

    def parts(self, prompt: str, before: list[str]) -> list[Part]:
        """What it does about a prompt."""
        if self.scenario in {"tools", "old"}:
            used = Part(tool="shell", input={"command": "echo hi"}, output="hi\n")
            broken = Part(tool="shell", input={"command": "false"}, output="exit status 1", failed=True)
            return [Part("I look first. "), used, broken, Part("All is well.")]
        if self.scenario == "mcp":
            return self._mcp_parts(json.loads(prompt[prompt.index("{") :]))
        if self.scenario == "json":
            return [Part('```json\n{"verdict": "fine", "issues": [1, 2]}\n```')]
        if self.scenario == "halves":
            return [Part("split \U0001f600 joined")]
        if before:
            return [Part(f"You said: {prompt}. Before: {', '.join(before)}.")]
        return [Part(f"You said: {prompt}.")]

    def has(self, server: str, tool: str) -> bool:
        """Is the agent told of it?"""
        return True

    def allows(self, server: str, tool: str) -> bool:
        """May the agent use it without asking anybody? There is nobody here."""
        raise NotImplementedError

    def _mcp_parts(self, wanted: dict[str, Any]) -> list[Part]:
        """Every server is started, whatever is called."""
        for described in self.servers.values():
            # It holds the engine's environment.
            assert Path(described["args"][-1]).stat().st_mode & 0o777 == 0o600
        started = {name: McpServer(described) for name, described in self.servers.items()}
        names = [
            f"{name}/{tool}"
            for name, server in started.items()
            for tool in server.tools
            if self.has(name, tool)
        ]
        names += ["own"] if self.own_tools else []
        server, tool, given = wanted["server"], wanted["tool"], wanted["arguments"]
        allowed = self.allows(server, tool)
        output, failed = started[server].call(tool, given) if allowed else ("nobody may use it", True)
        for each in started.values():
            each.close()
        used = Part(tool=tool, input=given, output=output, failed=failed, server=server)
        return [used, Part(f"Tools: {' '.join(names)}. It said: {output}")]

    def write(self, event: Any) -> None:
        """One event, as a line; and what the scenario does meanwhile."""
        if self.scenario == "garbage":
            for line in GARBAGE:
                self.raw(line + b"\n")
        data = (json.dumps(event) + "\n").encode()
        if self.scenario == "partial":
            for start in range(0, len(data), 7):
                self.raw(data[start : start + 7])
        elif self.scenario == "crlf":
            self.raw(data[:-1] + b"\r\n\r\n")
        else:
            self.raw(data)

    def raw(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def interrupt(self) -> None:
        """Call in the middle of the answer; only the first time counts."""
        if self._interrupted:
            return
        self._interrupted = True
        if self.scenario == "crash":
            self.raw(b'{"type":"half of an ev')
            os.kill(os.getpid(), signal.SIGKILL)
        if self.scenario == "cut":
            self.raw(b'{"type":"half of an ev')
            raise SystemExit(0)
        if self.scenario == "exit":
            print("panicked at src/main.rs:1", file=sys.stderr)
            raise SystemExit(101)
        if self.scenario == "hang":
            print("I wait", file=sys.stderr, flush=True)
            while True:
                signal.pause()
        if self.scenario == "flood":
            sent = 0
            while sent < FLOOD:
                self.flood(FLOOD_PIECE)
                sent += len(FLOOD_PIECE)

    def pieces(self, text: str) -> list[str]:
        """A text in words; a tool of JavaScript may cut it in the middle of a character."""
        found = re.findall(r"\S+\s*|\s+", text)
        if self.scenario != "halves":
            return found
        units = text.encode("utf-16-le", "surrogatepass")
        cut = 2 * (text.index("\U0001f600") + 1)
        return [half.decode("utf-16-le", "surrogatepass") for half in (units[:cut], units[cut:])]

    def flood(self, piece: str) -> None:
        """Say a lot; a tool's own way, if it has pieces."""
        raise NotImplementedError

    def begin(self) -> None:
        """Call before the first event."""
        if self.scenario == "plain":
            self.raw("Just words, \u00e9 and all.\n".encode())
            raise SystemExit(0)
        if self.scenario == "empty":
            raise SystemExit(0)
        if self.scenario == "grumble":
            print("Warning: 256-color support not detected.", file=sys.stderr, flush=True)
            print("ignored: no such plug-in", file=sys.stderr, flush=True)
