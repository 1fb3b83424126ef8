"""The shape of a topic."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias, TypeVar

from awf.journal.store import Store

OpenStores: TypeAlias = Callable[[], AbstractAsyncContextManager[tuple[Store, Store]]]
Topic: TypeAlias = Callable[[OpenStores], Awaitable[None]]

E = TypeVar("E", bound=Exception)


async def raised(error: type[E], verb: Awaitable[object]) -> E:
    """The error that the verb raises; an AssertionError where it raises none."""
    try:
        await verb
    except error as found:
        return found
    raise AssertionError(f"{error.__name__} was not raised")
