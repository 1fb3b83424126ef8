"""HEAD: every GET without its body. Pure ASGI."""

from __future__ import annotations

from awf.server.asgi import App, Message, Receive, Scope, Send


class Head:
    """Asks the application for a GET and drops the body of its answer. To an event stream the client seems to have
    gone as soon as the headers are out."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
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
