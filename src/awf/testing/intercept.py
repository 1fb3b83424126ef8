"""A store with something around every verb, also around verbs that the port gets later."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias, cast

from awf.journal.store import Store

Around: TypeAlias = Callable[[str, tuple[Any, ...], Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Gets a verb's name, its positional arguments and the call itself, which it may make or not; what it returns or raises
is what the caller sees."""

WRITES = frozenset({"accept", "add_intent", "claim", "append", "prune", "maintain"})
"""The verbs that write."""


def intercepted(store: Store, around: Around) -> Store:
    """The store, with ``around`` around each of its verbs."""
    return cast("Store", _Intercepted(store, around))


class _Intercepted:
    def __init__(self, store: Store, around: Around) -> None:
        self._store = store
        self._around = around

    def __getattr__(self, verb: str) -> Any:
        original = getattr(self._store, verb)
        if not inspect.iscoroutinefunction(original):
            return original

        async def call(*arguments: Any, **named: Any) -> Any:
            return await self._around(verb, arguments, partial(original, *arguments, **named))

        return call
