"""A service on loopback that follows the Chat Completions format as a test says, byte for byte where it matters."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

USAGE = {
    "prompt_tokens": 123,
    "completion_tokens": 45,
    "total_tokens": 168,
    "prompt_tokens_details": {"cached_tokens": 3},
}
CHUNKED = b"%x\r\n%s\r\n"


@dataclass
class Exchange:
    """One request, and the means to answer it. ``closed`` is set when the client has gone."""

    head: str
    body: Any
    writer: asyncio.StreamWriter
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def header(self, name: str) -> str:
        for line in self.head.split("\r\n")[1:]:
            if line.lower().startswith(name.lower() + ":"):
                return line.partition(":")[2].strip()
        return ""

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def reply(self, status: int, body: Any, **headers: str) -> None:
        """A whole answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
        self.send(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + data)

    def start_stream(self) -> None:
        self.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

    def chunk(self, data: bytes) -> None:
        self.send(CHUNKED % (len(data), data))

    def event(self, value: Any) -> None:
        self.chunk(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode())

    def delta(self, text: str) -> None:
        self.event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})

    def calls(self, *calls: tuple[str, str, str]) -> None:
        """Tool calls in pieces, each an id, a name and arguments; those of several come mixed."""
        for index, (id, name, _) in enumerate(calls):
            self._call_pieces(
                {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
            )
        for at in range(0, max(len(arguments) for _, _, arguments in calls), 7):
            pieces = [
                {"index": index, "function": {"arguments": arguments[at : at + 7]}}
                for index, (_, _, arguments) in enumerate(calls)
                if arguments[at : at + 7]
            ]
            self._call_pieces(*reversed(pieces))

    def _call_pieces(self, *pieces: dict[str, Any]) -> None:
        self.event({"choices": [{"index": 0, "delta": {"tool_calls": pieces}, "finish_reason": None}]})

    def end_stream(self, *, done: bool = True, usage: bool = True) -> None:
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if usage:
            self.event({"choices": [], "usage": USAGE})
        if done:
            self.event("[DONE]")
        self.send(b"0\r\n\r\n")


Answering = Callable[[Exchange], Awaitable[None] | None]


@asynccontextmanager
async def chat_server(answering: Answering) -> AsyncIterator[tuple[str, list[Exchange]]]:
    """Its base URL, and the requests as they come. After an answer the connection is closed, unless the client goes on
    reading: a handler that waits for ``closed`` keeps it."""
    exchanges: list[Exchange] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        exchange = Exchange(head, None, writer)
        exchange.body = json.loads(await reader.readexactly(int(exchange.header("Content-Length"))))
        exchanges.append(exchange)

        async def watch() -> None:
            try:
                while await reader.read(1024):
                    pass
            except OSError:
                pass
            exchange.closed.set()

        watching = asyncio.create_task(watch())
        try:
            answer = answering(exchange)
            if answer is not None:
                await answer
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            await watching

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", exchanges
    finally:
        server.close()
        await server.wait_closed()


@contextmanager
def chat_service(answering: Answering) -> Iterator[tuple[str, list[Exchange]]]:
    """The same in a thread of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def serve() -> None:
        async with chat_server(answering) as (url, exchanges):
            found.extend([url, exchanges, asyncio.get_running_loop()])
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield found[0], found[1]
    finally:
        found[2].call_soon_threadsafe(stop.set)
        thread.join(10)


def completion(text: Any, **fields: Any) -> dict[str, Any]:
    """An answer in one piece."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c1", "object": "chat.completion", "choices": [choice], "usage": USAGE, **fields}


def wanting(text: str, *calls: tuple[str, str, str]) -> dict[str, Any]:
    """An answer in one piece that wants tools called; see ``Exchange.calls``."""
    answer = completion(text)
    answer["choices"][0]["message"]["tool_calls"] = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id, name, arguments in calls
    ]
    return answer


def spoken(exchange: Exchange, text: str, *calls: tuple[str, str, str]) -> None:
    """Answer as the request wants it, in one piece or streamed."""
    if not exchange.body.get("stream"):
        exchange.reply(200, wanting(text, *calls) if calls else completion(text))
        return
    exchange.start_stream()
    for word in text.split(" "):
        exchange.delta(word if text.startswith(word) else f" {word}")
    if calls:
        exchange.calls(*calls)
    exchange.end_stream()
