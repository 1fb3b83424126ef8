"""Tools as functions: names that are allowed, and nothing that a tool does is a crash."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from awf.runners.agents.functions import AT_ONCE, LONGEST_RESULTS, Functions, answered, asked
from awf.runners.agents.port import Message, TextBlock, ToolResult, ToolUse
from awf.runners.agents.toolcalls import Call


class Toolbox:
    """Tools that answer with their name and arguments; ``broken`` raises. ``most``: calls that ran at the same time."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.running = self.most = 0

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def listed(self) -> list[dict[str, Any]]:
        return [{"name": name, "description": "d" * 2000, "inputSchema": {}} for name in self.names]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if name == "broken":
            raise KeyError("sk-secret")
        return {"content": [{"type": "text", "text": f"{name} {arguments.get('x', '')}"}]}


def perform(tools: Toolbox, *calls: Call) -> tuple[list[dict[str, Any]], list[Message]]:
    said: list[Message] = []
    functions = Functions(tools)
    return answered(asyncio.run(functions.perform(calls, said.append))), said


def test_names_are_allowed_ones_and_each_is_another_tool() -> None:
    long = "p." + "x" * 80
    tools = Toolbox("a.b", "a_b", "a/b", "é", long, long + "y", "a_b_2")
    functions = Functions(tools)
    names = [each["function"]["name"] for each in functions.declared]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name in names)
    assert names[:4] == ["a_b", "a_b_2", "a_b_3", "_"]
    told, _ = perform(tools, *(Call(name, name, "") for name in names))
    assert [message["content"].strip() for message in told] == list(tools.names)
    assert len(functions.declared[0]["function"]["description"]) == 1024


def test_a_tool_that_raises_is_a_result_of_its_call() -> None:
    told, said = perform(Toolbox("broken", "fine"), Call("1", "broken", ""), Call("2", "fine", '{"x": 1}'))
    assert told[0]["content"].startswith("Error: broken: internal error: KeyError")
    assert told[1]["content"] == "fine 1"
    assert [message.role for message in said] == ["tool", "tool"]


def test_only_some_run_at_the_same_time_and_all_results_together_are_bounded() -> None:
    tools = Toolbox("t")
    calls = [Call(str(number), "t", '{"x": "' + "y" * 50_000 + '"}') for number in range(100)]
    told, _ = perform(tools, *calls)
    assert tools.most == AT_ONCE
    assert [message["tool_call_id"] for message in told] == [call.id for call in calls]
    assert (
        LONGEST_RESULTS / 2 < sum(len(message["content"]) for message in told) < LONGEST_RESULTS + 100 * 100
    )


def test_what_the_model_has_said_is_told_to_it_in_a_form_that_services_take() -> None:
    message = asked("", [Call("1", "no name!", "{'"), Call("2", "", "[1]"), Call("3", "x", '{"é": 1}')])
    assert message["content"] is None
    assert [call["function"] for call in message["tool_calls"]] == [
        {"name": "no_name_", "arguments": "{}"},
        {"name": "_", "arguments": "{}"},
        {"name": "x", "arguments": '{"é": 1}'},
    ]


def test_of_an_earlier_conversation_only_whole_calls_are_told() -> None:
    """Services may name the calls of every answer alike; results may be missing, and values be cut."""
    earlier = [
        Message(
            "assistant", (TextBlock("I look."), ToolUse("1", "a.b", {"x": 1}), ToolUse("2", "a.b", "[1, …"))
        ),
        Message("tool", (ToolResult("2", {"y": 2}, failed=True),)),
        Message("tool", (ToolResult("1", "one"),)),
        Message("assistant", (ToolUse("1", "gone.one", {}),)),
        Message("tool", (ToolResult("1", "other"),)),
        Message("assistant", (ToolUse("3", "a.b", {}),)),
    ]
    told = Functions(Toolbox("a_b", "a.b")).told(earlier)
    assert [(each["role"], each["content"]) for each in told] == [
        ("assistant", "I look."),
        ("tool", "one"),
        ("tool", 'Error: {"y": 2}'),
        ("assistant", None),
        ("tool", "other"),
    ]
    calls = [call["function"] for each in told for call in each.get("tool_calls", ())]
    assert calls == [
        {"name": "a_b_2", "arguments": '{"x": 1}'},
        {"name": "a_b_2", "arguments": "{}"},
        {"name": "gone_one", "arguments": "{}"},
    ]
