"""Attempts that outlive their engine: taken over before ``on_crash`` is asked, left alone by an engine that leaves."""

from __future__ import annotations

import asyncio

import pytest

from awf.domain.outcomes import Failed, Succeeded
from awf.domain.sealing import Sealer
from awf.engine.evolve import fold
from awf.engine.output import Heard, OutputBuffer
from awf.engine.stimuli import Cancel, Continue, Leave, OutputArrived, Release, Respond, StepFinished
from awf.journal.codec import type_of
from awf.journal.events import StepAdopted
from unit.engine.test_decide import Run

DETACHED = """
    name: line
    states:
      initial: a
      a: {type: step, command: "echo a", detach: true, on_crash: fail, on_success: b, on_failure: bad}
      b: {type: step, command: "echo b", on_success: done}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """

SIDE_BY_SIDE = """
    name: line
    states:
      initial: all
      all: {type: parallel, parallel: [a, b], on_success: done, on_failure: bad}
      a: {type: step, command: "echo a", detach: true, on_success: done}
      b: {type: step, command: "echo b", on_success: done}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """


def begun(text: str = DETACHED) -> Run:
    run = Run(text)
    run.begin()
    run.decide(OutputArrived("a", "stdout", "half\n"))
    return run


def take_over(run: Run) -> list[str]:
    """The next engine finds everything that can be taken over alive."""
    run.core = run.replayed()
    return run.decide(Continue(adoptable=frozenset(run.core.adoptable())))


def test_what_lives_is_taken_over_as_the_same_attempt() -> None:
    run = begun()
    assert take_over(run) == ["execution.recovered", "step.adopted"]
    assert run.last == StepAdopted(
        step=1, state="a", path="a", attempt=1, attempt_id="exec.1.1", engine="engine-1"
    )
    assert run.finish("a") == ["step.completed", "state.entered", "step.started"]
    state = fold("exec", run.journal)
    assert state.sequences[""].results["a"].attempt == 1
    assert state.sequences[""].results["a"].output == "half\n"


def test_what_does_not_is_judged_by_on_crash() -> None:
    run = begun()
    assert run.core.adoptable() == ["exec.1.1"]
    assert run.crash()[:2] == ["execution.recovered", "step.failed"]


def test_deaths_of_engines_that_it_outlived_do_not_count() -> None:
    run = Run(DETACHED.replace("on_crash: fail", "on_crash: rerun"))
    run.begin()
    for _ in range(10):
        assert take_over(run) == ["execution.recovered", "step.adopted"]
    assert run.crash()[:2] == ["execution.recovered", "step.started"]


def test_what_is_being_ended_is_not_taken_over() -> None:
    run = begun()
    run.decide(Cancel())
    assert run.replayed().adoptable() == []
    assert run.crash()[-1] == "execution.cancelled"
    ending = Run(SIDE_BY_SIDE)
    ending.begin()
    ending.finish("all/b", Failed("", 1))
    assert ending.replayed().adoptable() == []


def test_an_engine_that_leaves_lets_go_of_what_goes_on_without_it() -> None:
    run = begun()
    assert run.decide(Leave()) == ["execution.released"]
    assert run.finish("a") == []
    assert take_over(run) == ["execution.recovered", "step.adopted"]
    assert run.journal[-2].fact.orderly


def test_it_waits_for_what_would_end_with_it() -> None:
    run = Run(SIDE_BY_SIDE)
    run.begin()
    path = next(path for path in run.core.state.activities if path.endswith("b"))
    assert run.decide(Leave()) == []
    assert run.finish(path, hold=True) == ["step.completed", "execution.released"]
    assert take_over(run)[:2] == ["execution.recovered", "step.adopted"]


def test_after_letting_go_only_what_is_in_the_store_counts() -> None:
    run = begun()
    run.decide(Leave())
    assert run.decide(StepFinished("a", Succeeded())) == []
    assert run.decide(Release()) == []
    assert run.decide(Respond(1, "rerun")) == []
    assert run.decide(Cancel()) == ["cancel.requested"]


@pytest.mark.parametrize("cuts", [1, 3, 1000])
def test_what_the_journal_has_is_left_out_whatever_the_pieces(cuts: int) -> None:
    text = "the password is hunter22hunter and so on\n" * 3
    sealer = Sealer({"inputs.password": "hunter22hunter"})

    async def heard(pieces: int, skip: Heard | None, cut: bool) -> list[tuple[str, str, bool]]:
        got: list[tuple[str, str, bool]] = []
        buffer = OutputBuffer(lambda *piece: got.append(piece), sealer, skip)
        for start in range(0, len(text), pieces):
            buffer.write("stdout", text[start : start + pieces], False)
        if cut:
            buffer.write("stdout", "", True)
        buffer.close(Succeeded())
        return got

    whole = "".join(piece for _, piece, _ in asyncio.run(heard(7, None, cut=False)))
    assert "hunter" not in whole
    for known in (0, 10, 19, len(whole)):
        rest = asyncio.run(heard(cuts, Heard({"stdout": known, "stderr": 0}, set()), cut=True))
        assert "".join(piece for _, piece, _ in rest) == whole[known:]
        assert [mark for _, _, mark in rest].count(True) == 1
    again = asyncio.run(heard(cuts, Heard({"stdout": len(whole), "stderr": 0}, {"stdout"}), cut=True))
    assert again == []


def test_the_journal_of_a_takeover_folds_at_every_prefix() -> None:
    run = begun()
    take_over(run)
    run.decide(OutputArrived("a", "stdout", "", True))
    for size in range(1, len(run.journal) + 1):
        fold("exec", run.journal[:size])
    assert fold("exec", run.journal).activities["a"].cut == {"stdout"}
    assert type_of(run.last) == "step.output"
