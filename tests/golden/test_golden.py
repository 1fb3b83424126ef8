"""Journals that earlier versions have written replay, go on to their end, and can be resumed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from awf.domain.outcomes import Usage
from awf.engine.evolve import fold
from awf.journal.codec import decode, encode, type_of
from awf.journal.events import (
    FINAL,
    AnyFact,
    Entry,
    ExecutionAccepted,
    ExecutionCancelled,
    ExecutionReleased,
    InputReceived,
    LoopIterated,
    StepAdopted,
    StepCompleted,
    StepOutput,
    StepReused,
    StepStarted,
)
from awf.journal.store import Acceptance
from awf.stores.memory import MemoryStore
from golden.record import HERE, SOURCES, Recorder

FILES = sorted(path.stem for path in HERE.glob("*.jsonl"))


def journals(name: str) -> dict[str, list[Entry]]:
    """What was recorded, by execution, as the present code reads it."""
    found: dict[str, list[Entry]] = {}
    for line in (HERE / f"{name}.jsonl").read_text().splitlines():
        entry = json.loads(line)
        fact = decode(entry["type"], entry["version"], msgspec.json.encode(entry["fact"]))
        found.setdefault(entry["execution"], []).append(Entry(entry["seq"], entry["at"], fact))
    return found


async def stored(executions: dict[str, list[Entry]]) -> MemoryStore:
    """A store that holds them, owned by an engine that is dead."""
    store = MemoryStore()
    sources = json.loads(SOURCES.read_text())
    for execution, entries in executions.items():
        first = entries[0].fact
        assert isinstance(first, ExecutionAccepted)
        wanted = {digest: sources[digest] for digest in first.definition.values()}
        await store.accept(Acceptance(id=execution, fact=first, now=entries[0].at, sources=wanted))
        batch: list[Entry] = []
        for entry in entries[1:]:
            batch.append(entry)
            if isinstance(entry.fact, ExecutionReleased) or entry is entries[-1]:
                (claim,) = await store.claim("dead", free=["dead"], limit=1, only=[execution])
                await store.append(claim.ownership, batch)
                batch = []
    return store


def played(
    path: Path,
    executions: dict[str, list[Entry]],
    play: Callable[[Recorder], Awaitable[Any]],
) -> Any:
    """What comes of it with an engine of today over a store of then."""

    # Nothing waits any more: the steps' `sleep` is one that does not.
    (path / "sleep").symlink_to("/bin/true")

    async def over() -> Any:
        recorder = Recorder(path, await stored(executions), f"{path}:")
        await recorder.start("today")
        try:
            return await play(recorder)
        finally:
            await recorder.stop()

    return asyncio.run(over())


def of(entries: list[Entry], kind: type[AnyFact]) -> list[Any]:
    return [entry.fact for entry in entries if isinstance(entry.fact, kind)]


def completed(entries: list[Entry]) -> set[str]:
    return {fact.path for fact in of(entries, StepCompleted)}


def check_went_on(before: list[Entry], after: list[Entry]) -> None:
    """The journal was continued, and no step that had ended ran again."""
    assert after[: len(before)] == before
    assert after[-1].fact.__class__ in FINAL
    ended = {fact.step for fact in of(before, StepCompleted)}
    assert not ended & {fact.step for fact in of(after[len(before) :], StepStarted)}


def test_every_type_of_fact_is_in_one_of_them() -> None:
    found = {type_of(entry.fact) for name in FILES for each in journals(name).values() for entry in each}
    known = {kind.__struct_config__.tag for kind in get_args(AnyFact)}
    assert found == known, "add a case to golden/record.py that writes it, and run `make golden`"


@pytest.mark.parametrize("name", FILES)
def test_it_is_read_and_replayed(name: str) -> None:
    for execution, entries in journals(name).items():
        state = fold(execution, entries)
        assert state.finished == isinstance(entries[-1].fact, FINAL)
        for entry in entries:
            assert decode(*encode(entry.fact)) == entry.fact


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("in-")])
def test_it_is_recovered_and_goes_on_to_the_end(name: str, tmp_path: Path) -> None:
    ((execution, before),) = journals(name).items()
    after = played(tmp_path, {execution: before}, lambda recorder: recorder.ended(execution))
    check_went_on(before, after)
    assert type_of(after[-1].fact) == "execution.completed"
    whole = next(iter(journals("finished").values()))
    assert completed(after) >= completed(whole)


@pytest.mark.parametrize("path", ["short[0]/sleeps", "until[1]/look", "both/left", "both", "call"])
def test_a_finished_one_cut_short_goes_on(path: str, tmp_path: Path) -> None:
    ((execution, whole),) = journals("finished").items()
    starts = [entry.seq for entry in whole if isinstance(entry.fact, StepStarted) and entry.fact.path == path]
    after = played(tmp_path, {execution: whole[: starts[0]]}, lambda recorder: recorder.ended(execution))
    check_went_on(whole[: starts[0]], after)
    assert completed(after) >= completed(whole)


def test_a_cut_between_two_iterations_goes_on(tmp_path: Path) -> None:
    ((execution, whole),) = journals("finished").items()
    cut = next(entry.seq for entry in whole if isinstance(entry.fact, LoopIterated) and entry.fact.index == 1)
    after = played(tmp_path, {execution: whole[:cut]}, lambda recorder: recorder.ended(execution))
    check_went_on(whole[:cut], after)


def test_one_that_resumes_another_goes_on_and_is_begun(tmp_path: Path) -> None:
    found = journals("resumed")
    failed, finished, held, pending = found

    async def play(recorder: Recorder) -> dict[str, list[Entry]]:
        return {each: await recorder.ended(each) for each in found}

    after = played(tmp_path, found, play)
    assert after[failed] == found[failed]
    assert after[finished] == found[finished]
    check_went_on(found[held], after[held])
    assert completed(after[held]) >= {"both/right", "call/hold"}
    assert "prepare" not in completed(after[held])
    assert completed(after[pending]) == {"call/greet", "call/hold", "call", "last"}


@pytest.mark.parametrize(("name", "never_again"), [("resumed", "call/hold"), ("cancelled", "prepare")])
def test_one_that_failed_or_was_cancelled_can_be_resumed(name: str, never_again: str, tmp_path: Path) -> None:
    found = journals(name)
    execution = next(iter(found))

    async def play(recorder: Recorder) -> list[Entry]:
        new = await recorder.service.resume(execution, from_step=None, overrides={"fails": False})
        return await recorder.ended(new)

    after = played(tmp_path, {execution: found[execution]}, play)
    assert never_again not in {fact.path for fact in of(after, StepStarted)}


def test_one_cancelled_before_it_began_is_resumed_where_it_was_to_begin(tmp_path: Path) -> None:
    found = journals("resumed")
    failed, _, _, pending = found
    found[pending] = [*found[pending], Entry(2, found[pending][0].at, ExecutionCancelled())]

    async def play(recorder: Recorder) -> list[Entry]:
        new = await recorder.service.resume(pending, from_step=None, overrides={"fails": False})
        return await recorder.ended(new)

    after = played(tmp_path, found, play)
    resumed = after[0].fact.resumed  # type: ignore[union-attr]
    assert (resumed.execution, resumed.source, resumed.from_path) == (pending, failed, "call")
    assert completed(after) == {"call/greet", "call/hold", "call", "last"}
    assert "prepare" in {fact.path for fact in of(after, StepReused)}


def test_one_that_entered_a_loop_again_goes_on_in_it(tmp_path: Path) -> None:
    found = journals("entered")
    entered = list(found)[1]

    async def play(recorder: Recorder) -> list[Entry]:
        return await recorder.ended(entered)

    after = played(tmp_path, found, play)
    check_went_on(found[entered], after)
    assert type_of(after[-1].fact) == "execution.completed"
    started = {fact.path for fact in of(after, StepStarted)}
    assert {"each[1]/hold", "last"} <= started
    assert not started & {"each[0]/hold", "each[1]/say", "prepare"}


@pytest.mark.parametrize("answer", ["rerun", "skip", "fail"])
def test_one_that_waits_for_a_person_since_then_is_answered(answer: str, tmp_path: Path) -> None:
    found = journals("asked")
    waiting = list(found)[1]

    async def play(recorder: Recorder) -> list[Entry]:
        await recorder.service.respond(waiting, answer)
        return await recorder.ended(waiting)

    after = played(tmp_path, found, play)
    check_went_on(found[waiting], after)
    assert [fact.response for fact in of(after, InputReceived)] == [answer]
    assert len(of(after, StepStarted)) == 2 + (answer == "rerun")
    assert type_of(after[-1].fact) == f"execution.{'failed' if answer == 'fail' else 'completed'}"


def test_one_that_was_adopted_and_whose_process_is_gone_by_now_runs_its_step_again(tmp_path: Path) -> None:
    ((execution, whole),) = journals("adopted").items()
    cut = next(entry.seq for entry in whole if isinstance(entry.fact, StepAdopted))
    after = played(tmp_path, {execution: whole[:cut]}, lambda recorder: recorder.ended(execution))
    check_went_on(whole[:cut], after)
    assert [(fact.path, fact.attempt) for fact in of(after, StepStarted)] == [
        ("long", 1),
        ("long", 2),
        ("last", 1),
    ]


@pytest.mark.parametrize("path", ["talk", "more"])
def test_a_conversation_of_then_goes_on(path: str, tmp_path: Path) -> None:
    ((execution, whole),) = journals("talked").items()
    cut = next(
        entry.seq for entry in whole if isinstance(entry.fact, StepStarted) and entry.fact.path == path
    )
    after = played(tmp_path, {execution: whole[:cut]}, lambda recorder: recorder.ended(execution))
    check_went_on(whole[:cut], after)
    said = [fact.text for fact in of(after, StepOutput) if fact.path == "last"]
    assert said == ["s-1: a and b\n"]


@pytest.mark.parametrize(
    ("answer", "said"), [("continue", {"last": "said two\n"}), ("stop", {"sorry": "sorry\n"})]
)
def test_a_budget_of_then_is_raised_or_stops_its_step(
    answer: str, said: dict[str, str], tmp_path: Path
) -> None:
    found = journals("spent")
    granted, _, waiting = found
    state = fold(granted, found[granted])
    assert state.raised == {"workflow.tokens": 30}
    assert state.usage == Usage(input=20, output=10, cost=0.5)

    async def play(recorder: Recorder) -> list[Entry]:
        await recorder.service.respond(waiting, answer)
        return await recorder.ended(waiting)

    after = played(tmp_path, found, play)
    check_went_on(found[waiting], after)
    assert type_of(after[-1].fact) == "execution.completed"
    commands = {fact.path: fact.text for fact in of(after, StepOutput) if fact.path in {"last", "sorry"}}
    assert commands == said


def test_a_talk_of_then_goes_on_and_ends(tmp_path: Path) -> None:
    found = journals("discussed")
    _, talking, _ = found

    async def play(recorder: Recorder) -> list[Entry]:
        await recorder.service.respond(talking, "are you sure?")
        await recorder.asks(talking, 2)
        await recorder.service.respond(talking, "exit")
        await recorder.asks(talking, 3)
        await recorder.service.respond(talking, "approve", comment="fine")
        return await recorder.ended(talking)

    after = played(tmp_path, found, play)
    check_went_on(found[talking], after)
    assert [fact.text for fact in of(after, StepOutput) if fact.path == "last"] == [
        "s-1: are you sure?, 2, fine\n"
    ]


def test_an_approval_of_then_is_rejected(tmp_path: Path) -> None:
    found = journals("discussed")
    *_, unsaid = found

    async def play(recorder: Recorder) -> list[Entry]:
        await recorder.service.respond(unsaid, "reject")
        return await recorder.ended(unsaid)

    after = played(tmp_path, found, play)
    check_went_on(found[unsaid], after)
    assert [fact.text for fact in of(after, StepOutput) if fact.path == "sorry"] == [
        "new: good morning: no\n"
    ]


@pytest.mark.parametrize(
    ("place", "first"),
    [("each[0]/hold", "each[0]/hold"), ("each[1]", "each[1]/say"), ("call/hold", "call/hold")],
)
def test_one_of_then_is_resumed_inside_its_blocks(place: str, first: str, tmp_path: Path) -> None:
    found = journals("resumed")
    failed = next(iter(found))

    async def play(recorder: Recorder) -> list[Entry]:
        new = await recorder.service.resume(failed, from_step=place, overrides={"fails": False})
        return await recorder.ended(new)

    after = played(tmp_path, {failed: found[failed]}, play)
    assert type_of(after[-1].fact) == "execution.completed"
    steps = [fact.path for fact in of(after, StepStarted) if fact.kind == "step"]
    assert steps[0] == first
    assert "prepare" not in steps
