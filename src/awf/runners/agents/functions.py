"""The tools that awf gives to an agent, as functions of Chat Completions: what they are called, and what calls of them give."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from awf.domain.json_text import parse_json
from awf.runners.agents.bounds import cut, cut_middle, sound
from awf.runners.agents.port import Message, TextBlock, ToolResult, Tools, ToolUse
from awf.runners.agents.toolcalls import Call

log = logging.getLogger("awf.engine")

LONGEST_NAME = 64
"""Characters of a function's name: letters, digits, ``_`` and ``-``."""

LONGEST_DESCRIPTION = 1024
"""Characters of what a function is said to do."""

LONGEST_RESULT = 128 * 1024
"""Bytes of the result of one call that the model gets: the beginning, a mark, the end."""

LONGEST_RESULTS = 1024 * 1024
"""Bytes of the results of all calls of one answer."""

LONGEST_COMPLAINT = 4096
"""Bytes of what is said about a call that is not understood."""

AT_ONCE = 8
"""Calls of one answer that run at the same time."""

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


class Done(Struct, frozen=True):
    """A call that is over; ``output`` is for the model."""

    call: Call
    output: str
    failed: bool


class Functions:
    """``tools`` None: there are none."""

    def __init__(self, tools: Tools | None) -> None:
        listed = [] if tools is None else tools.listed()
        self._tools = tools
        self._names = dict(_named([tool["name"] for tool in listed]))
        """What each function is called, and the tool that it is."""
        self.declared = [_declared(name, tool) for name, tool in zip(self._names, listed, strict=True)]
        """As ``tools`` of a request."""

    def use(self, call: Call) -> ToolUse:
        """A call, for the transcript."""
        given: Any = call.arguments
        with contextlib.suppress(ValueError):
            given = _arguments(call)
        return ToolUse(call.id, self._names.get(call.name, call.name), given, dict(call.more))

    def told(self, earlier: Sequence[Message]) -> list[dict[str, Any]]:
        """What was called earlier in a conversation, as messages of a request. A call whose result is not known is left out:
        services refuse it."""
        names, found = {tool: name for name, tool in self._names.items()}, []
        for number, message in enumerate(earlier):
            results: dict[str, ToolResult] = {}
            for later in itertools.takewhile(lambda each: each.role == "tool", earlier[number + 1 :]):
                results |= {each.id: each for each in later.blocks if isinstance(each, ToolResult)}
            uses = [each for each in message.blocks if isinstance(each, ToolUse) and each.id in results]
            calls = [Call(use.id, names.get(use.name, use.name), _text(use.input), use.more) for use in uses]
            if calls:
                said = "".join(each.text for each in message.blocks if isinstance(each, TextBlock))
                found.append(asked(said, calls))
                found += answered(_remembered(call, results[call.id]) for call in calls)
        return found

    async def perform(self, calls: Sequence[Call], say: Callable[[Message], None]) -> list[Done]:
        """Call them, some at the same time, and say each result when it is there. What goes wrong is a result too. When
        cancelled, nothing of them is left."""
        most, slots = min(LONGEST_RESULT, LONGEST_RESULTS // len(calls)), asyncio.Semaphore(AT_ONCE)

        async def one(call: Call) -> Done:
            async with slots:
                output, failed = await self._call(call)
            say(Message("tool", (ToolResult(call.id, output, failed),)))
            return Done(call, cut_middle(output, most), failed)

        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one(call)) for call in calls]
        return [task.result() for task in running]

    async def _call(self, call: Call) -> tuple[str, bool]:
        """What it gives, and whether it failed."""
        name = self._names.get(call.name)
        if name is None or self._tools is None:
            return cut(
                f"there is no tool {call.name!r}; there are {', '.join(self._names)}", LONGEST_COMPLAINT
            ), True
        try:
            arguments = _arguments(call)
        except ValueError as error:
            return cut(f"{name}: {error}; they were: {call.arguments}", LONGEST_COMPLAINT), True
        try:
            result = await self._tools.call(name, arguments)
        except Exception as error:
            # What it says may hold secret values; the model gets it, a log does not.
            log.error("tool %s: %s", name, type(error).__name__)  # noqa: TRY400
            return cut(sound(f"{name}: internal error: {error!r}"), LONGEST_COMPLAINT), True
        text = "".join(part["text"] for part in result["content"])
        return sound(text), bool(result.get("isError"))


def asked(text: str, calls: Iterable[Call]) -> dict[str, Any]:
    """The answer with which the model wants tools called, as a message of the next request. Services refuse names that are
    not allowed, and arguments that are not a JSON object, also in what their own model has said."""
    described = [
        {
            **call.more,
            "id": call.id,
            "type": "function",
            "function": {"name": _allowed(call.name), "arguments": _sent(call)},
        }
        for call in calls
    ]
    return {"role": "assistant", "content": text or None, "tool_calls": described}


def answered(done: Iterable[Done]) -> list[dict[str, Any]]:
    """What came of the calls, as messages of the next request."""
    return [
        {
            "role": "tool",
            "tool_call_id": each.call.id,
            "content": f"Error: {each.output}" if each.failed else each.output,
        }
        for each in done
    ]


def _remembered(call: Call, result: ToolResult) -> Done:
    return Done(call, _text(result.output), result.failed)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _arguments(call: Call) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        value = parse_json(call.arguments) if call.arguments.strip() else {}
    except ValueError as error:
        raise ValueError(f"the arguments are not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("the arguments must be a JSON object")  # noqa: TRY004
    return value


def _sent(call: Call) -> str:
    try:
        return json.dumps(_arguments(call), ensure_ascii=False)
    except ValueError:
        return "{}"


def _declared(name: str, tool: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": name, "parameters": tool["inputSchema"]}
    if tool.get("description"):
        function["description"] = tool["description"][:LONGEST_DESCRIPTION]
    return {"type": "function", "function": function}


def _named(tools: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A name for each that is allowed and no other's, and the tool."""
    given: set[str] = set()
    for tool in tools:
        name, number = _allowed(tool), 1
        while name in given:
            number += 1
            end = f"_{number}"
            name = _allowed(tool)[: LONGEST_NAME - len(end)] + end
        given.add(name)
        yield name, tool


def _allowed(name: str) -> str:
    return _FORBIDDEN.sub("_", name)[:LONGEST_NAME] or "_"
