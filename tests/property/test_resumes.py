"""Random workflows that fail or are cancelled somewhere and are resumed at whatever they reached."""

from __future__ import annotations

from random import Random

from hypothesis import event, given, note
from hypothesis import strategies as st
from msgspec.structs import replace

from awf.domain.workflow import TerminalState
from awf.engine.past import Past
from awf.engine.reentry import Reentry
from awf.engine.resume import resume_point, resumed_reentry
from awf.engine.stimuli import Continue
from awf.errors import ResumePointInvalid
from awf.journal.events import BlockKept, Entry, ExecutionAccepted, StateEntered, StepReused, StepStarted
from property.checks import check_at_rest, check_journal
from property.driver import Drive
from property.generator import MAIN
from property.test_core import SEEDS, a_world, examples
from property.world import Script


class Resumed:
    """A drive that resumes another at a place, in a world that remembers what the other met."""

    def __init__(
        self, lineage: list[Past], workflows: dict, script: Script, from_step: str | None, number: int
    ) -> None:
        point = resume_point(lineage, workflows, from_step)
        self.past = next(past for past in lineage if past.execution == point.execution)
        resumed = point.resumed(lineage[0].execution)
        self.entered: Reentry = resumed_reentry(
            Past(self.past.execution, self.past.entries, resumed.upto), resumed, workflows, MAIN
        )
        first = self.past.accepted
        accepted = replace(first, initial=point.path, resumed=resumed)
        self.drive = Drive(workflows, script, [Entry(1, 500, accepted)])
        for entry in self.past.entries[: point.upto]:
            if isinstance(entry.fact, StateEntered):
                self.drive.visits[entry.fact.path] += 1
        for fact in self.entered.facts:
            if isinstance(fact, BlockKept):
                self.drive.visits[fact.path] -= 1
        self.drive.decide(Continue(self.entered.facts))
        self.prelude = len(self.drive.journal)
        self.drive.go_on()
        self.number = number

    def lineage(self, before: list[Past]) -> list[Past]:
        """What can be resumed after it."""
        first = self.drive.journal[0].fact
        assert isinstance(first, ExecutionAccepted)
        assert first.resumed is not None
        own = Past(f"exec-{self.number}", self.drive.journal, len(self.drive.journal))
        source = Past(self.past.execution, self.past.entries, first.resumed.upto)
        older = before[before.index(self.past) + 1 :]
        return [own, source, *older]


def ended(seed: int, cancel: bool) -> tuple[Drive, dict]:
    """An execution that has ended, cancelled or by itself."""
    workflows, script = a_world(seed)
    drive = Drive(workflows, script)
    if not cancel:
        return drive.run(), workflows
    at = Random(seed).randrange(1, 40)

    def watch(running: Drive) -> None:
        if running.state.seq >= at and not running.state.cancel_requested:
            running.cancel()

    return drive.run(watch), workflows


def check(resumed: Resumed) -> None:
    """It is whole, kept branches did not run, what was decided was not decided again, what ran first is what was asked."""
    drive = resumed.drive
    check_journal(drive.journal, drive.state)
    check_at_rest(drive.state)
    kept = {fact.path: fact for fact in resumed.entered.facts if isinstance(fact, BlockKept)}
    branches = {
        fact.path: fact.parent
        for fact in resumed.entered.facts
        if isinstance(fact, StepReused) and fact.parent
    }
    seen: set[str] = set()
    for entry in drive.journal:
        if not isinstance(entry.fact, StepStarted) or entry.fact.path in seen:
            continue
        seen.add(entry.fact.path)
        fact = kept.get(entry.fact.path)
        if fact is not None:
            assert (entry.fact.items, entry.fact.limit, entry.fact.inputs) == (
                fact.items,
                fact.limit,
                fact.inputs,
            )
    for path, parent in branches.items():
        again = [entry for entry in drive.journal if _enters(entry, parent)]
        own = [entry for entry in drive.journal if _enters(entry, path)]
        attempts = [e for e in drive.journal if isinstance(e.fact, StepStarted) and e.fact.path == parent]
        assert not own or len(again) > 1 or len(attempts) > 1, f"{path} runs again"


