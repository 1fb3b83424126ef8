"""Agents that say what a test tells them to: one behind a command-line tool (a shell script), one behind a service."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from awf.runners.agents.port import (
    Answer,
    Event,
    Invocation,
    Message,
    Parser,
    ProviderFailed,
    Request,
    Text,
    TextBlock,
    ToolResult,
    ToolUse,
    Usage,
)


class ScriptedTool:
    """``CommandLineProvider``: runs ``options.script`` with a shell. The script gets the prompt on its standard input, and
    ``SYSTEM_PROMPT``, ``SESSION``, ``TURNS`` (JSON) and ``MODEL`` in its environment. What it prints, a JSON object a line:

    ``{"say": "text"}``; ``{"use": {"id", "name", "input"}}``; ``{"result": {"id", "output", "failed"}}``;
    ``{"answer": "text", "session": "…", "input": 10, "output": 5, "cost": 0.1}``; ``{"fail": "why", "retry_after": 3}``.
    Other lines are text; without an answer, all text is the answer.."""

    install = "apt install the-shell"
    no_session = "no such session"

    def __init__(self, name: str = "scripted", program: str = "sh") -> None:
        self.name = name
        self.program = program
        self.parsers = 0

    def check(self, request: Request) -> list[str]:
        """A script is needed, and the model must not be ``wrong``."""
        errors = [] if request.options.get("script") else ["option 'script' is required"]
        return [*errors, *(["invalid model format: wrong"] if request.model == "wrong" else [])]

    def invocation(self, request: Request) -> Invocation:
        """See the class."""
        turns = json.dumps([[turn.role, turn.text] for turn in request.turns])
        return Invocation(
            argv=(self.program, "-c", str(request.options["script"])),
            stdin=request.prompt,
            env={
                "SYSTEM_PROMPT": request.system_prompt,
                "SESSION": request.session,
                "TURNS": turns,
                "MODEL": request.model,
            },
        )

    def parser(self, request: Request) -> Parser:
        """See the class."""
        self.parsers += 1
        return _Parser(request.session)


class _Parser:
    def __init__(self, session: str) -> None:
        self._session = session
        self._said: list[str] = []
        self._end: dict[str, Any] = {}

    def feed(self, line: str) -> Sequence[Event]:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            return [self._text(line + "\n")]
        if "say" in event:
            return [self._text(event["say"])]
        if "use" in event:
            return [Message("assistant", (ToolUse(**event["use"]),))]
        if "result" in event:
            return [Message("tool", (ToolResult(**event["result"]),))]
        if "break" in event:
            raise ZeroDivisionError(event["break"])
        self._end = event
        return [Message("assistant", (TextBlock(event["answer"]),))] if "answer" in event else []

    def _text(self, text: str) -> Text:
        self._said.append(text)
        return Text(text)

    def finish(self, exit_code: int, stderr: str) -> Answer:
        del stderr
        end = self._end
        counted = "input" in end or "output" in end
        usage = Usage(input=end.get("input", 0), output=end.get("output", 0)) if counted else None
        if "fail" in end or exit_code:
            retry_after = end.get("retry_after")
            message = end.get("fail", f"exit status {exit_code}")
            raise ProviderFailed(message, retry_after=retry_after, usage=usage)
        text = end.get("answer", "".join(self._said))
        return Answer(text=text, session=end.get("session", self._session), usage=usage, cost=end.get("cost"))


class ScriptedService:
    """``RemoteProvider``: answers with what ``reply`` returns or raises; ``asked`` has the requests."""

    def __init__(
        self,
        reply: Callable[[Request, Callable[[Event], None]], Awaitable[Answer]],
        name: str = "service",
    ) -> None:
        self.name = name
        self._reply = reply
        self.asked: list[Request] = []

    def check(self, request: Request) -> list[str]:
        """Nothing is wrong."""
        del request
        return []

    async def ask(self, request: Request, say: Callable[[Event], None]) -> Answer:
        """See the class."""
        self.asked.append(request)
        return await self._reply(request, say)
