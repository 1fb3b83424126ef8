"""Random workflows through the pure core: it does what the language says, and survives crashes and cancels anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import Random

from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from awf.domain.outcomes import Cancelled
from awf.domain.workflow import LeafState, Workflow
from awf.engine.stimuli import Stimulus, TimerFired
from awf.journal.events import InputRequired
from property.checks import check_at_rest, check_journal
from property.driver import MAX_TRANSITIONS, Drive
from property.generator import load, workflow_texts
from property.reference import Reference
from property.world import Script

MORE = int(os.environ.get("AWF_PROPERTY_FACTOR", "1"))
SEEDS = st.integers(0, 2**32)


def examples(count: int) -> settings:
    """So many examples, or ``AWF_PROPERTY_FACTOR`` times as many."""
    return settings(max_examples=count * MORE, deadline=None, suppress_health_check=list(HealthCheck))


def a_world(seed: int) -> tuple[dict[str, Workflow], Script]:
    """Workflows and a world for them."""
    texts = workflow_texts(Random(seed))
    for text in texts.values():
        note(text)
    return load(texts), Script(seed, seed % 60)


@given(SEEDS)
@examples(100)
def test_the_core_does_what_the_reference_interpreter_does(seed: int) -> None:
    workflows, script = a_world(seed)
    reference = Reference(workflows, script, MAX_TRANSITIONS)
    expected = reference.run()
    event(str(expected[0]))
    drive = Drive(workflows, script).run()
    assert drive.end() == expected
    assert drive.results() == reference.results
    assert drive.hooks() == reference.hooks
    assert drive.state.transitions <= MAX_TRANSITIONS


@given(SEEDS)
@examples(60)
def test_every_journal_is_whole_and_rebuilds_the_state(seed: int) -> None:
    drive = Drive(*a_world(seed)).run()
    check_journal(drive.journal, drive.state)
    check_at_rest(drive.state)


class Unsteady(Drive):
    """Its clock is set back and on all the time, before every stimulus."""

    def decide(self, stimulus: Stimulus) -> None:
        self.world = replace(
            self.world, now=Random(f"{self.script.seed} {len(self.journal)}").randrange(10**10)
        )
        super().decide(stimulus)


@given(SEEDS)
@examples(60)
def test_a_clock_that_jumps_moves_no_time_back_and_changes_nothing(seed: int) -> None:
    steady, unsteady = Drive(*a_world(seed)).run(), Unsteady(*a_world(seed)).run()
    assert unsteady.end() == steady.end()
    assert unsteady.results() == steady.results()
    assert unsteady.hooks() == steady.hooks()
    check_journal(unsteady.journal, unsteady.state)


@given(SEEDS, st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3))
@examples(50)
def test_a_journal_cut_anywhere_goes_on_to_the_same_end(seed: int, places: list[float]) -> None:
    workflows, script = a_world(seed)
    whole = Drive(workflows, script).run()
    for place in places:
        length = 1 + int(place * (len(whole.journal) - 1))
        note(f"cut after entry {length}")
        crashed = Drive(workflows, script, whole.journal[:length]).run()
        assert crashed.end() == whole.end()
        assert crashed.results(attempts=False) == whole.results(attempts=False)
        check_journal(crashed.journal, crashed.state)
        check_at_rest(crashed.state)


@given(SEEDS, st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3))
@examples(30)
def test_steps_that_ask_after_a_crash_go_on_to_the_same_end(seed: int, places: list[float]) -> None:
    workflows, script = a_world(seed)
    asking = {name: _asking(workflow) for name, workflow in workflows.items()}
    whole = Drive(workflows, script).run()
    journal = whole.journal
    for place in places:
        length = 1 + int(place * (len(journal) - 1))
        note(f"cut after entry {length}")
        crashed = Drive(asking, script, journal[:length]).run()
        event(f"asked: {any(isinstance(entry.fact, InputRequired) for entry in crashed.journal)}")
        assert crashed.end() == whole.end()
        assert crashed.results(attempts=False) == whole.results(attempts=False)
        check_journal(crashed.journal, crashed.state)
        check_at_rest(crashed.state)
        journal = crashed.journal


def _asking(workflow: Workflow) -> Workflow:
    """The workflow with ``on_crash: ask`` in its steps."""
    states = {
        name: replace(state, on_crash="ask") if isinstance(state, LeafState) else state
        for name, state in workflow.states.items()
    }
    return replace(workflow, states=states)


@given(SEEDS, st.floats(0, 1, exclude_max=True), st.booleans())
@examples(50)
def test_a_cancel_at_any_point_ends_everything(seed: int, place: float, crash: bool) -> None:
    workflows, script = a_world(seed)
    decisions = []
    Drive(workflows, script).run(lambda drive: decisions.append(drive.state.seq))
    when = int(place * len(decisions))

    def cancel(drive: Drive) -> None:
        if drive.state.seq == decisions[when]:
            drive.cancel()

    drive = Drive(workflows, script)
    if not decisions:
        assert drive.run().state.finished
        return
    drive.run(cancel)
    assert drive.state.status == "cancelled"
    check_journal(drive.journal, drive.state)
    check_at_rest(drive.state)
    if crash:
        asked = decisions[when] + 1
        for length in range(asked, min(len(drive.journal), asked + 4)):
            again = Drive(workflows, script, drive.journal[:length]).run()
            assert again.state.status == "cancelled"
            check_journal(again.journal, again.state)


@given(SEEDS)
@examples(100)
def test_any_order_of_events_keeps_the_journal_whole(seed: int) -> None:
    workflows, script = a_world(seed)
    _Storm(workflows, script, Random(seed)).run()


class _Storm:
    """Anything in any order: processes that end, delays, time limits of blocks, crashes, a late cancel."""

    def __init__(self, workflows: Mapping[str, Workflow], script: Script, random: Random) -> None:
        self.workflows = workflows
        self.script = script
        self.random = random
        self.drive = Drive(workflows, script).begin()

    def run(self) -> None:
        cancel_at = self.random.randrange(400)
        count = 0
        while not self.drive.state.finished:
            if count == cancel_at:
                self.drive.cancel()
            else:
                self._happen()
            count += 1
            assert count < 5_000, "does not end"
        check_journal(self.drive.journal, self.drive.state)
        check_at_rest(self.drive.state)

    def _happen(self) -> None:
        drive, state = self.drive, self.drive.state
        chosen = self.random.randrange(100)
        blocks = [each for each in state.activities.values() if each.flying and each.started]
        if chosen < 3:
            journal = drive.journal[: len(drive.journal) - self.random.randrange(min(3, len(drive.journal)))]
            self.drive = Drive(self.workflows, self.script, journal).begin()
        elif chosen < 6 and blocks:
            block = self.random.choice(blocks)
            drive.decide(
                TimerFired(
                    block.path,
                    block.started.step if block.started else 0,
                    block.started.attempt if block.started else 0,
                )
            )
        else:
            path = self.random.choice(drive.running())
            if drive.is_ended(path) and self.random.randrange(4):
                drive.finish(path, Cancelled())
            else:
                drive.finish(path)
