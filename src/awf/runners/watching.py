"""Being told when something can be read from a step: its output, the end of its process.

asyncio's own readers do this too, at a price that a short step would pay six times. So all of a loop's are in one
``epoll``, and that is what asyncio watches.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from weakref import WeakKeyDictionary


class Watch:
    """The files that one event loop watches. For the loop's own thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[], object]] = {}
        loop.add_reader(self._epoll.fileno(), self._ready)

    def add(self, fd: int, callback: Callable[[], object]) -> None:
        """Call back as long as something can be read from the file, or it has ended."""
        self._epoll.register(fd, select.EPOLLIN)
        self._callbacks[fd] = callback

    def remove(self, fd: int) -> None:
        """Watch it no more. To be done before it is closed."""
        del self._callbacks[fd]
        self._epoll.unregister(fd)

    def _ready(self) -> None:
        due = [(fd, self._callbacks[fd]) for fd, _ in self._epoll.poll(0)]
        for fd, callback in due:
            # One that was called before may have removed it.
            if self._callbacks.get(fd) is callback:
                try:
                    callback()
                except Exception as error:
                    context = {"message": "a step's file cannot be attended to", "exception": error}
                    asyncio.get_running_loop().call_exception_handler(context)


_WATCHES: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """That of the running loop."""
    loop = asyncio.get_running_loop()
    found = _WATCHES.get(loop)
    if found is None:
        found = _WATCHES[loop] = Watch(loop)
    return found
