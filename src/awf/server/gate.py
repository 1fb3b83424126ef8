"""The one place that knows how many requests are being answered, and whether new ones still are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Counts requests in flight (an open event stream is one). Once closed it lets nobody in."""

    def __init__(self) -> None:
        self.closed = False
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    def close(self) -> None:
        """Let nobody in from now on; those inside stay."""
        self.closed = True

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be counted while the block runs."""
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def wait_empty(self, timeout: float) -> bool:
        """Wait until nobody is inside, at most ``timeout`` seconds. False where somebody still is."""
        try:
            async with asyncio.timeout(timeout):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
