"""What running steps write, on its way into the journal: masked, in order, in pieces that viewers get soon.

A piece is recorded 50 ms after it came at the latest, or when 16 KiB are together (HTTP API decisions, "Event
stream": within 100 ms or 16 KiB).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from awf.domain.outcomes import Outcome
from awf.domain.sealing import Sealer
from awf.journal.events import Stream

FLUSH_AFTER = 0.05
PIECE = 16 * 1024

Deliver = Callable[[Stream, str, bool], None]


class Heard(Struct, frozen=True):
    """What the journal has of an attempt already: characters by stream, the streams whose recorded part ended, and how
    many messages."""

    characters: Mapping[Stream, int]
    cut: Collection[Stream]
    messages: int = 0


class OutputBuffer:
    """Collects what one attempt writes and delivers it in pieces of at most 16 KiB. ``heard`` of an adopted attempt, which
    is delivered from its beginning again, is left out: the same bytes give the same masked text."""

    def __init__(self, deliver: Deliver, sealer: Sealer, heard: Heard | None = None) -> None:
        self._deliver = deliver
        self._skip = dict(heard.characters) if heard is not None else {}
        self._cut = frozenset(heard.cut) if heard is not None else frozenset()
        self._sealer = sealer
        self._masks = {"stdout": sealer.stream(), "stderr": sealer.stream()} if sealer else None
        self._pieces: list[tuple[Stream, str]] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, stream: Stream, text: str, truncated: bool) -> None:
        """Take text of a stream; ``truncated`` ends the stream's recorded part after it."""
        if self._masks is not None:
            text = self._masks[stream].feed(text)
            if truncated:
                text += self._masks[stream].close()
        self._add(stream, text)
        if truncated and stream not in self._cut:
            self.flush()
            self._deliver(stream, "", True)
        elif self._size >= PIECE:
            self.flush()
        elif self._pieces and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self.flush)

    def close(self, outcome: Outcome) -> Outcome:
        """Deliver the rest; the outcome with the kept ends of its streams masked."""
        if self._masks is not None:
            for stream, mask in self._masks.items():
                self._add(stream, mask.close())  # type: ignore[arg-type]
            written = outcome.written
            outcome = replace(
                outcome,
                written=replace(
                    written,
                    stdout_tail=self._sealer.mask(written.stdout_tail),
                    stderr_tail=self._sealer.mask(written.stderr_tail),
                ),
            )
        self.flush()
        return outcome

    def _add(self, stream: Stream, text: str) -> None:
        skip = self._skip.get(stream, 0)
        if skip:
            self._skip[stream] = max(0, skip - len(text))
            text = text[skip:]
        if text:
            self._pieces.append((stream, text))
            self._size += len(text)

    def flush(self) -> None:
        """Deliver what is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pieces, self._pieces, self._size = self._pieces, [], 0
        for stream, text in _joined(pieces):
            for piece in _cut(text):
                self._deliver(stream, piece, False)


def _joined(pieces: list[tuple[Stream, str]]) -> list[tuple[Stream, str]]:
    """Neighbouring pieces of one stream as one."""
    joined: list[tuple[Stream, list[str]]] = []
    for stream, text in pieces:
        if joined and joined[-1][0] == stream:
            joined[-1][1].append(text)
        else:
            joined.append((stream, [text]))
    return [(stream, "".join(texts)) for stream, texts in joined]


def _cut(text: str) -> list[str]:
    """Pieces of at most 16 KiB of UTF-8."""
    if len(text) * 4 <= PIECE or len(text.encode()) <= PIECE:
        return [text]
    pieces, data, start = [], text.encode(), 0
    while start < len(data):
        end = min(start + PIECE, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[start:end].decode())
        start = end
    return pieces
