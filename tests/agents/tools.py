"""The stand-ins as programs on a PATH, and providers asked with them without an engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from awf.runners.agents.port import Answer, CommandLineProvider, Event, Message, ProviderFailed, Request, Text

STANDINS = Path(__file__).parent / "standins"

PROGRAMS = {
    "claude": "claude",
    "codex": "codex",
    "gemini": "gemini",
    "github_copilot": "copilot",
    "mistral_vibe": "vibe",
    "opencode": "opencode",
}
"""The program of each provider."""


def install(directory: Path, *providers: str) -> Path:
    """A directory for PATH with the stand-ins of these providers (none: of all)."""
    directory.mkdir(exist_ok=True)
    for provider in providers or PROGRAMS:
        program = directory / PROGRAMS[provider]
        source = STANDINS / f"{provider}.py"
        program.write_text(f'#!/bin/sh\nPYTHONSAFEPATH= exec {sys.executable} -S -E {source} "$@"\n')
        program.chmod(0o755)
    return directory


@dataclass
class Asked:
    """How a tool was asked, and what came of it. ``failed`` where there is no answer."""

    events: list[Event] = field(default_factory=list)
    answer: Answer | None = None
    failed: ProviderFailed | None = None
    stderr: str = ""

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def messages(self) -> list[Message]:
        return [event for event in self.events if isinstance(event, Message)]


class Bench:
    """Asks stand-ins; each bench is a home of its own."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.home.mkdir()
        self.bin = install(directory / "bin")

    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.home)}

    def ask(self, provider: CommandLineProvider, prompt: str, **fields: Any) -> Asked:
        """Run the tool to its end."""
        request = Request(prompt=prompt, environ=self.environ(), working_dir=str(self.home), **fields)
        assert provider.check(request) == []
        invocation = provider.invocation(request)
        assert not any(len(argument.encode()) > 64 * 1024 for argument in invocation.argv)
        done = subprocess.run(
            [str(self.bin / invocation.argv[0]), *invocation.argv[1:]],
            input=(invocation.stdin or "").encode(),
            capture_output=True,
            check=False,
            env={**self.environ(), **invocation.env},
            cwd=self.home,
            timeout=60,
        )
        asked, parser = Asked(stderr=done.stderr.decode()), provider.parser(request)
        for line in done.stdout.decode(errors="replace").split("\n"):
            asked.events += parser.feed(line.removesuffix("\r"))
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        try:
            asked.answer = parser.finish(code, asked.stderr)
        except ProviderFailed as failure:
            asked.failed = failure
        return asked

    def asked(self, provider: str) -> list[dict[str, Any]]:
        """What a stand-in was asked, each time."""
        path = self.home / ".standins" / provider / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


KILLED = 128 + signal.SIGKILL
