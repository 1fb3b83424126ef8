"""Every prefix of one journal that has everything in it: another engine goes on from it to the same end.

Through the real engine and a store; what the engine before had appended is all that the next one knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

import pytest

from awf.engine.evolve import fold
from awf.journal.events import Entry, ExecutionCompleted, ExecutionFailed
from awf.server.frames import in_default_stream
from property.checks import check_at_rest, check_journal
from property.everything import ASKING, DELEGATING, TEXTS, play
from property.sameness import ended_steps, story
from property.stage import NAME, Ended, Stage

WELL = Stage(TEXTS, play, {"who": "world", "rounds": 2, "well": True})
BADLY = Stage(TEXTS, play, {"who": "world", "rounds": 2, "well": False})
ASKS = Stage(ASKING, play)
DELEGATES = Stage(DELEGATING, play)
PARTS = 4
SECOND_CRASHES = 30
HOUR = 3600.0


@cache
def undisturbed(well: bool) -> Ended:
    return (WELL if well else BADLY).run()


def goes_on(stage: Stage, whole: Ended, prefix: Sequence[Entry], set_back: float = 0.0) -> Ended:
    """Go on from a prefix; the end must be that of the undisturbed execution."""
    ended = stage.run(prefix, set_back=set_back)
    assert ended.journal[: len(prefix)] == list(prefix)
    state = fold(NAME, ended.journal)
    check_journal(ended.journal, state)
    check_at_rest(state)
    assert story(ended.journal) == story(whole.journal)
    assert (ended.row.status, ended.row.error, ended.row.exit_code) == (
        whole.row.status,
        whole.row.error,
        whole.row.exit_code,
    )
    assert not ended_steps(prefix) & {fact.step for fact in ended.started if fact.step}
    check_stream(ended)
    return ended


def check_stream(ended: Ended) -> None:
    """A viewer gets every event once, in order."""
    assert ended.stream == [entry.seq for entry in ended.journal]
    assert ended.default_stream == [entry.seq for entry in ended.journal if in_default_stream(entry.fact)]


def test_undisturbed_it_does_what_it_says() -> None:
    well, badly = undisturbed(True), undisturbed(False)
    final = well.journal[-1].fact
    assert isinstance(final, ExecutionCompleted)
    branches = '{"all_one":"one","all_call":"{\\"said\\":\\"deep all 9\\",\\"n\\":9}",'
    branches += '"all_loop":"completed 2 iterations","all_three":"three"}'
    assert final.message == f"hello world: deep b 1 {branches}"
    failed = badly.journal[-1].fact
    assert isinstance(failed, ExecutionFailed)
    assert (failed.error, failed.exit_code) == ("world gave up", 9)
    check_stream(well)
    check_stream(badly)


@pytest.mark.parametrize("part", range(PARTS))
def test_an_engine_that_died_after_any_entry_leaves_an_execution_that_ends_as_it_would_have(
    part: int,
) -> None:
    whole = undisturbed(True)
    for length in range(1 + part, len(whole.journal), PARTS):
        goes_on(WELL, whole, whole.journal[:length])


def test_the_same_where_it_ends_badly() -> None:
    whole = undisturbed(False)
    known = undisturbed(True).journal
    parting = next(
        n for n, pair in enumerate(zip(whole.journal[1:], known[1:], strict=False), 1) if pair[0] != pair[1]
    )
    for length in range(parting - 2, len(whole.journal)):
        goes_on(BADLY, whole, whole.journal[:length])


def test_the_same_where_people_are_asked() -> None:
    whole = ASKS.run()
    final = whole.journal[-1].fact
    assert isinstance(final, ExecutionCompleted)
    assert final.message == "timeout 124"
    for length in range(1, len(whole.journal)):
        goes_on(ASKS, whole, whole.journal[:length])


def test_the_same_where_agents_and_operations_work() -> None:
    whole = DELEGATES.run()
    final = whole.journal[-1].fact
    assert isinstance(final, ExecutionCompleted)
    assert final.message == "what is it? | what is it? | and http://x/2?"
    for length in range(1, len(whole.journal)):
        goes_on(DELEGATES, whole, whole.journal[:length])


def test_an_engine_that_dies_while_it_goes_on_changes_nothing_either() -> None:
    whole, random = undisturbed(True), Random(1)
    for _ in range(SECOND_CRASHES):
        first = random.randrange(1, len(whole.journal))
        once = goes_on(WELL, whole, whole.journal[:first])
        soon = min(len(once.journal), first + 12) if random.randrange(2) else len(once.journal)
        goes_on(WELL, whole, once.journal[: random.randrange(first + 1, soon + 1) - 1])


def test_a_clock_that_was_set_back_meanwhile_changes_nothing_and_makes_nothing_wait() -> None:
    whole = undisturbed(True)
    for length in range(1, len(whole.journal), 8):
        ended = goes_on(WELL, whole, whole.journal[:length], set_back=HOUR)
        assert ended.seconds <= whole.seconds + HOUR / 10
