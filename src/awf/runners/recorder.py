"""What is recorded of one stream: its beginning, delivered as text while it comes, then one mark."""

from __future__ import annotations

import codecs
from collections import deque

from awf.engine.ports import Emit
from awf.journal.events import Stream

RECORDED = 5 * 1024 * 1024
KEPT = 5 * 1024 * 1024
"""Bytes of a stream's beginning and of its end, where nobody says otherwise."""


class Recorder:
    """``limit``: bytes of the stream that are kept in all (None: the usual): ``recorded`` of its beginning, ``kept`` of
    its end, which is the reader's business. The same bytes give the same text, in whatever pieces they come."""

    def __init__(self, stream: Stream, emit: Emit, limit: int | None = None) -> None:
        self._stream: Stream = stream
        self._emit = emit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.recorded, self.kept = (RECORDED, KEPT) if limit is None else (limit - limit // 2, limit // 2)
        self.total = 0

    @property
    def is_over(self) -> bool:
        """Is the stream longer than what is recorded of its beginning?"""
        return self.total > self.recorded

    def take(self, data: bytes) -> bytes:
        """What comes next; returns what of it lies behind the recorded beginning."""
        before, self.total = self.total, self.total + len(data)
        if before > self.recorded:
            return data
        text = self._decoder.decode(data[: self.recorded - before], final=self.is_over)
        if text or self.is_over:
            self._emit(self._stream, text, self.is_over)
        return data[self.recorded - before :]

    def close(self) -> None:
        """The stream has ended."""
        rest = self._decoder.decode(b"", final=True)
        if rest and not self.is_over:
            self._emit(self._stream, rest, False)


class Tail:
    """The last ``kept`` bytes of what it is given."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def add(self, data: bytes) -> None:
        """What comes next."""
        if not data:
            return
        self._pieces.append(data)
        self._size += len(data)
        while self._size > self._kept:
            first = self._pieces.popleft()
            over = self._size - self._kept
            if len(first) > over:
                self._pieces.appendleft(first[over:])
                self._size = self._kept
            else:
                self._size -= len(first)

    def text(self) -> str:
        """What is kept."""
        return b"".join(self._pieces).decode(errors="replace")
