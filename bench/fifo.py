"""Named pipes: how steps tell the bench when they ran, and how the bench lets them go on."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

from bench.figures import NotMeasured


class Fifo:
    """A named pipe, open for as long as this object: no writer and no reader ever waits for the other to come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path, 0o600)
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rest = b""

    def line(self, timeout: float = 30.0) -> bytes:
        """The next line. Raises NotMeasured after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                raise NotMeasured(f"no step wrote to {self.path.name} for {timeout:g} s")
            self._rest += os.read(self._fd, 65536)
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def stamp(self, timeout: float = 30.0) -> int:
        """The next line as a time, nanoseconds since the epoch."""
        return int(self.line(timeout))

    def stamps(self, count: int) -> list[int]:
        """The next ``count`` times."""
        return [self.stamp() for _ in range(count)]

    def drain(self) -> None:
        """Forget what has been written."""
        self._rest = b""
        while select.select([self._fd], [], [], 0)[0]:
            os.read(self._fd, 65536)

    def let_go(self) -> None:
        """Write a line."""
        os.write(self._fd, b"go\n")
