"""What holds for every journal that the core decides, whatever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from awf.engine.evolve import fold
from awf.engine.state import ExecutionState
from awf.journal.codec import decode, encode
from awf.journal.events import FINAL, Entry, StateEntered, StepCompleted, StepFailed, StepStarted


def check_journal(journal: Sequence[Entry], state: ExecutionState) -> None:
    """A finished journal: numbered without gaps, its times in order, one final fact, one end per started step, rebuilt
    exactly."""
    assert [entry.seq for entry in journal] == list(range(1, len(journal) + 1))
    assert all(before.at <= after.at for before, after in pairwise(journal))
    assert all(getattr(entry.fact, "duration", 0.0) >= 0.0 for entry in journal)
    assert [isinstance(entry.fact, FINAL) for entry in journal] == [False] * (len(journal) - 1) + [True]
    _check_steps(journal)
    assert fold(state.execution, journal) == state
    decoded = [Entry(entry.seq, entry.at, decode(*encode(entry.fact))) for entry in journal]
    assert decoded == list(journal)


def check_at_rest(state: ExecutionState) -> None:
    """Nothing runs after the end."""
    assert state.finished
    assert not state.flying()
    assert not state.hooks


def _check_steps(journal: Sequence[Entry]) -> None:
    entered: Counter[str] = Counter()
    steps: dict[str, set[int]] = {}
    ended: set[int] = set()
    attempts: Counter[int] = Counter()
    for entry in journal:
        match entry.fact:
            case StateEntered() as fact:
                entered[fact.path] += fact.kind != "terminal"
            case StepStarted() as fact:
                assert fact.step not in ended, f"step {fact.step} ({fact.path}) runs again after its end"
                assert fact.attempt == attempts[fact.step] + 1
                attempts[fact.step] = fact.attempt
                steps.setdefault(fact.path, set()).add(fact.step)
            case StepCompleted() | StepFailed() as fact:
                assert fact.step in steps[fact.path]
                assert fact.step not in ended, f"step {fact.step} ({fact.path}) ends twice"
                assert fact.attempt == attempts[fact.step]
                ended.add(fact.step)
    assert ended == set(attempts), "a started step has no end"
    for path, numbers in steps.items():
        assert len(numbers) <= entered[path], f"{path} has more steps than entries"
