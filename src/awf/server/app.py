"""The application: the routes, what they are given, and the door before them."""

from __future__ import annotations

from typing import Any, cast

from litestar import Litestar, Request
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from awf.engine.service import Service
from awf.server.asgi import App, Receive, Scope, Send
from awf.server.bodies import receive_body
from awf.server.documents import Description, documents
from awf.server.executions import executions
from awf.server.feed import Feeds
from awf.server.gate import Gate
from awf.server.guard import Guard
from awf.server.history import history
from awf.server.methods import Methods
from awf.server.problems import respond
from awf.server.settings import ServerSettings
from awf.server.workflows import workflows


class Application:
    """An ASGI application. ``feeds`` is to be woken when the store may have changed; ``gate`` knows who is inside."""

    def __init__(self, service: Service, settings: ServerSettings) -> None:
        self.settings = settings
        self.gate = Gate()
        self.feeds = Feeds(service.store, heartbeat=settings.heartbeat)
        self.description = Description(self._routes)
        self._service = service
        self._asgi = Guard(Methods(cast("App", self._routes(None))), settings, self.gate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._asgi(scope, receive, send)

    def _routes(self, openapi: OpenAPIConfig | None) -> Litestar:
        return Litestar(
            [workflows, executions, history, *documents],
            before_request=self._receive_body,
            debug=False,
            dependencies={
                "service": _given(self._service),
                "feeds": _given(self.feeds),
                "description": _given(self.description),
            },
            exception_handlers={Exception: respond},
            logging_config=None,
            openapi_config=openapi,
            pdb_on_exception=False,
            request_max_body_size=None,
        )

    async def _receive_body(self, request: Request[Any, Any, Any]) -> None:
        await receive_body(request, limit=self.settings.max_body)


def create_app(service: Service, *, settings: ServerSettings) -> Application:
    """The HTTP API over a service."""
    return Application(service, settings)


def _given(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False, use_cache=True)