def _enters(entry: Entry, path: str) -> bool:
    return isinstance(entry.fact, StateEntered) and entry.fact.path == path


def alike(source: Drive, resumed: Resumed, workflows: dict) -> bool:
    """Must it end as the original did? Nothing around the place is parallel or tried again, and no limit was met."""
    if source.state.cancel_requested or "stopped after" in f"{source.end()} {resumed.drive.end()}":
        return False
    for fact in resumed.entered.facts:
        if isinstance(fact, BlockKept):
            states = [w.states[fact.state] for w in workflows.values() if fact.state in w.states]
            if fact.kind == "parallel" or any(getattr(state, "retry", None) for state in states):
                return False
    return True


@given(SEEDS, st.booleans(), st.integers(0, 2**16))
@examples(120)
def test_a_resume_at_anything_that_was_reached_is_whole_and_ends_alike(
    seed: int, cancel: bool, choice: int
) -> None:
    source, workflows = ended(seed, cancel)
    if source.state.status == "completed":
        return
    lineage = [Past("exec", source.journal, len(source.journal))]
    random = Random(choice)
    places = [None, "current", *sorted(lineage[0].starts)]
    for number, place in enumerate(random.sample(places, min(4, len(places)))):
        note(f"from {place}")
        try:
            resumed = Resumed(lineage, workflows, source.script, place, number)
        except ResumePointInvalid:
            assert place in {None, "current"}
            assert isinstance(workflows[MAIN].states[workflows[MAIN].initial], TerminalState)
            continue
        check(resumed)
        event(f"depth {resumed.entered.path.count('/')}")
        if alike(source, resumed, workflows):
            event("ends alike")
            assert resumed.drive.end() == source.end()


@given(SEEDS, st.booleans(), st.integers(0, 2**16))
@examples(60)
def test_a_resume_of_a_resumed_one_reaches_everything_before_it(seed: int, cancel: bool, choice: int) -> None:
    source, workflows = ended(seed, cancel)
    lineage = [Past("exec", source.journal, len(source.journal))]
    random = Random(choice)
    for number in range(3):
        if lineage[0].entries[-1].fact.__class__.__name__ == "ExecutionCompleted":
            return
        places = sorted({start for past in lineage for start in past.starts})
        if not places:
            return
        place = random.choice(places)
        note(f"{number}: from {place}")
        resumed = Resumed(lineage, workflows, Script(seed + number, 30), place, number)
        check(resumed)
        lineage = resumed.lineage(lineage)


@given(SEEDS, st.booleans(), st.integers(0, 2**16))
@examples(40)
def test_a_resumed_one_that_is_cut_short_goes_on_to_the_same_end(
    seed: int, cancel: bool, choice: int
) -> None:
    source, workflows = ended(seed, cancel)
    lineage = [Past("exec", source.journal, len(source.journal))]
    places = sorted(lineage[0].starts)
    if source.state.status == "completed" or not places:
        return
    random = Random(choice)
    place = random.choice(places)
    note(f"from {place}")
    whole = Resumed(lineage, workflows, source.script, place, 0)
    cut = random.randrange(1, len(whole.drive.journal))
    note(f"cut after entry {cut}")
    again = Drive(workflows, source.script, whole.drive.journal[:cut])
    visits = whole.drive.visits.copy()
    for entry in whole.drive.journal[cut:]:
        if isinstance(entry.fact, StateEntered):
            visits[entry.fact.path] -= 1
    again.visits = visits
    again.decide(Continue(whole.entered.facts))
    again.go_on()
    assert again.end() == whole.drive.end()
    assert again.results(attempts=False) == whole.drive.results(attempts=False)
    check_journal(again.journal, again.state)
