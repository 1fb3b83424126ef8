"""Following what a detached step writes into a file, with bounded memory and bounded disk.

What is behind the recorded beginning of a stream and before its kept end is given back to the file system while the
step goes on writing.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from awf.engine.ports import Emit
from awf.journal.events import Stream
from awf.runners.recorder import Recorder

log = logging.getLogger("awf.runners")

_READ = 64 * 1024
_HOLE = 1024 * 1024
"""Holes begin and end at multiples of this."""

_KEEP_SIZE, _PUNCH_HOLE = 1, 2


class Reader(Protocol):
    """Reads a file that only grows."""

    def read(self) -> bool:
        """Deliver what is new; True where there may be more at once. Raises OSError."""
        ...

    def finish(self) -> tuple[int, str]:
        """Deliver the rest and close; how many bytes there were, and the kept end of a stream that was too long."""
        ...

    def close(self) -> None:
        """Stop. Twice is safe."""
        ...


class Follower:
    """One stream of one attempt, in a file that only grows, read from its beginning. Of the stream ``limit`` bytes are
    kept. Raises OSError where the file cannot be opened."""

    def __init__(self, path: Path, stream: Stream, emit: Emit, limit: int | None = None) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._recorder = Recorder(stream, emit, limit)
        self._at = 0
        self._emptied = 0
        self._punched = 0

    @property
    def total(self) -> int:
        """Bytes that the step has written."""
        return self._emptied + os.fstat(self._fd).st_size

    def read(self) -> bool:
        """Deliver what is new; give back what nobody will read."""
        size = os.fstat(self._fd).st_size
        if size < self._at:
            # The step opened its own output with `>`, as in `echo … >/dev/stderr`: that empties a file.
            self._emptied, self._at, self._punched = self._emptied + self._at, 0, 0
        while self._at < size and not self._recorder.is_over:
            data = os.pread(self._fd, min(_READ, size - self._at), self._at)
            if not data:
                break
            self._at += len(data)
            self._recorder.take(data)
        if self._recorder.is_over:
            self._at = size
            self._give_back(size)
        return False

    def finish(self) -> tuple[int, str]:
        """Deliver the rest and close; how much was written, and the kept end of a stream that was too long."""
        try:
            self.read()
            self._recorder.close()
            total, tail = self.total, b""
            if self._recorder.is_over:
                begin = max(
                    self._recorder.recorded - self._emptied, total - self._emptied - self._recorder.kept
                )
                tail = _read_from(self._fd, max(0, begin), total - self._emptied)
            return total, tail.decode(errors="replace")
        finally:
            self.close()

    def close(self) -> None:
        """Stop. Twice is safe."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _give_back(self, size: int) -> None:
        begin = max(self._punched, _up(self._recorder.recorded))
        end = (size - self._recorder.kept) // _HOLE * _HOLE
        if end > begin:
            punch(self._fd, begin, end - begin)
            self._punched = end


def _up(size: int) -> int:
    return -(-size // _HOLE) * _HOLE


def _read_from(fd: int, begin: int, end: int) -> bytes:
    pieces = []
    while begin < end:
        piece = os.pread(fd, end - begin, begin)
        if not piece:
            break
        pieces.append(piece)
        begin += len(piece)
    return b"".join(pieces)


def punch(fd: int, begin: int, length: int) -> None:
    """Give a range of a file back to the file system; it reads as zeros then. Where that is not supported, nothing."""
    if _fallocate()(fd, _KEEP_SIZE | _PUNCH_HOLE, begin, length) != 0:
        code = ctypes.get_errno()
        if code not in {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINTR}:
            log.warning("cannot give back output of a detached step: %s", os.strerror(code))


@functools.cache
def _fallocate() -> Callable[[int, int, int, int], int]:
    library = ctypes.CDLL(None, use_errno=True)
    call = getattr(library, "fallocate64", None) or library.fallocate
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    call.restype = ctypes.c_int
    return call
