"""The protocol of ``awf mcp-serve``: what is answered to which line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from awf.runners.mcp.server import VERSIONS, Server


class Toolbox:
    """``echo`` answers, ``wait`` does not before it is let, ``break`` breaks."""

    def __init__(self) -> None:
        self.go_on, self.cancelled = asyncio.Event(), asyncio.Event()

    def __contains__(self, name: object) -> bool:
        return name in {"echo", "wait", "break"}

    def listed(self) -> list[dict[str, Any]]:
        return [{"name": "echo", "description": "Echo.", "inputSchema": {"type": "object"}}]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if name == "break":
            raise ZeroDivisionError("s3cret")
        try:
            if name == "wait":
                await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return {"content": [{"type": "text", "text": json.dumps(arguments)}]}


class Conversation:
    """What a server is told, and its answers."""

    def __init__(self) -> None:
        self.tools = Toolbox()
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.server = Server(self.tools, self._take)

    def _take(self, line: bytes) -> None:
        assert line.endswith(b"\n")
        assert b"\n" not in line[:-1]
        self._answers.put_nowait(json.loads(line))

    def tell(self, message: Any) -> None:
        self.server.receive(json.dumps(message).encode() + b"\n")

    async def ask(self, method: str, params: Any = None, id: Any = 1) -> dict[str, Any]:
        self.tell({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        answer = await self.answer()
        assert answer["id"] == id
        return answer.get("result") or answer.get("error") or {}

    async def answer(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._answers.get(), 20)

    def nothing(self) -> bool:
        return self._answers.empty()


def talk(inside: Any) -> None:
    async def all_of_it() -> None:
        conversation = Conversation()
        await inside(conversation)
        await conversation.server.close()

    asyncio.run(all_of_it())


@pytest.mark.parametrize("wanted", [*VERSIONS, "1999-01-01", None, 7])
def test_the_version_is_the_clients_where_it_is_known(wanted: Any) -> None:
    async def inside(with_it: Conversation) -> None:
        found = await with_it.ask("initialize", {"protocolVersion": wanted, "capabilities": {}})
        assert found["protocolVersion"] == (wanted if wanted in VERSIONS else VERSIONS[0])
        assert found["capabilities"] == {"tools": {}}
        assert found["serverInfo"]["name"] == "awf"

    talk(inside)


def test_what_is_asked_is_answered() -> None:
    async def inside(with_it: Conversation) -> None:
        assert await with_it.ask("ping", id="p") == {}
        assert [tool["name"] for tool in (await with_it.ask("tools/list"))["tools"]] == ["echo"]
        called = await with_it.ask("tools/call", {"name": "echo", "arguments": {"é": [1]}}, id=7)
        assert json.loads(called["content"][0]["text"]) == {"é": [1]}
        assert json.loads((await with_it.ask("tools/call", {"name": "echo"}))["content"][0]["text"]) == {}

    talk(inside)


@pytest.mark.parametrize(
    ("message", "code", "says"),
    [
        (b"{oops\n", -32700, "not JSON"),
        (b"\xff\xfe\n", -32700, "not JSON"),
        (b"[1]\n", -32600, "must be a JSON-RPC 2.0 object"),
        (b'{"id": 1, "method": "ping"}\n', -32600, "must be a JSON-RPC 2.0 object"),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "ping"}\n', -32600, "an id must be"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}\n', -32601, "no method 'resources/list'"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}\n', -32602, "no tool None"),
        (
            b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "rm"}}\n',
            -32602,
            "no tool 'rm'",
        ),
        (
            b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": [1]}}\n',
            -32602,
            "must be an object",
        ),
    ],
)
def test_what_cannot_be_answered_is_an_error_and_the_next_is_answered(
    message: bytes, code: int, says: str
) -> None:
    async def inside(with_it: Conversation) -> None:
        with_it.server.receive(message)
        error = (await with_it.answer())["error"]
        assert error["code"] == code
        assert says in error["message"]
        assert await with_it.ask("ping") == {}

    talk(inside)


def test_what_needs_no_answer_gets_none() -> None:
    async def inside(with_it: Conversation) -> None:
        with_it.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
        with_it.tell({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}})
        with_it.tell({"jsonrpc": "2.0", "id": 5, "result": {}})
        with_it.server.receive(b"\n")
        assert with_it.nothing()
        assert await with_it.ask("ping") == {}

    talk(inside)


def test_calls_run_at_the_same_time_and_can_be_cancelled() -> None:
    async def inside(with_it: Conversation) -> None:
        with_it.tell({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wait"}})
        assert "content" in await with_it.ask("tools/call", {"name": "echo"}, id=2)
        error = await with_it.ask("tools/call", {"name": "echo"}, id=1)
        assert error["message"] == "the id 1 is in use"
        with_it.tell({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
        await asyncio.wait_for(with_it.tools.cancelled.wait(), 20)
        assert with_it.nothing()

    talk(inside)


def test_closing_ends_what_runs() -> None:
    async def inside(with_it: Conversation) -> None:
        with_it.tell({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wait"}})
        assert await with_it.ask("ping", id=2) == {}
        await with_it.server.close()
        assert with_it.tools.cancelled.is_set()

    talk(inside)


def test_a_fault_is_an_error_and_its_text_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def inside(with_it: Conversation) -> None:
        assert (await with_it.ask("tools/call", {"name": "break"}))["code"] == -32603

    talk(inside)
    assert "ZeroDivisionError" in caplog.text
    assert "s3cret" not in caplog.text
