"""Reading what a step writes, without ever blocking and with bounded memory.

Of each stream the first half of what may be kept (10 MiB by default) is delivered as it comes, then one mark; of what
follows, the last half is kept.
"""

from __future__ import annotations

import os

from awf.engine.ports import Emit
from awf.journal.events import Stream
from awf.runners.recorder import Recorder, Tail
from awf.runners.watching import watch

_READ = 64 * 1024
_LAST_READS = 32
"""At most so many reads (2 MiB, more than a pipe holds) after the exit: a background child may write for ever."""


class Pipe:
    """One stream of one attempt, of which ``limit`` bytes are kept. Reads from creation until ``finish``."""

    def __init__(self, fd: int, stream: Stream, emit: Emit, limit: int | None = None) -> None:
        self._fd = fd
        self._recorder = Recorder(stream, emit, limit)
        self._tail = Tail(self._recorder.kept)
        self._open = True
        self._watch = watch()
        os.set_blocking(fd, False)
        self._watch.add(fd, self._read)

    @property
    def total(self) -> int:
        """Bytes read."""
        return self._recorder.total

    def finish(self) -> str:
        """Take what is in the pipe, stop reading, and return the kept end of a stream that was too long."""
        for _ in range(_LAST_READS):
            if not self._open or not self._read():
                break
        self._close()
        self._recorder.close()
        return self._tail.text()

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close()
            return False
        rest = self._recorder.take(data)
        if rest:
            self._tail.add(rest)
        return True

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._watch.remove(self._fd)
            os.close(self._fd)
