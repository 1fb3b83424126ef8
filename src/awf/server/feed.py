"""One shared reading of each watched execution's journal.

The journal is read once per wake-up, encoded once, and kept as a bounded window of recent frames that all viewers at the
live edge send from. A viewer further behind (late, slow, or reconnecting) reads pages of its own from the store until it
has caught up; it holds one page of bounded size and holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from awf.errors import StoreUnavailable
from awf.journal.events import FINAL, Entry
from awf.journal.store import ExecutionRow, Store
from awf.server.frames import Subject, frame, in_default_stream, output_wanted

OUTPUT = 64 * 1024
"""Bytes of a step's output in ``step.completed``."""

_LOG = logging.getLogger("awf.server")

_WINDOW = 1024 * 1024
_CHUNK = 64 * 1024
_PULL = 100
_PAGE = 32
_RECENT = 1000
_FEW = 4


class Chunk(Struct, frozen=True):
    """Frames of consecutive entries up to ``last``: those of the default stream, and all. Either may be empty."""

    last: int
    default: bytes
    all: bytes

    @property
    def size(self) -> int:
        return len(self.default) + (0 if self.all is self.default else len(self.all))


async def read_chunk(store: Store, subject: Subject, entries: Sequence[Entry]) -> Chunk:
    """Frames of the first entries, as many as make a chunk. ``entries`` must not be empty."""
    default: list[bytes] = []
    everything: list[bytes] = []
    size = 0
    last = 0
    for entry in entries:
        step = output_wanted(entry.fact)
        output = None
        if step is not None:
            output = await store.step_text(subject.execution, step, "stdout", limit=OUTPUT)
        encoded = frame(entry, subject, output)
        everything.append(encoded)
        if in_default_stream(entry.fact):
            default.append(encoded)
        size += len(encoded)
        last = entry.seq
        if size >= _CHUNK:
            break
    whole = b"".join(everything)
    return Chunk(last, whole if len(default) == len(everything) else b"".join(default), whole)


