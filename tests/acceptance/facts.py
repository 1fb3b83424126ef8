"""Waiting for facts of the operating system, each wait bounded."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LIMIT = 30.0
"""Seconds after which a fact that is still missing fails the test."""


def until(fact: Callable[[], T], what: str, limit: float = LIMIT) -> T:
    """The first true value of ``fact``. For facts that nothing can be waited on but a look."""
    deadline = time.monotonic() + limit
    pause = threading.Event()
    while not (found := fact()):
        assert time.monotonic() < deadline, f"not within {limit:g} s: {what}"
        pause.wait(0.02)
    return found


def wait_gone(pid: int, limit: float = LIMIT) -> None:
    """Until the process has ended (as a zombie at least)."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([pidfd], [], [], limit)[0], f"process {pid} still lives after {limit:g} s"
    finally:
        os.close(pidfd)


def processes() -> Iterator[Path]:
    """The ``/proc`` directories of all processes that live; zombies do not."""
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                status = (place / "stat").read_bytes()
            except OSError:
                continue
            if status[status.rindex(b")") + 2 :][:1] not in {b"Z", b"X"}:
                yield place


class Gate:
    """A named pipe that holds back every step that runs ``wait`` until ``open`` is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wait = f"cat '{path}'"
        os.mkfifo(path)

    def open(self) -> None:
        """Let everybody through, those who wait and those who come later."""
        writer = os.open(self.path, os.O_RDWR)
        opened = self.path.with_suffix(".open")
        opened.touch()
        opened.replace(self.path)
        os.close(writer)
