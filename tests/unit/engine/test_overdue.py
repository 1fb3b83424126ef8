"""Steps that run when a budget of time is used up: people are asked meanwhile, decided over a small workflow file."""

from __future__ import annotations

from typing import Any

import pytest

from awf.domain.outcomes import Cancelled, Failed, Succeeded
from awf.engine.evolve import fold
from awf.engine.stimuli import Cancel, Continue, Idle, LimitDue, Respond, StepFinished, World
from awf.journal.events import InputReceived, InputRequired, StepFailed, StepStarted
from unit.engine.test_decide import WORLD, Run

OVERDUE = """
    name: line
    max_duration: 10s
    states:
      initial: a
      a: {type: step, command: "a", detach: DETACH, on_crash: ask, retry: {max_attempts: 3}, on_success: b, on_failure: bad}
      b: {type: step, command: "b", on_success: done}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """


def at(seconds: float) -> World:
    return World(now=WORLD.now + round(seconds * 1_000_000), engine="engine-1")


def overdue(detach: str = "false") -> Run:
    """The step runs, and a person is asked."""
    run = Run(OVERDUE.replace("DETACH", detach))
    run.begin()
    assert run.decide(LimitDue(), at(9.9)) == []
    assert run.decide(LimitDue(), at(10)) == ["input.required"]
    return run


def respond(run: Run, response: str, seconds: float = 12) -> list[str]:
    question = max(entry.seq for entry in run.journal if isinstance(entry.fact, InputRequired))
    return run.decide(Respond(question, response, "enough"), at(seconds))


def test_it_is_due_when_the_first_limit_is_reached() -> None:
    run = Run(OVERDUE.replace("DETACH", "false"))
    run.begin()
    assert run.core.due_in(at(4)) == pytest.approx(6)
    run.decide(LimitDue(), at(10))
    assert run.core.due_in(at(11)) is None  # a person is asked already
    respond(run, "continue")
    assert run.core.due_in(at(13)) == pytest.approx(9)


def test_it_runs_on_and_is_never_parked() -> None:
    run = overdue()
    assert run.decide(LimitDue(), at(11)) == []
    assert run.decide(Idle(), at(11)) == []
    assert run.core.state.flying()
    assert fold("exec", run.journal) == run.core.state


def test_more_is_granted_from_the_answer_on() -> None:
    run = overdue()
    assert respond(run, "continue", 100) == ["input.received"]
    assert isinstance(run.last, InputReceived)
    assert run.last.limit == 110
    assert run.decide(LimitDue(), at(109)) == []
    assert run.decide(LimitDue(), at(110)) == ["input.required"]
    assert fold("exec", run.journal) == run.core.state


def test_the_first_of_two_answers_counts() -> None:
    run = overdue()
    assert respond(run, "stop") == ["input.received"]
    assert respond(run, "continue") == []
    assert run.decide(LimitDue(), at(99)) == []
    run.decide(StepFinished("a", Cancelled()), at(99))
    failed = next(entry.fact for entry in run.journal if isinstance(entry.fact, StepFailed))
    assert (failed.error, failed.exit_code) == ("stopped by a person, because a budget is used up: enough", 1)


def test_what_ends_well_before_it_can_be_stopped_has_succeeded() -> None:
    run = overdue()
    respond(run, "stop")
    # The next one needs an answer of its own.
    assert run.decide(StepFinished("a", Succeeded()), at(12)) == [
        "step.completed", "state.entered", "step.started", "input.required",
    ]  # fmt: skip


def test_an_answer_after_the_end_is_no_answer_to_the_next_question() -> None:
    run = overdue()
    question = run.journal[-1].seq
    run.decide(StepFinished("a", Failed("no")), at(11))
    assert run.core.state.asking == set()
    assert run.decide(Respond(question, "continue"), at(12)) == []


@pytest.mark.parametrize("detach", ["false", "true"])
def test_a_stop_holds_when_the_engine_dies_before_the_step_has_ended(detach: str) -> None:
    run = overdue(detach)
    respond(run, "stop")
    run.core = run.replayed()
    assert run.core.adoptable() == []
    run.decide(Continue(), at(20))
    failed = next(entry.fact for entry in run.journal if isinstance(entry.fact, StepFailed))
    assert failed.error == "stopped by a person, because a budget is used up: enough"
    assert run.core.state.status == "failed"


def test_the_question_stays_open_for_a_step_that_outlives_its_engine() -> None:
    run = overdue("true")
    run.core = run.replayed()
    (attempt,) = run.core.adoptable()
    assert run.decide(Continue(adoptable=frozenset({attempt})), at(20)) == [
        "execution.recovered",
        "step.adopted",
    ]
    assert respond(run, "continue", 21) == ["input.received"]
    assert run.finish("a")[0] == "step.completed"


def test_of_a_step_that_died_with_its_engine_the_crash_is_asked_about() -> None:
    run = overdue()
    run.core = run.replayed()
    run.decide(Continue(), at(20))
    asked: Any = run.last
    assert (asked.kind, asked.reached) == ("crash", None)
    # It may run again, once more time is granted.
    assert respond(run, "rerun", 21) == ["input.received", "step.started", "input.required"]
    started = next(entry.fact for entry in reversed(run.journal) if isinstance(entry.fact, StepStarted))
    assert started.held is not None


def test_a_cancel_ends_it() -> None:
    run = overdue()
    run.decide(Cancel(), at(11))
    assert respond(run, "continue") == []
    run.decide(StepFinished("a", Cancelled()), at(12))
    assert run.core.state.status == "cancelled"
    assert fold("exec", run.journal) == run.core.state