class Feed:
    """The recent frames of one execution. ``head`` is the last entry read; ``finished``: it is the final one.

    ``beats`` counts the times that nothing was sent for a heartbeat's length.
    """

    def __init__(self, store: Store, subject: Subject, last: int, now: float) -> None:
        self.subject = subject
        self.head = max(0, last - _RECENT)
        self.finished = False
        self.closed = False
        self.beats = 0
        self.viewers = 0
        self._last = last
        self._store = store
        self._window: dict[int, Chunk] = {}
        self._size = 0
        self._active_at = now
        self._waiting: set[asyncio.Future[None]] = set()

    # For viewers

    async def next(self, position: int, *, everything: bool) -> tuple[int, bytes] | None:
        """Frames after ``position`` and the position after them; None at the live edge."""
        if position >= self.head:
            return None
        parts: list[bytes] = []
        size = 0
        while size < _CHUNK and (chunk := self._window.get(position)) is not None:
            part = chunk.all if everything else chunk.default
            if part:
                parts.append(part)
            size += len(part)
            position = chunk.last
        if not parts and position < self.head and position not in self._window:
            return await self._page(position, everything=everything)
        return position, parts[0] if len(parts) == 1 else b"".join(parts)

    async def changed(self, waiting: asyncio.Future[None]) -> None:
        """Wait until there is more, or a beat, or the end, or somebody resolves ``waiting``."""
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    async def _page(self, position: int, *, everything: bool) -> tuple[int, bytes] | None:
        entries = await self._store.journal(self.subject.execution, after=position, limit=_PAGE)
        known = [entry for entry in entries if entry.seq <= self.head]
        if not known:
            self.closed = True
            return None
        chunk = await read_chunk(self._store, self.subject, known)
        return chunk.last, chunk.all if everything else chunk.default

    # For the feeds

    async def pull(self, now: float) -> bool:
        """Read one page of what is new, and wake the viewers. Whether the page was full: there may be more."""
        entries = await self._store.journal(self.subject.execution, after=self.head, limit=_PULL)
        full = len(entries) == _PULL
        if not entries and self.head < self._last:
            # Removed since its viewers came, by retention.
            self.close()
        while entries:
            chunk = await read_chunk(self._store, self.subject, entries)
            entries, read = entries[chunk.last - self.head :], entries[chunk.last - self.head - 1]
            self._keep(chunk)
            self.finished = isinstance(read.fact, FINAL)
            if chunk.default:
                self._active_at = now
            self.wake()
        return full and not self.finished

    def beat(self, now: float, heartbeat: float) -> None:
        """Count a beat where nothing has happened for ``heartbeat`` seconds."""
        if now - self._active_at >= heartbeat:
            self._active_at = now
            self.beats += 1
            self.wake()

    def close(self) -> None:
        """End every viewer's stream."""
        self.closed = True
        self.wake()

    def wake(self) -> None:
        """Let every waiting viewer look again."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    def _keep(self, chunk: Chunk) -> None:
        self._window[self.head] = chunk
        self._size += chunk.size
        self.head = chunk.last
        while self._size > _WINDOW and len(self._window) > 1:
            oldest = next(iter(self._window))
            self._size -= self._window.pop(oldest).size


class Feeds:
    """The feeds of all watched executions. One task serves them, while there are any.

    ``on_watched`` is called with True when the first viewer comes and with False when the last has gone: nobody need
    wake a server that nobody watches.
    """

    def __init__(
        self, store: Store, *, heartbeat: float, tick: float = 1.0, clock: Callable[[], float] | None = None
    ) -> None:
        self._store = store
        self._heartbeat = heartbeat
        self._tick = tick
        self.on_watched: Callable[[bool], None] = _ignore
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._feeds: dict[str, Feed] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._complained = ""

    def __len__(self) -> int:
        return len(self._feeds)

    def wake(self) -> None:
        """Something may have changed. Cheap, and safe to call at any rate, from the event loop's thread."""
        self._woken.set()

    @contextmanager
    def watch(self, row: ExecutionRow) -> Iterator[Feed]:
        """The feed of an execution, kept while somebody watches."""
        feed = self._feeds.get(row.id)
        if feed is None:
            subject = Subject(row.id, row.workflow, row.started_at)
            feed = Feed(self._store, subject, row.last_seq, self._clock())
            feed.closed = self._closed
            self._feeds[row.id] = feed
            if len(self._feeds) == 1:
                self.on_watched(True)
            self.wake()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve())
        feed.viewers += 1
        try:
            yield feed
        finally:
            feed.viewers -= 1
            if not feed.viewers and self._feeds.get(row.id) is feed:
                del self._feeds[row.id]
                if not self._feeds:
                    self.on_watched(False)
                self.wake()

    def close(self) -> None:
        """End every stream, now and from now on."""
        self._closed = True
        for feed in self._feeds.values():
            feed.close()

    async def _serve(self) -> None:
        while self._feeds:
            try:
                async with asyncio.timeout(self._tick):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            while await self._refresh():
                pass

    async def _refresh(self) -> bool:
        """Read what is new in every feed, a page of each; whether any may have more."""
        live = {execution: feed for execution, feed in self._feeds.items() if not feed.finished}
        if len(live) <= _FEW:
            return await self._refresh_few(live)
        try:
            heads = await self._store.heads(live)
        except Exception as error:
            self._complain(error)
            return False
        now = self._clock()
        more = False
        for execution, head in heads.items():
            if head.last_seq > live[execution].head:
                more |= await self._pull(live[execution], now)
        self._beat(now)
        return more

    async def _refresh_few(self, live: dict[str, Feed]) -> bool:
        """As ``_refresh``: reading a few journals costs less than asking first which of them have grown."""
        now = self._clock()
        more = False
        for feed in live.values():
            more |= await self._pull(feed, now)
        self._beat(now)
        return more

    def _beat(self, now: float) -> None:
        for feed in self._feeds.values():
            feed.beat(now, self._heartbeat)

    async def _pull(self, feed: Feed, now: float) -> bool:
        """Whether there may be more. What cannot be read later either ends its viewers' streams."""
        try:
            more = await feed.pull(now)
        except Exception as error:
            self._complain(error)
            if not isinstance(error, StoreUnavailable):
                feed.close()
            return False
        self._complained = ""
        return more

    def _complain(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._complained:
            self._complained = text
            _LOG.warning("event streams cannot read the store: %s", text)


def _ignore(_: bool) -> None:
    pass
