"""Binding, and what loopback is."""

from __future__ import annotations

import socket

import pytest

from awf.errors import AddressInUse, SettingsInvalid, SystemFault
from awf.server.address import bind, is_loopback, is_loopback_name

HAS_IPV6 = socket.has_ipv6 and socket.getaddrinfo("::1", 0)[0][0] == socket.AF_INET6


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_bound_socket_listens(host: str) -> None:
    with bind(host, 0) as bound, socket.create_connection(("127.0.0.1", bound.getsockname()[1]), timeout=5):
        pass


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
@pytest.mark.parametrize("host", ["::1", "[::1]", "::", "[::]"])
def test_ipv6_with_and_without_brackets(host: str) -> None:
    with bind(host, 0) as bound, socket.create_connection(("::1", bound.getsockname()[1]), timeout=5):
        pass


def test_a_port_in_use_is_one_line_that_names_the_flag() -> None:
    with bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(AddressInUse) as caught:
            bind("127.0.0.1", port)
    assert caught.value.message == f"port {port} on 127.0.0.1 is already in use"
    assert "--port" in caught.value.remedy
    assert caught.value.exit_status == 4


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid", "x" * 300, "a..b"])
def test_a_host_that_is_not_here_names_the_flag(host: str) -> None:
    with pytest.raises(SystemFault) as caught:
        bind(host, 0)
    assert "--host" in caught.value.remedy
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_a_port_that_is_none_names_the_flag(port: int) -> None:
    with pytest.raises(SettingsInvalid, match="--port"):
        bind("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("localhost", True), ("[::1]", True), ("::1", True), ("::ffff:127.0.0.1", True),
     ("0.0.0.0", False), ("::", False), ("192.0.2.1", False), ("nobody.invalid", False), ("", False)],
)  # fmt: skip
def test_which_bindings_are_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    "name", ["localhost.evil.example", "127.0.0.1.evil.example", "evil", "0x7f.1", "2130706433"]
)
def test_names_that_somebody_else_could_own_are_not_loopback(name: str) -> None:
    assert not is_loopback_name(name)
