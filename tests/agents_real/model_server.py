"""A model server on loopback that speaks what the real tools ask in: Anthropic messages, OpenAI responses and chat
completions, Gemini's generateContent; streaming and not. It answers by a script and keeps what it was asked.

Its replies are in order, or chosen by what is asked. Requests without tools (titles, routing, summaries) get the last reply again and take none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """The model says this, in pieces of a word each."""

    text: str

    def pieces(self) -> list[str]:
        words = self.text.split(" ")
        return [
            word if last else word + " "
            for last, word in zip([False] * (len(words) - 1) + [True], words, strict=True)
        ]


@dataclass(frozen=True)
class Call:
    """The model calls a tool. ``namespace``: where the Responses protocol has it in one."""

    name: str
    input: dict[str, Any]
    id: str = "call_1"
    namespace: str = ""


@dataclass(frozen=True)
class Refuse:
    """The server answers with an error."""

    status: int
    message: str


Reply = Say | Call | Refuse

INPUT_TOKENS, OUTPUT_TOKENS = 123, 45
"""What every reply is said to have cost."""


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Replies = Sequence[Reply] | Callable[[Any], Reply]


@dataclass
class Script:
    replies: Replies
    asked: list[Asked] = field(default_factory=list)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, body: Any) -> Reply:
        with self._lock:
            if not (isinstance(body, dict) and body.get("tools")):
                return Say("A title")
            if callable(self.replies):
                return self.replies(body)
            found = self.replies[min(self._next, len(self.replies) - 1)]
            self._next += 1
            return found


class ModelServer:
    """Serves a script while it is entered. ``url`` has no path."""

    def __init__(self, replies: Replies) -> None:
        self.script = Script(replies)
        handler = type("Handler", (_Handler,), {"script": self.script})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def asked(self) -> list[Asked]:
        """Everything that was asked of the model."""
        return [each for each in self.script.asked if isinstance(each.body, dict)]

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    script: Script
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._json(200, None)

    def do_GET(self) -> None:
        self.script.asked.append(Asked("GET", self.path, dict(self.headers), None))
        self._json(200, {"object": "list", "data": [], "models": []})

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(data or b"{}")
        except ValueError:
            body = None
        self.script.asked.append(Asked("POST", self.path, dict(self.headers), body))
        path = self.path.partition("?")[0]
        if path.endswith("/count_tokens"):
            return self._json(200, {"input_tokens": INPUT_TOKENS})
        if path.endswith(":countTokens"):
            return self._json(200, {"totalTokens": INPUT_TOKENS})
        for end, speaks in _DIALECTS.items():
            if path.endswith(end):
                return self._answer(speaks(), body, streams=end == ":streamGenerateContent")
        return self._json(404, {"error": {"message": f"no such path: {path}"}})

    def _answer(self, dialect: Dialect, body: Any, *, streams: bool) -> None:
        reply = self.script.reply(body)
        if isinstance(reply, Refuse):
            return self._json(reply.status, dialect.error(reply))
        if not (streams or (isinstance(body, dict) and body.get("stream"))):
            return self._json(200, dialect.whole(reply))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for name, event in dialect.stream(reply):
            head = f"event: {name}\n" if name else ""
            data = event if isinstance(event, str) else json.dumps(event)
            self.wfile.write(f"{head}data: {data}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True
        return None

    def _json(self, status: int, value: Any) -> None:
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Dialect:
    """How replies look in one protocol."""

    def whole(self, reply: Reply) -> Any:
        raise NotImplementedError

    def stream(self, reply: Reply) -> Iterator[tuple[str, Any]]:
        raise NotImplementedError

    def error(self, reply: Refuse) -> Any:
        return {"error": {"message": reply.message, "type": "invalid_request_error", "code": None}}


class Messages(Dialect):
    def _message(self, content: list[Any], stop: str | None) -> dict[str, Any]:
        usage = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }

    def whole(self, reply: Reply) -> Any:
        if isinstance(reply, Say):
            return self._message([{"type": "text", "text": reply.text}], "end_turn")
        return self._message(
            [{"type": "tool_use", "id": reply.id, "name": reply.name, "input": reply.input}], "tool_use"
        )

    def stream(self, reply: Reply) -> Iterator[tuple[str, Any]]:
        yield "message_start", {"type": "message_start", "message": self._message([], None)}
        if isinstance(reply, Say):
            block: Any = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in reply.pieces()]
        else:
            block = {"type": "tool_use", "id": "toolu_" + reply.id, "name": reply.name, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(reply.input)}]
        yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
        for delta in deltas:
            yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": 0}
        stop = "end_turn" if isinstance(reply, Say) else "tool_use"
        yield (
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": stop, "stop_sequence": None},
                "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
            },
        )
        yield "message_stop", {"type": "message_stop"}

    def error(self, reply: Refuse) -> Any:
        kind = "authentication_error" if reply.status == 401 else "invalid_request_error"
        return {"type": "error", "error": {"type": kind, "message": reply.message}}


class Responses(Dialect):
    def whole(self, reply: Reply) -> Any:
        return {
            "id": "resp_1",
            "object": "response",
            "status": "completed",
            "model": "gpt-5",
            "output": [self._item(reply)],
            "usage": {
                "input_tokens": INPUT_TOKENS,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": OUTPUT_TOKENS,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
            },
        }

    def _item(self, reply: Reply) -> dict[str, Any]:
        if isinstance(reply, Say):
            content = [{"type": "output_text", "text": reply.text, "annotations": []}]
            return {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": content,
            }
        assert isinstance(reply, Call)
        namespace = {"namespace": reply.namespace} if reply.namespace else {}
        return {
            **namespace,
            "id": "fc_1",
            "type": "function_call",
            "call_id": reply.id,
            "name": reply.name,
            "arguments": json.dumps(reply.input),
            "status": "completed",
        }

    def stream(self, reply: Reply) -> Iterator[tuple[str, Any]]:
        begun = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
        yield "response.created", {"type": "response.created", "response": begun}
        item = self._item(reply)
        started = {**item, "content": []} if isinstance(reply, Say) else {**item, "arguments": ""}
        yield (
            "response.output_item.added",
            {"type": "response.output_item.added", "output_index": 0, "item": started},
        )
        if isinstance(reply, Say):
            part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
            for piece in reply.pieces():
                yield (
                    "response.output_text.delta",
                    {"type": "response.output_text.delta", **part, "delta": piece},
                )
        yield (
            "response.output_item.done",
            {"type": "response.output_item.done", "output_index": 0, "item": item},
        )
        yield "response.completed", {"type": "response.completed", "response": self.whole(reply)}


_CHAT_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


class ChatCompletions(Dialect):
    def _calls(self, reply: Call) -> list[Any]:
        function = {"name": reply.name, "arguments": json.dumps(reply.input)}
        return [{"index": 0, "id": reply.id, "type": "function", "function": function}]

    def whole(self, reply: Reply) -> Any:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": reply.text if isinstance(reply, Say) else None,
        }
        if isinstance(reply, Call):
            message["tool_calls"] = self._calls(reply)
        stop = "stop" if isinstance(reply, Say) else "tool_calls"
        return {
            "id": "chat_1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": stop}],
            "usage": _CHAT_USAGE,
        }

    def stream(self, reply: Reply) -> Iterator[tuple[str, Any]]:
        def chunk(delta: Any, stop: str | None = None) -> dict[str, Any]:
            choice = {"index": 0, "delta": delta, "finish_reason": stop}
            return {
                "id": "chat_1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [choice],
            }

        yield "", chunk({"role": "assistant", "content": ""})
        if isinstance(reply, Say):
            for piece in reply.pieces():
                yield "", chunk({"content": piece})
        else:
            assert isinstance(reply, Call)
            yield "", chunk({"tool_calls": self._calls(reply)})
        yield "", chunk({}, "stop" if isinstance(reply, Say) else "tool_calls")
        yield "", {**chunk({}), "choices": [], "usage": _CHAT_USAGE}
        yield "", "[DONE]"


class GenerateContent(Dialect):
    def _chunk(self, part: Any, stop: str | None) -> dict[str, Any]:
        candidate = {"index": 0, "content": {"role": "model", "parts": [part]}}
        if stop:
            candidate["finishReason"] = stop
        return {
            "candidates": [candidate],
            "modelVersion": "gemini-2.5-pro",
            "usageMetadata": {
                "promptTokenCount": INPUT_TOKENS,
                "candidatesTokenCount": OUTPUT_TOKENS,
                "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
            },
        }

    def whole(self, reply: Reply) -> Any:
        if isinstance(reply, Say):
            return self._chunk({"text": reply.text}, "STOP")
        assert isinstance(reply, Call)
        return self._chunk({"functionCall": {"name": reply.name, "args": reply.input}}, "STOP")

    def stream(self, reply: Reply) -> Iterator[tuple[str, Any]]:
        if isinstance(reply, Say):
            for piece in reply.pieces()[:-1]:
                yield "", self._chunk({"text": piece}, None)
            yield "", self._chunk({"text": reply.pieces()[-1]}, "STOP")
        else:
            yield "", self.whole(reply)

    def error(self, reply: Refuse) -> Any:
        return {"error": {"code": reply.status, "message": reply.message, "status": "INVALID_ARGUMENT"}}


_DIALECTS: dict[str, type[Dialect]] = {
    "/messages": Messages,
    "/responses": Responses,
    "/chat/completions": ChatCompletions,
    ":generateContent": GenerateContent,
    ":streamGenerateContent": GenerateContent,
}
