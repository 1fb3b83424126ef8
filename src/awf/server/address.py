"""Addresses: binding one, and telling loopback from the rest."""

from __future__ import annotations

import errno
import ipaddress
import socket

from awf.errors import AddressInUse, SettingsInvalid, SystemFault

_BACKLOG = 2048
_ANOTHER_HOST = "another address with `--host`"


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on ``host`` (a name, an IPv4 or an IPv6 address, brackets allowed) and ``port`` (0: any).

    Raises AddressInUse where the port is taken, SystemFault where it may not be used or the host is not one of this
    machine, SettingsInvalid for a port that is none; each is one line that names the flag to change.
    """
    if not 0 <= port <= 65535:
        raise SettingsInvalid(f"--port {port} is not a port: choose one between 1 and 65535")
    name = bare(host)
    family, address = _resolve(name, port)
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if name == "::" else 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise _explained(error, host, port) from error
    return bound


def bare(host: str) -> str:
    """A host without the brackets of an IPv6 literal."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def is_loopback(host: str) -> bool:
    """Whether a host, as given to ``--host``, is reachable from this machine only."""
    name = bare(host)
    if is_loopback_name(name):
        return True
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(_is_loopback_address(str(entry[4][0])) for entry in found)


def is_loopback_name(name: str) -> bool:
    """Whether a name, as in a ``Host`` header, can only ever mean this machine: no name service is asked."""
    name = name.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost") or _is_loopback_address(name)


def _is_loopback_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _resolve(name: str, port: int) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    try:
        found = socket.getaddrinfo(name or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise SystemFault(f"cannot listen on {name!r}: no such host", remedy=_ANOTHER_HOST) from error
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return found[0][0], found[0][4]


def _explained(error: OSError, host: str, port: int) -> SystemFault:
    if error.errno == errno.EADDRINUSE:
        return AddressInUse(f"port {port} on {host} is already in use")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return SystemFault(
            f"no permission to listen on port {port} of {host}",
            remedy="another one, above 1024, with `--port`",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return SystemFault(f"{host} is not an address of this machine", remedy=_ANOTHER_HOST)
    return SystemFault(
        f"cannot listen on {host} port {port}: {error.strerror}", remedy="another `--host` or `--port`"
    )
