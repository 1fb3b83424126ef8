"""A store that fails as a machine makes it fail: by chance that a seed decides, at named verbs, or while a file exists."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from random import Random
from typing import Any, Literal

from msgspec import Struct

from awf.errors import StoreUnavailable
from awf.journal.store import Store
from awf.testing.intercept import WRITES, intercepted

When = Literal["before", "after", "either"]


class Faults(Struct, frozen=True, kw_only=True):
    """What goes wrong. The same seed and the same calls give the same faults.

    ``rate``: the share of calls of ``verbs`` that raise StoreUnavailable. ``when``: ``before`` anything was written (as
    the port promises), ``after`` it was committed (as a lost connection does), or ``either`` by chance. ``slow``: seconds
    that every call takes longer. ``full``: a file; while it exists, every verb that writes raises, as on a full disk.
    """

    seed: int = 0
    rate: float = 0.0
    verbs: Collection[str] = WRITES
    when: When = "before"
    slow: float = 0.0
    full: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Faults:
        """From ``seed=7 rate=0.1 verbs=append,claim when=either slow=0.01 full=/path``. Raises ValueError."""
        given: dict[str, Any] = {}
        for word in text.split():
            name, equals, value = word.partition("=")
            if not equals or name not in _READERS:
                raise ValueError(f"no setting of a fault plan: {word!r} (known: {', '.join(_READERS)})")
            given[name] = _READERS[name](value)
        return cls(**given)


def failing(store: Store, faults: Faults) -> Store:
    """The store with these faults."""
    chance = Random(faults.seed)

    async def around(verb: str, _arguments: tuple[Any, ...], call: Callable[[], Awaitable[Any]]) -> Any:
        if faults.slow:
            await asyncio.sleep(faults.slow)
        if faults.full is not None and verb in WRITES and faults.full.exists():
            raise StoreUnavailable("the storage directory cannot be used: the disk is full (injected)")
        if verb not in faults.verbs or chance.random() >= faults.rate:
            return await call()
        when = faults.when if faults.when != "either" else chance.choice(("before", "after"))
        if when == "after":
            await call()
        raise StoreUnavailable(f"the storage directory cannot be used: injected {when} {verb}")

    return intercepted(store, around)


def _when(text: str) -> When:
    for known in ("before", "after", "either"):
        if text == known:
            return known
    raise ValueError(f"when is before, after or either, not {text!r}")


_READERS: dict[str, Callable[[str], Any]] = {
    "seed": int,
    "rate": float,
    "verbs": lambda text: frozenset(text.split(",")),
    "when": _when,
    "slow": float,
    "full": Path,
}
