"""Ports for those who have to know them before they listen, and for those who listen there again."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> str:
    """A port that nobody listens on. It is below those that the kernel hands out, so that nobody who asks for any port, and no
    connection of tests that run beside this one, gets it meanwhile."""
    lowest = int(EPHEMERAL.read_text().split()[0])
    for port in random.sample(range(lowest // 2, lowest), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return str(port)
    raise AssertionError("every port is taken")
