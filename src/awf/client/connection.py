"""What both clients know about their server: where it is, and how it is spoken to."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Any

import httpx

import awf
from awf.client.operations import Operation
from awf.client.pace import PASSING, Pace
from awf.client.problems import Answer
from awf.errors import RequestInvalid, ServerUnreachable

_LARGEST_PORT = 65535
DEFAULT_URL = "http://127.0.0.1:2511"
CONNECT = 5.0
"""Seconds after which a server that does not even take the connection counts as unreachable."""

_DIRECTLY = {"all://": None, "http://": None, "https://": None}
"""Whatever proxies the environment names."""


class Connection:
    """Settings of a client, and the reading of what httpx says.

    ``url`` without one is ``AWF_SERVER``, else the default address; it may have a user and a password, and a path before
    ``/api``. ``timeout`` is in seconds, for a connection's silence. Proxies of the environment are used, but not to loopback
    addresses. Raises RequestInvalid for what is no URL of HTTP.
    """

    def __init__(
        self, url: str | None, timeout: float, headers: Mapping[str, str] | None, retries: int
    ) -> None:
        self.url = _parsed(url or os.environ.get("AWF_SERVER") or DEFAULT_URL)
        self.shown = str(self.url.copy_with(username=None, password=None)).rstrip("/")
        self.retries = retries
        self._timeout = timeout
        self._headers = {"User-Agent": f"awf/{awf.__version__}", **(headers or {})}

    def options(self) -> dict[str, Any]:
        """The arguments of ``httpx.Client`` and ``httpx.AsyncClient``."""
        return {
            "base_url": self.url,
            "headers": self._headers,
            "timeout": httpx.Timeout(self._timeout, connect=min(CONNECT, self._timeout), pool=None),
            "limits": httpx.Limits(max_connections=None, max_keepalive_connections=20),
            "mounts": _DIRECTLY if _is_loopback(self.url.host) else None,
        }

    def stream_timeout(self, quiet: float) -> httpx.Timeout:
        """Of an event stream whose connection may be silent for ``quiet`` seconds."""
        return httpx.Timeout(self._timeout, connect=min(CONNECT, quiet), read=quiet, pool=None)

    def head(self, response: httpx.Response) -> Answer:
        """A response whose body has not been read."""
        return Answer(response.status_code, response.headers, url=self.shown)

    def answer(self, response: httpx.Response) -> Answer:
        """A response with its body."""
        return Answer(response.status_code, response.headers, response.content, url=self.shown)

    def unreachable(self, error: httpx.HTTPError) -> ServerUnreachable:
        """What a fault of the connection is to the caller."""
        if isinstance(error, httpx.ConnectTimeout):
            reason = "no answer to the attempt to connect"
        elif isinstance(error, httpx.TimeoutException):
            reason = "no answer in time"
        else:
            reason = str(error) or type(error).__name__
        return ServerUnreachable(f"no server answers at {self.shown}: {reason}")


class Tries:
    """The tries of one operation: one, or where it may be repeated so many more as the client has retries."""

    def __init__(self, connection: Connection, operation: Operation[Any]) -> None:
        self._connection = connection
        self._left = connection.retries if operation.repeatable else 0
        self._pace = Pace()

    def after_answer(self, answer: Answer) -> float | None:
        """Seconds before the next try; None where the answer is to be taken as it is."""
        if answer.status not in PASSING or not self._left:
            return None
        self._left -= 1
        return self._pace.pause(answer)

    def after_fault(self, error: httpx.HTTPError) -> float:
        """Seconds before the next try. Raises ServerUnreachable where there is none."""
        if not self._left:
            raise self._connection.unreachable(error) from error
        self._left -= 1
        return self._pace.pause()


def _parsed(given: str) -> httpx.URL:
    try:
        url = httpx.URL(given if "://" in given else f"http://{given}")
    except httpx.InvalidURL as error:
        raise RequestInvalid(f"not the URL of a server: {given!r}: {error}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise RequestInvalid(f"not the URL of a server: {given!r}; give one such as {DEFAULT_URL}")
    if url.port is not None and not 0 < url.port <= _LARGEST_PORT:
        raise RequestInvalid(
            f"not the URL of a server: {given!r}: a port is a number from 1 to {_LARGEST_PORT}"
        )
    return url.copy_with(query=None, fragment=None)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
