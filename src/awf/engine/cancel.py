"""How somebody tells a step that is being run to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Cancel(asyncio.Event):
    """An event that can call back, too: a task that waits for it costs more than most steps ever need it."""

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[Callable[[], object]] = []

    def set(self) -> None:
        """Tell it. Twice is safe."""
        super().set()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def then(self, callback: Callable[[], object]) -> None:
        """Call back once it is set; at once where it is."""
        if self.is_set():
            callback()
        else:
            self._callbacks.append(callback)

    def forget(self, callback: Callable[[], object]) -> None:
        """Call this one back no more. It need not be there."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)
