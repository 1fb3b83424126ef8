"""Reading what an agent's tool writes to its standard output: whole lines, from the first on, with bounded memory."""

from __future__ import annotations

import asyncio
import codecs
import os
from collections.abc import Callable
from pathlib import Path

_READ = 64 * 1024

AT_ONCE = 16
"""Pieces that are read before others get their turn."""

LONGEST_LINE = 16 * 1024 * 1024
"""Characters of a line; what is beyond them is dropped."""

MOST = 512 * 1024 * 1024
"""Bytes that a tool may write. They lie on the disk while it runs, so that the next engine can read them again."""


class Lines:
    """See ``awf.runners.following.Reader``. ``feed`` gets every line. The same bytes give the same lines, in whatever
    pieces they come. ``too_much`` is set where the tool writes more than ``most``; nothing beyond that is read.

    Raises OSError where the file cannot be opened."""

    def __init__(
        self, path: Path, feed: Callable[[str], None], too_much: asyncio.Event, most: int = MOST
    ) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._feed = feed
        self._too_much = too_much
        self._most = most
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held: list[str] = []
        self._size = 0
        self._at = 0
        self.total = 0

    def read(self) -> bool:
        """Deliver what is new; whether there may be more."""
        if os.fstat(self._fd).st_size < self._at:
            # The tool opened its own output with `>`, as in `echo … >/dev/stdout`: that empties a file.
            self._at = 0
        for _ in range(AT_ONCE):
            data = os.pread(self._fd, min(_READ, self._most - self.total), self._at)
            if not data:
                if self.total >= self._most:
                    self._too_much.set()
                return False
            self._at += len(data)
            self.total += len(data)
            self._take(self._decoder.decode(data))
        return True

    def finish(self) -> tuple[int, str]:
        """Deliver the rest, a line without an end too; how much was read, and no kept end."""
        try:
            while self.read():
                pass
            self._take(self._decoder.decode(b"", final=True))
            if self._held:
                self._line()
            return self.total, ""
        finally:
            self.close()

    def close(self) -> None:
        """Stop. Twice is safe."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _take(self, text: str) -> None:
        *whole, rest = text.split("\n")
        for line in whole:
            self._hold(line)
            self._line()
        if rest:
            self._hold(rest)

    def _hold(self, text: str) -> None:
        kept = text[: max(0, LONGEST_LINE - self._size)]
        self._held.append(kept)
        self._size += len(kept)

    def _line(self) -> None:
        line = "".join(self._held).removesuffix("\r")
        self._held, self._size = [], 0
        self._feed(line)
