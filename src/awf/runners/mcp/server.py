"""The part of the Model Context Protocol that a server of tools needs: JSON-RPC 2.0, a message a line.

``initialize`` (the version is negotiated), ``ping``, ``tools/list``, ``tools/call`` and ``notifications/cancelled``; calls run at the
same time. See docs/adr/0016 for why this is no library.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from awf import __version__

log = logging.getLogger("awf.mcp")

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Of the protocol, the newest first; what is used here is the same in all."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = (
    -32700,
    -32600,
    -32601,
    -32602,
    -32603,
)

Id: TypeAlias = str | int


class Tools(Protocol):
    """What a server offers."""

    def __contains__(self, name: object) -> bool: ...

    def listed(self) -> list[dict[str, Any]]:
        """Each with ``name``, ``description`` and ``inputSchema``."""
        ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a call; what went wrong with it is one too (``isError``)."""
        ...


class _Refused(Exception):
    """A request that cannot be answered."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Server:
    """One conversation. ``send`` takes a message, a whole line."""

    def __init__(self, tools: Tools, send: Callable[[bytes], None]) -> None:
        self._tools = tools
        self._send = send
        self._calls: dict[Id, asyncio.Task[None]] = {}

    def receive(self, line: bytes) -> None:
        """Take a line; answers come when they are there."""
        if not line.strip():
            return
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._fail(None, _Refused(PARSE_ERROR, "the line is not JSON"))
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            self._fail(None, _Refused(INVALID_REQUEST, "a message must be a JSON-RPC 2.0 object"))
            return
        method, given, id = message.get("method"), message.get("params"), message.get("id")
        params = given if isinstance(given, dict) else {}
        if not isinstance(method, str):
            return  # an answer, and nothing has been asked
        if id is None:
            self._notified(method, params)
        elif isinstance(id, bool) or not isinstance(id, (str, int)):
            self._fail(None, _Refused(INVALID_REQUEST, "an id must be a text or a whole number"))
        else:
            self._asked(id, method, params)

    async def close(self) -> None:
        """End the calls that run."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _asked(self, id: Id, method: str, params: dict[str, Any]) -> None:
        try:
            match method:
                case "initialize":
                    self._result(id, _initialized(params))
                case "ping":
                    self._result(id, {})
                case "tools/list":
                    self._result(id, {"tools": self._tools.listed()})
                case "tools/call":
                    self._begin(id, params)
                case _:
                    raise _Refused(METHOD_NOT_FOUND, f"there is no method {method!r}")
        except _Refused as refused:
            self._fail(id, refused)

    def _begin(self, id: Id, params: dict[str, Any]) -> None:
        name, arguments = params.get("name"), params.get("arguments")
        if not isinstance(name, str) or name not in self._tools:
            raise _Refused(INVALID_PARAMS, f"there is no tool {name!r}")
        if not isinstance(arguments, dict | None):
            raise _Refused(INVALID_PARAMS, "arguments must be an object")
        if id in self._calls:
            raise _Refused(INVALID_REQUEST, f"the id {id!r} is in use")
        call = asyncio.ensure_future(self._perform(id, name, arguments or {}))
        self._calls[id] = call
        call.add_done_callback(lambda _: self._calls.pop(id, None))

    async def _perform(self, id: Id, name: str, arguments: dict[str, Any]) -> None:
        try:
            self._result(id, await self._tools.call(name, arguments))
        except Exception as error:
            # What it says may hold secret values; the agent's tool gets it, a log does not.
            log.error("tool %s: %s", name, type(error).__name__)  # noqa: TRY400
            self._fail(id, _Refused(INTERNAL_ERROR, f"internal error: {error!r}"))

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        id = params.get("requestId")
        if method == "notifications/cancelled" and isinstance(id, (str, int)) and id in self._calls:
            self._calls[id].cancel()

    def _result(self, id: Id, result: Any) -> None:
        self._send(msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": result}) + b"\n")

    def _fail(self, id: Id | None, refused: _Refused) -> None:
        error = {"code": refused.code, "message": refused.message}
        self._send(msgspec.json.encode({"jsonrpc": "2.0", "id": id, "error": error}) + b"\n")


def _initialized(params: Mapping[str, Any]) -> dict[str, Any]:
    wanted = params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "awf", "version": __version__},
    }
