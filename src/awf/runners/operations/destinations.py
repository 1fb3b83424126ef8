"""Where operations may connect to: the setting ``http.allow_host``.

A connection is allowed where its *address* is in a listed network, or where its *name* is listed and the address is a
public one. So a listed name that is made to lead into the local network (DNS rebinding) leads nowhere. A name is
resolved once for a connection; the addresses that were checked are those that are connected to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import httpx

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to addresses, as texts. Raises OSError."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class DestinationRefused(httpx.TransportError):
    """The setting does not allow a connection."""


class AllowedHosts:
    """The entries of the setting: names (``api.example.com``), names with everything below (``*.example.com``), addresses
    and networks (``10.0.0.0/8``, ``::1``). ``localhost`` stands for the loopback addresses too."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._shown = ", ".join(entries)
        self._networks = []
        self._names = set()
        self._below = []
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                if entry.startswith("*."):
                    self._below.append("." + _ascii(entry[2:]))
                else:
                    self._names.add(_ascii(entry))

    def may_lead(self, host: str) -> bool:
        """Whether a name is worth resolving."""
        return bool(self._networks) or self._named(host)

    def check(self, host: str, address: Address) -> None:
        """Raises DestinationRefused where no connection to ``address``, on behalf of ``host``, is allowed."""
        meant = _meant(address)
        if any(part in network for part in meant for network in self._networks):
            return
        if self._named(host):
            if host == "localhost" and address.is_loopback:
                return
            if all(part.is_global and not part.is_multicast for part in meant):
                return
            raise DestinationRefused(
                f"host '{host}' leads to {address}, which is not a public address; to allow it, add the address or its "
                f"network to http.allow_host"
            )
        raise self.refusal(host)

    def refusal(self, host: str) -> DestinationRefused:
        """What is said of a host that is not listed."""
        return DestinationRefused(f"host '{host}' is not in http.allow_host ({self._shown})")

    def _named(self, host: str) -> bool:
        return host in self._names or any(host.endswith(end) for end in self._below)


class CheckedTransport(httpx.AsyncBaseTransport):
    """Connects to allowed addresses only, for every request that passes, redirected ones too. The ``Host`` field and the
    name that a certificate is checked against stay those of the URL."""

    def __init__(self, inner: httpx.AsyncBaseTransport, allowed: AllowedHosts, resolve: Resolve) -> None:
        self._inner = inner
        self._allowed = allowed
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises DestinationRefused."""
        host = _ascii(request.url.host)
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        addresses = await self._addresses(host, port)
        for number, address in enumerate(addresses, start=1):
            try:
                return await self._inner.handle_async_request(_readdressed(request, host, address))
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
        raise httpx.ConnectError(f"host '{host}' has no address", request=request)

    async def aclose(self) -> None:
        """See httpx."""
        await self._inner.aclose()

    async def _addresses(self, host: str, port: int) -> list[Address]:
        """Where to connect to. All of them are allowed, or none is used."""
        literal = _address(host)
        if literal is None and not self._allowed.may_lead(host):
            raise self._allowed.refusal(host)
        try:
            texts = [] if literal else await self._resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        found = [literal] if literal else [ipaddress.ip_address(text) for text in texts]
        for address in found:
            self._allowed.check(host, address)
        return found


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as this machine sees them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _readdressed(request: httpx.Request, host: str, address: Address) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _ascii(host: str) -> str:
    """A name as the name service has it: in lower case, in ASCII, without the dot at the end. What cannot be one stays
    as it is, and matches nothing."""
    try:
        return httpx.URL(scheme="http", host=host).raw_host.decode("ascii").lower().rstrip(".")
    except (httpx.InvalidURL, UnicodeError):
        return host


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _meant(address: Address) -> tuple[Address, ...]:
    """Where a connection to an address ends: at itself, and for IPv6 addresses that stand for IPv4 ones (mapped, 6to4,
    NAT64) at those."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address in _NAT64:
        return (address, ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return (address,)
