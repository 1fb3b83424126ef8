"""HEAD and OPTIONS, for every path alike. Pure ASGI."""

from __future__ import annotations

from awf.server.asgi import App, Message, Receive, Scope, Send

_UNROUTED = "TRACE"


class Methods:
    """HEAD asks the application for a GET and drops the body of its answer; to an event stream the client seems to have
    gone as soon as the headers are out. OPTIONS takes ``Allow`` from the application's answer to a method that no route
    has."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["type"] == "http" else ""
        if method == "HEAD":
            await self._head(scope, receive, send)
        elif method == "OPTIONS":
            await self._app({**scope, "method": _UNROUTED}, receive, _allowing(send))
        else:
            await self._app(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def receive_until_started() -> Message:
            return {"type": "http.disconnect"} if started else await receive()

        async def send_without_body(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        await self._app({**scope, "method": "GET"}, receive_until_started, send_without_body)


def _allowing(send: Send) -> Send:
    answered = False

    async def send_allowed(message: Message) -> None:
        nonlocal answered
        if message["type"] == "http.response.start" and message["status"] == 405:
            answered = True
            allow = [(name, value) for name, value in message["headers"] if name.lower() == b"allow"]
            message = {"type": "http.response.start", "status": 204, "headers": allow}
        elif answered and message["type"] == "http.response.body":
            message = {
                "type": "http.response.body",
                "body": b"",
                "more_body": message.get("more_body", False),
            }
        await send(message)

    return send_allowed
