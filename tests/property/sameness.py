"""What an execution that an engine died under has in common with one that nobody disturbed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from awf.journal.events import (
    Entry,
    Fact,
    HookFinished,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepStarted,
)


@dataclass(frozen=True)
class Story:
    """A finished journal without what a crash may change: attempts, repeated output, times (in responses too), the numbers of steps that
    run side by side."""

    final: Fact
    steps: Counter[tuple[object, ...]]
    hooks: Counter[tuple[object, ...]]
    numbered: Counter[str]


def story(journal: Iterable[Entry]) -> Story:
    """What happened."""
    steps: Counter[tuple[object, ...]] = Counter()
    hooks: Counter[tuple[object, ...]] = Counter()
    numbers: dict[int, str] = {}
    written: dict[tuple[int, int], str] = {}
    final: Fact | None = None
    for entry in journal:
        match entry.fact:
            case StepStarted() as fact:
                assert numbers.setdefault(fact.step, fact.path) == fact.path, "a step changed its place"
            case StepOutput() as fact:
                key = (fact.step, fact.attempt)
                written[key] = written.get(key, "") + fact.text
            case StepCompleted() as fact:
                text = written.get((fact.step, fact.attempt), "") + fact.output
                steps[fact.path, "completed", text, _timeless(fact.response), fact.goto, fact.note] += 1
            case StepFailed() as fact:
                text = "" if fact.error == "cancelled" else written.get((fact.step, fact.attempt), "")
                steps[fact.path, "failed", text, fact.exit_code, fact.error] += 1
            case HookFinished() as fact:
                hooks[fact.path, fact.hook, fact.index, fact.error, fact.message] += 1
            case _:
                pass
        final = entry.fact
    assert final is not None
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), "the numbers of steps have gaps"
    return Story(final, steps, hooks, Counter(numbers.values()))


def _timeless(response: object) -> str:
    """A response without the time at which an approval was given."""
    if isinstance(response, dict) and response.keys() == {"response", "comment", "by", "at"}:
        response = {**response, "at": bool(response["at"])}
    return repr(response)


def ended_steps(journal: Sequence[Entry]) -> set[int]:
    """The numbers of the steps that have ended."""
    return {entry.fact.step for entry in journal if isinstance(entry.fact, (StepCompleted, StepFailed))}
