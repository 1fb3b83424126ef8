"""How operations speak HTTP: bounded in time, size and redirects, and only to hosts that the setting allows.

Without the setting, the proxies of the environment are used. With it they are not: a proxy resolves names itself, and
could be led anywhere. The environment's certificates (``SSL_CERT_FILE``) count in both cases.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx
from msgspec import Struct

from awf import __version__
from awf.domain.json_text import parse_json
from awf.domain.secrets import is_secret
from awf.domain.timestamps import duration_text
from awf.runners.operations.destinations import AllowedHosts, CheckedTransport, resolve
from awf.runners.retry_after import retry_after

MOST_REDIRECTS = 10
LARGEST_BODY = 10 * 1024 * 1024
"""Bytes of a body that are kept, after decompression."""

LARGEST_JSON = 1024 * 1024
"""Bytes of a body that is read as JSON."""

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_OURS = frozenset({"content-length", "transfer-encoding"})
"""Header fields that are not taken from anybody: they say where a body ends."""


class WebFailed(Exception):
    """There is no response. The text says why; no header field's value is in it."""


class Reply(Struct, frozen=True):
    """A response. ``body`` is at most ``LARGEST_BODY`` bytes, the beginning where ``truncated``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    encoding: str

    @property
    def text(self) -> str:
        """The body as text; what cannot be read is replaced, a character that is cut in two is left out."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        return decoder.decode(self.body, final=not self.truncated)

    @property
    def json(self) -> Any:
        """The value of the body; None where it is not JSON, or larger than ``LARGEST_JSON``."""
        if self.truncated or len(self.body) > LARGEST_JSON:
            return None
        try:
            return parse_json(self.text)
        except ValueError:
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the service wants to be asked again, where it says so."""
        return retry_after(self.headers)


class Web:
    """``allowed`` None: any host."""

    def __init__(self, allowed: AllowedHosts | None = None) -> None:
        self._allowed = allowed

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        timeout: float | None,
    ) -> Reply:
        """Send a request and follow redirects. ``timeout`` seconds for all of it. Raises WebFailed; cancelled or not, it
        leaves no connection open."""
        fields = [
            ("User-Agent", f"awf/{__version__}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
        ]
        given = _checked(headers or {})
        fields = [field for field in fields if field[0].lower() not in {name.lower() for name, _ in given}]
        try:
            async with asyncio.timeout(timeout), await self._client() as client:
                wanted = [(name.encode(), value.encode()) for name, value in (*fields, *given)]
                request = httpx.Request(method, url, headers=wanted, content=content or None)
                if not request.url.host:
                    raise WebFailed("the url names no host")
                return await _exchange(client, request)
        except TimeoutError:
            raise WebFailed(f"timeout exceeded ({duration_text(timeout or 0)})") from None
        except (httpx.InvalidURL, UnicodeError) as error:
            raise WebFailed(f"invalid url: {error}") from error
        except httpx.HTTPError as error:
            raise WebFailed(_reason(error)) from error

    async def _client(self) -> httpx.AsyncClient:
        context = await asyncio.to_thread(_certificates)
        # A kept connection would be one that was made, and checked, for the host before a redirect.
        limits = httpx.Limits(max_keepalive_connections=0)
        unlimited = httpx.Timeout(None)  # the whole exchange has one limit
        if self._allowed is None:
            return httpx.AsyncClient(verify=context, timeout=unlimited, limits=limits)
        inner = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)
        transport = CheckedTransport(inner, self._allowed, resolve)
        return httpx.AsyncClient(transport=transport, timeout=unlimited, trust_env=False)


async def _exchange(client: httpx.AsyncClient, request: httpx.Request) -> Reply:
    for _ in range(MOST_REDIRECTS + 1):
        response = await client.send(request, stream=True)
        try:
            if response.next_request is None:
                return await _read(response)
        finally:
            await response.aclose()
        request = _without_secrets(response.next_request, request)
    raise WebFailed(f"stopped after {MOST_REDIRECTS} redirects")


async def _read(response: httpx.Response) -> Reply:
    kept = bytearray()
    async for chunk in response.aiter_bytes():
        kept += chunk
        if len(kept) > LARGEST_BODY:
            break
    truncated = len(kept) > LARGEST_BODY
    headers: dict[str, str] = {}
    for raw, value in response.headers.multi_items():
        name = "-".join(part.capitalize() for part in raw.split("-"))
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    encoding = response.charset_encoding or "utf-8"
    try:
        b" ".decode(encoding, "replace")
    except LookupError:
        encoding = "utf-8"
    return Reply(response.status_code, headers, bytes(kept[:LARGEST_BODY]), truncated, encoding)


def _without_secrets(request: httpx.Request, before: httpx.Request) -> httpx.Request:
    """A redirected request as another host may see it: httpx leaves out ``Authorization`` and ``Cookie``, and we what is
    called like a secret."""
    here, there = before.url, request.url
    if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
        for name in [name for name in request.headers if is_secret(name)]:
            del request.headers[name]
    return request


def _checked(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Header fields that can be sent, without those that follow from the body. Raises WebFailed: what httpx says of others
    would show their values."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise WebFailed(f"{name!r} is not the name of a header field")
        if _NOT_IN_A_VALUE.search(value):
            raise WebFailed(
                f"the value of the header field '{name}' holds a line break or a control character"
            )
    return [(name, value.strip()) for name, value in headers.items() if name.lower() not in _OURS]


def _reason(error: httpx.HTTPError) -> str:
    """What went wrong, from the innermost error that says it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {getattr(cause, 'verify_message', '') or cause.reason or cause}"
        if isinstance(cause, OSError) and cause.errno:
            host = _host(error)
            reason = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror
            return (
                f"cannot connect to {host}: {reason}"
                if isinstance(error, httpx.ConnectError)
                else str(reason)
            )
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def _host(error: httpx.HTTPError) -> str:
    try:
        return error.request.url.netloc.decode("ascii")
    except RuntimeError:
        return "the host"


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    """The certificates that are trusted; read once, because that takes long."""
    return httpx.create_ssl_context()
