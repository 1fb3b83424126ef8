"""A store that fails at any write of an engine, before it wrote or after (the answer is lost): nothing is lost,
nothing runs twice, nothing stands still."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from awf.catalog import Catalog
from awf.engine.evolve import fold
from awf.engine.service import Place, Service, Signals
from awf.errors import StoreUnavailable
from awf.journal.codec import type_of
from awf.journal.store import Acceptance
from awf.stores.memory import MemoryStore
from awf.testing.clock import FakeClock
from property.checks import check_journal
from property.everything import TEXTS, play
from property.sameness import story
from property.stage import NAME, Ended, Stage
from property.test_crashes import check_stream

STAGE = Stage(TEXTS, play, {"who": "world", "rounds": 2, "well": True})
IN_A_ROW = 4
"""More than the failures after which an engine gives up an execution that cannot go on."""


class Fault:
    """From the ``at``-th call of a verb on, ``times`` of them fail: before they write, or after."""

    def __init__(self, verb: str, at: int, *, before: bool, times: int = 1) -> None:
        self.verb, self.at, self.before, self.times = verb, at, before, times
        self.calls = 0
        self.failed = 0

    def __call__(self, verb: str, before: bool) -> None:
        if verb != self.verb or before != self.before:
            return
        self.calls += 1
        if self.calls > self.at and self.failed < self.times:
            self.failed += 1
            raise StoreUnavailable("the server went away" if not before else "no space left")


@cache
def undisturbed() -> tuple[Ended, int]:
    """An execution, and how many appends it takes."""
    never = Fault("append", 1_000_000, before=True)
    return STAGE.run(fault=never), never.calls


def check(ended: Ended) -> None:
    whole, _ = undisturbed()
    check_journal(ended.journal, fold(NAME, ended.journal))
    assert story(ended.journal) == story(whole.journal)
    check_stream(ended)


def check_undisturbed(ended: Ended) -> None:
    """Not even noticed: the same kinds of entries, each attempt once. What runs side by side may end in another order."""
    whole, _ = undisturbed()
    kinds, known = (Counter(type_of(entry.fact) for entry in each.journal) for each in (ended, whole))
    assert kinds == known
    assert len({fact.attempt_id for fact in ended.started}) == len(ended.started) == len(whole.started)
    check(ended)


@pytest.mark.parametrize("before", [True, False], ids=["refused", "answer lost"])
def test_an_append_that_fails_is_made_once(before: bool) -> None:
    _, appends = undisturbed()
    for at in range(0, appends, 3 if before else 1):
        fault = Fault("append", at, before=before, times=1 + at % 2 * (IN_A_ROW - 1))
        ended = STAGE.run(fault=fault)
        assert fault.failed
        check_undisturbed(ended)


def test_every_append_may_lose_its_answer() -> None:
    fault = Fault("append", 0, before=False, times=1_000_000)
    check_undisturbed(STAGE.run(fault=fault))
    assert fault.failed == fault.calls


@pytest.mark.parametrize("before", [True, False], ids=["refused", "answer lost"])
@pytest.mark.parametrize("taken", [1, 100], ids=["new", "taken over"])
def test_a_claim_that_fails_leaves_nothing_that_nobody_runs(before: bool, taken: int) -> None:
    whole, _ = undisturbed()
    ended = STAGE.run(whole.journal[:taken], Fault("claim", 0, before=before, times=IN_A_ROW))
    check(ended)


def test_an_acceptance_whose_answer_is_lost_is_not_refused(tmp_path: Path) -> None:
    class Losing(MemoryStore):
        lost = ""

        async def accept(self, acceptance: Acceptance) -> None:
            if acceptance.id == self.lost or not self.lost:
                await super().accept(acceptance)
                self.lost = acceptance.id
            raise StoreUnavailable("the server went away")

    (tmp_path / "line.yaml").write_text(TEXTS["slow"])
    store = Losing()
    service = Service(
        store=store,
        catalog=Catalog(tmp_path, {"HOME": str(tmp_path), "AWF_WORKFLOWS_PATH": str(tmp_path)}),
        clock=FakeClock(),
        signals=Signals(wake=lambda: None, mark_cancel=lambda _: False, alive=lambda _: True),
        place=Place(root=str(tmp_path), working_dir=str(tmp_path), directories={}),
    )
    assert asyncio.run(service.run("line", {})) == store.lost
    with pytest.raises(StoreUnavailable):
        asyncio.run(service.run("line", {}))
