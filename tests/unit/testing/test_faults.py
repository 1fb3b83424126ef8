from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from awf.errors import StoreUnavailable
from awf.stores.memory import MemoryStore
from awf.testing.builders import acceptance
from awf.testing.faults import Faults, failing


def accepted_of(faults: Faults, count: int = 50) -> tuple[list[int], list[int]]:
    """Of so many acceptances, those that raised, and those that are in the store."""

    async def play() -> tuple[list[int], list[int]]:
        inner = MemoryStore()
        store = failing(inner, faults)
        raised, kept = [], []
        for number in range(count):
            try:
                await store.accept(acceptance(f"x{number}"))
            except StoreUnavailable:
                raised.append(number)
            if await inner.execution(f"x{number}"):
                kept.append(number)
        return raised, kept

    return asyncio.run(play())


def test_a_fault_before_leaves_nothing_and_the_same_seed_gives_the_same_faults() -> None:
    faults = Faults(seed=3, rate=0.3)
    raised, kept = accepted_of(faults)
    assert 5 < len(raised) < 30
    assert sorted(raised + kept) == list(range(50))
    assert accepted_of(faults) == (raised, kept)
    assert accepted_of(Faults(seed=4, rate=0.3)) != (raised, kept)


def test_a_fault_after_has_committed() -> None:
    raised, kept = accepted_of(Faults(seed=3, rate=0.3, when="after"))
    assert raised
    assert kept == list(range(50))


def test_either_is_now_the_one_and_now_the_other() -> None:
    raised, kept = accepted_of(Faults(rate=1, when="either"))
    assert raised == list(range(50))
    assert 5 < len(kept) < 45


def test_only_the_named_verbs_fail() -> None:
    assert accepted_of(Faults(rate=1, verbs={"append"}))[0] == []


def test_while_the_file_exists_the_disk_is_full_for_writing_only(tmp_path: Path) -> None:
    full = tmp_path / "full"

    async def play() -> None:
        store = failing(MemoryStore(), Faults(full=full))
        await store.accept(acceptance("one"))
        full.touch()
        with pytest.raises(StoreUnavailable, match="disk is full"):
            await store.accept(acceptance("two"))
        assert await store.execution("one") is not None
        full.unlink()
        await store.accept(acceptance("two"))

    asyncio.run(play())


def test_a_plan_as_text() -> None:
    assert Faults.parse("") == Faults()
    assert Faults.parse("seed=7 rate=0.1 verbs=append,claim when=either slow=0.01 full=/x") == Faults(
        seed=7, rate=0.1, verbs=frozenset({"append", "claim"}), when="either", slow=0.01, full=Path("/x")
    )
    for wrong in ("speed=1", "seed", "when=later", "rate=much"):
        with pytest.raises(ValueError, match=r"speed|seed|later|much"):
            Faults.parse(wrong)
