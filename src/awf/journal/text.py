"""The text of one stream of a step, put together from the facts of its attempt."""

from __future__ import annotations

from collections.abc import Iterable

from awf.journal.events import AnyFact, StepCompleted, StepFailed, StepOutput, StepReused, Stream
from awf.journal.store import StepText

MARK = "\n[... {} bytes left out ...]\n"
"""Stands where the middle of a stream is missing that was longer than what is kept of it."""


def stream_text(newest_first: Iterable[AnyFact], stream: Stream, limit: int | None) -> StepText:
    """Put the stream together from the facts of one attempt, newest first: its end, if it has ended, then its output.

    Reads no further back than the limit makes necessary.
    """
    pieces: list[bytes] = []
    size = 0
    tail = b""
    written: int | None = None
    truncated = False
    for fact in newest_first:
        match fact:
            case StepReused():
                return _assemble((fact.output if stream == "stdout" else fact.stderr).encode(), b"", 0, limit)
            case StepCompleted() | StepFailed() if fact.output and stream == "stdout":
                return _assemble(fact.output.encode(), b"", 0, limit)
            case StepCompleted() | StepFailed():
                out = stream == "stdout"
                written = fact.stdout_bytes if out else fact.stderr_bytes
                tail = (fact.stdout_tail if out else fact.stderr_tail).encode()
            case StepOutput() if fact.stream == stream:
                truncated = truncated or fact.truncated
                pieces.append(fact.text.encode())
                size += len(pieces[-1])
            case _:
                continue
        if limit is not None and written is not None and _enough(size, len(tail), truncated, limit):
            return _end_only(b"".join(reversed(pieces)) + tail, written, limit)
    gap = max(0, written - size - len(tail)) if truncated and written is not None else 0
    return _assemble(b"".join(reversed(pieces)), tail, gap, limit)


def whole_text(beginning: str, written: int, tail: str) -> str:
    """A stream that has ended: what was recorded as it came, and where there was more, a mark and the kept end.

    ``written`` counts the bytes that the step wrote.
    """
    if not tail:
        return beginning
    gap = max(0, written - len(beginning.encode()) - len(tail.encode()))
    return beginning + (MARK.format(gap) if gap else "") + tail


def _enough(size: int, tail: int, truncated: bool, limit: int) -> bool:
    return tail >= limit or (not truncated and size >= limit)


def _end_only(end: bytes, written: int, limit: int) -> StepText:
    shown = _last(end, limit)
    return StepText(text=shown.decode(), omitted=max(0, written - len(shown)))


def _assemble(beginning: bytes, tail: bytes, gap: int, limit: int | None) -> StepText:
    mark = MARK.format(gap).encode() if gap else b""
    total = len(beginning) + gap + len(tail)
    if limit is not None and len(mark) + len(tail) > limit:
        beginning, mark, tail = b"", b"", _last(tail, limit)
    elif limit is not None:
        beginning = _last(beginning, limit - len(mark) - len(tail))
    text = beginning + mark + tail
    return StepText(text=text.decode(), omitted=total - len(beginning) - len(tail))


def _last(data: bytes, limit: int) -> bytes:
    """The last ``limit`` bytes of valid UTF-8, fewer where that would cut a character."""
    start = max(0, len(data) - limit)
    while start < len(data) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:]
