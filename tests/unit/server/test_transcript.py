"""What agents were asked and what was said, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from awf.domain.outcomes import Usage
from awf.journal.events import AgentCall, AgentMessage, StepCompleted, StepFailed, StepRetrying
from awf.journal.messages import TextBlock, ToolResult, ToolUse
from awf.server import transcript
from awf.testing.builders import entries, running, step_completed, step_output, step_started
from unit.server.bench import Bench, scenario

WHERE: dict[str, Any] = {"step": 1, "state": "ask", "path": "each[0]/ask", "attempt": 1}
CALL = AgentCall(
    provider="claude",
    prompt="Read \ue000inputs.token#0\ue001!",
    system_prompt="You read.",
    options={"model": "sonnet", "api_key": "k"},
    continue_from="before",
    session="s0",
)


def said(role: Any, *blocks: Any) -> AgentMessage:
    return AgentMessage(role=role, blocks=blocks, **WHERE)


async def story(bench: Bench) -> None:
    claim = await running(bench.store, "a1")
    asked = {name: value for name, value in WHERE.items() if name != "step"}
    await bench.store.append(
        claim.ownership,
        entries(
            2,
            step_started(1, kind="agent", agent=CALL, **asked),
            step_output(1, "I see", state="ask", path="each[0]/ask"),
            said("assistant", TextBlock("I "), ToolUse("1", "ls", {"path": "."})),
            said("tool", ToolResult("1", "x", failed=True)),
            StepRetrying(
                exit_code=1, error="busy", delay=1, provider="claude", usage=Usage(input=1), **WHERE
            ),
            step_started(2),
            step_completed(2),
            StepFailed(exit_code=3, error="no", provider="claude", **WHERE),
            StepCompleted(
                duration=1.5, provider="claude", session="s1", usage=Usage(input=5, output=2), **WHERE
            ),
        ),
    )


async def read(bench: Bench, query: str = "") -> tuple[list[dict[str, Any]], str | None]:
    response = await bench.get(f"/api/executions/a1/transcript{query}")
    link = response.headers.get("link")
    return response.json()["body"]["transcript"], link and link.split("cursor=")[1].split(">")[0]


@scenario
async def test_everything_that_was_said(bench: Bench) -> None:
    await story(bench)
    found, following = await read(bench)
    assert following is None
    where = {"step": 1, "step_name": "ask", "path": "each[0]/ask", "attempt": 1}
    assert all(where.items() <= entry.items() for entry in found)
    shown = [{name: value for name, value in entry.items() if name not in {*where, "at"}} for entry in found]
    assert shown == [
        {
            "seq": 3,
            "type": "request",
            "provider": "claude",
            "model": "sonnet",
            "continue_from": "before",
            "session": "s0",
        },
        {"seq": 3, "type": "message", "role": "system", "blocks": [{"type": "text", "text": "You read."}]},
        {"seq": 3, "type": "message", "role": "user", "blocks": [{"type": "text", "text": "Read ***!"}]},
        {
            "seq": 5,
            "type": "message",
            "role": "assistant",
            "blocks": [
                {"type": "text", "text": "I "},
                {"type": "tool_use", "id": "1", "name": "ls", "input": {"path": "."}},
            ],
        },
        {
            "seq": 6,
            "type": "message",
            "role": "tool",
            "blocks": [{"type": "tool_result", "id": "1", "output": "x", "failed": True}],
        },
        {
            "seq": 7,
            "type": "result",
            "provider": "claude",
            "status": "retrying",
            "error": "busy",
            "exit_code": 1,
            "usage": {"tokens_used": 1, "tokens_input": 1, "tokens_output": 0},
        },
        {
            "seq": 10,
            "type": "result",
            "provider": "claude",
            "status": "failed",
            "error": "no",
            "exit_code": 3,
            "duration_ms": 0,
        },
        {
            "seq": 11,
            "type": "result",
            "provider": "claude",
            "status": "completed",
            "exit_code": 0,
            "duration_ms": 1500,
            "session": "s1",
            "usage": {"tokens_used": 7, "tokens_input": 5, "tokens_output": 2},
        },
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@scenario
async def test_pages_are_the_whole(bench: Bench, limit: int) -> None:
    await story(bench)
    whole, _ = await read(bench)
    found: list[dict[str, Any]] = []
    query: str | None = f"?limit={limit}"
    while query is not None:
        page, following = await read(bench, query)
        found += page
        query = None if following is None else f"?limit={limit}&cursor={following}"
    assert found == whole


@scenario
async def test_large_messages_are_few_to_a_page(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "LARGEST", 100)
    await story(bench)
    found, following = await read(bench)
    assert ([entry["seq"] for entry in found], following) == ([3, 3, 3], "3")


@scenario
async def test_an_execution_that_is_not_there(bench: Bench) -> None:
    assert (await bench.get("/api/executions/a2/transcript")).status_code == 404
    assert (await bench.get("/api/executions/../transcript")).status_code == 404
    await story(bench)
    assert (await bench.get("/api/executions/a1/transcript?limit=x")).status_code == 400
