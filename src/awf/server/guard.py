"""The door: what a request must be like before the application sees it. Pure ASGI.

In this order: the ``Host`` is a loopback name (while the server is bound to loopback) or an allowed one; the ``Origin``
is absent, the server's own, or an allowed one; a preflight is answered; a draining server says 503; over-long targets are
refused. Whatever escapes the application is a bug and becomes a 500 here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from awf.errors import ServerDraining
from awf.server.address import bare, is_loopback, is_loopback_name
from awf.server.asgi import App, Message, Receive, Scope, Send
from awf.server.gate import Gate
from awf.server.problems import Refused, answer, log_bug, shortened
from awf.server.settings import ServerSettings

_MAX_TARGET = 8 * 1024
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Guard:
    """Wraps the application."""

    def __init__(self, app: App, settings: ServerSettings, gate: Gate) -> None:
        self._app = app
        self._gate = gate
        self._only_loopback = is_loopback(settings.host)
        self._hosts = {name.lower().removesuffix(".") for name in settings.allow_hosts}
        self._origins = {origin.lower().rstrip("/") for origin in settings.allow_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = _header(scope, b"origin")
        allowed = origin is not None and origin.lower() in self._origins
        reply = _Reply(send, _cors(origin) if origin is not None and allowed else ())
        with self._gate.inside():
            try:
                self._check_host(scope)
                if not allowed:
                    _check_own_origin(scope, origin)
                elif scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method"):
                    await _answer_preflight(scope, reply)
                    return
                self._check_open()
                _check_target(scope)
                await self._app(scope, receive, reply)
            except Exception as error:
                if reply.started:
                    log_bug(error, scope["method"], scope["path"])
                else:
                    await answer(error, method=scope["method"], path=scope["path"]).send(reply)

    def _check_host(self, scope: Scope) -> None:
        if not self._only_loopback:
            return
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        for host in given:
            name = _without_port(host)
            if not (is_loopback_name(name) or name in self._hosts or host.lower() in self._hosts):
                shown = shortened(name)
                raise Refused(
                    403,
                    f"the Host {shown!r} is not a loopback name, and this server is bound to loopback;"
                    f" to let it in, start the server with --allow-host {shown}",
                )
        if len(given) != 1:
            raise Refused(403, f"the request has {len(given) or 'no'} Host headers, not one")

    def _check_open(self) -> None:
        if self._gate.closed:
            raise ServerDraining("the server is shutting down")


class _Reply:
    """Sends, knows whether a response has begun, and adds headers to it."""

    def __init__(self, send: Send, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.started = False
        self._send = send
        self._headers = headers

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if self._headers:
                message["headers"] = [*message["headers"], *self._headers]
        await self._send(message)


def _check_own_origin(scope: Scope, origin: str | None) -> None:
    if origin is None:
        return
    host = _header(scope, b"host")
    scheme, _, authority = origin.lower().partition("://")
    if (
        host is None
        or scheme not in _DEFAULT_PORTS
        or _with_port(authority, scheme) != _with_port(host.lower(), scheme)
    ):
        shown = shortened(origin)
        raise Refused(
            403,
            f"requests from web pages of the origin {shown!r} are refused;"
            f" to let them in, start the server with --allow-origin {shown}",
        )


_AMBIGUOUS = re.compile(rb"//|%2f", re.IGNORECASE)
"""What a proxy and we could understand differently."""


def _check_target(scope: Scope) -> None:
    if len(scope["raw_path"]) > _MAX_TARGET:
        raise Refused(404, f"nothing is at a path of {len(scope['raw_path'])} bytes")
    if _AMBIGUOUS.search(scope["raw_path"]):
        raise Refused(
            404, f"nothing is at {shortened(scope['path'])}: a path has no empty or encoded separators"
        )
    if len(scope["query_string"]) > _MAX_TARGET:
        raise Refused(400, f"the query string is over {_MAX_TARGET} bytes")
    if b"%00" in scope["query_string"]:
        raise Refused(400, "the query string holds a NUL character")


async def _answer_preflight(scope: Scope, send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD, POST, DELETE, OPTIONS"),
        (b"access-control-allow-headers", b"content-type, last-event-id, cache-control"),
        (b"access-control-max-age", b"600"),
    ]
    if _header(scope, b"access-control-request-private-network") == "true":
        headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _cors(origin: str) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"link, retry-after"),
        (b"vary", b"origin"),
    )


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value, "latin-1")
    return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    plain = name if colon and port.isdecimal() and not name.endswith(":") else host
    return bare(plain).lower().removesuffix(".")


def _with_port(authority: str, scheme: str) -> str:
    bare_name = _without_port(authority)
    port = authority.rpartition(":")[2]
    has_port = authority != port and port.isdecimal()
    return f"{bare_name}:{port if has_port else _DEFAULT_PORTS[scheme]}"
