"""``on_crash``, and what a person can answer, decided over small workflow files."""

from __future__ import annotations

from typing import Any

import pytest

from awf.domain.outcomes import Failed
from awf.engine.evolve import fold
from awf.engine.stimuli import (
    Cancel,
    Continue,
    Idle,
    OutputArrived,
    Release,
    Respond,
    StepFinished,
    TimerFired,
    World,
)
from awf.journal.codec import type_of
from awf.journal.events import Entry, InputReceived, InputRequired
from unit.engine.test_decide import WORLD, Run

POLICY = """
    name: line
    states:
      initial: a
      a:
        type: step
        command: "echo a"
        on_crash: {policy}
        retry: {{max_attempts: 3}}
        on_success: b
        on_failure: bad
      b: {{type: step, command: "echo b", on_success: done}}
      done: {{type: terminal}}
      bad: {{type: terminal, status: failure}}
    """

PARALLEL = """
    name: line
    states:
      initial: all
      all: {type: parallel, parallel: [a, b], timeout: 1m, on_success: done, on_failure: bad}
      a: {type: step, command: "echo a", on_crash: ask, on_success: done}
      b: {type: step, command: "echo b", on_success: done}
      done: {type: terminal}
      bad: {type: terminal, status: failure}
    """


def crashed(policy: str, output: str = "half\n", secrets: dict[str, str] | None = None) -> Run:
    """The engine died while ``a`` ran, and another took over."""
    run = Run(POLICY.format(policy=policy), secrets=secrets)
    run.begin()
    run.decide(OutputArrived("a", "stdout", output))
    run.crash()
    return run


def question(run: Run) -> int:
    """The number of the latest question."""
    return max(entry.seq for entry in run.journal if isinstance(entry.fact, InputRequired))


def answer(run: Run, response: str, comment: str = "") -> list[str]:
    return run.decide(Respond(question(run), response, comment))


def fact(run: Run, kind: str) -> Any:
    return next(entry.fact for entry in reversed(run.journal) if type_of(entry.fact) == kind)


def types(run: Run, count: int) -> list[str]:
    return [type_of(entry.fact) for entry in run.journal[-count:]]


def test_fail_is_routed_and_not_tried_again() -> None:
    run = crashed("fail")
    assert types(run, 4) == ["execution.recovered", "step.failed", "state.entered", "execution.failed"]
    failed = fact(run, "step.failed")
    assert failed.error == "step 'a' was running when its engine died (on_crash: fail)"
    assert (failed.attempt, failed.exit_code, failed.stdout_bytes) == (1, 1, 5)


def test_skip_counts_as_completed_with_the_output_so_far() -> None:
    run = crashed("skip")
    assert types(run, 4) == ["execution.recovered", "step.completed", "state.entered", "step.started"]
    completed = fact(run, "step.completed")
    assert completed.note == "step 'a' was running when its engine died (on_crash: skip)"
    assert completed.stdout_bytes == 5
    assert run.core.state.sequences[""].results["a"].output == "half\n"
    assert run.last.state == "b"


def test_ask_waits_with_what_a_person_must_know() -> None:
    run = crashed("ask", "the key is t0p-s3cret-value\n", {"inputs.key": "t0p-s3cret-value"})
    asked = run.last
    assert isinstance(asked, InputRequired)
    assert (asked.kind, asked.choices, asked.attempt) == ("crash", ("rerun", "skip", "fail"), 1)
    assert asked.prompt == (
        "step 'a' was running when its engine died, in workflow 'line'.\n"
        "Run it again (rerun), count it as completed (skip), or as failed (fail)?\n"
        "The end of its stdout:\nthe key is ***"
    )
    assert not run.core.state.flying()
    assert run.decide(StepFinished("a", Failed("late"))) == []


@pytest.mark.parametrize(
    ("response", "facts"),
    [
        ("rerun", ["input.received", "step.started"]),
        ("skip", ["input.received", "step.completed", "state.entered", "step.started"]),
        ("fail", ["input.received", "step.failed", "state.entered", "execution.failed"]),
    ],
)
def test_each_answer_does_what_it_says(response: str, facts: list[str]) -> None:
    run = crashed("ask")
    assert answer(run, response, "seen by Ann") == facts
    received = fact(run, "input.received")
    assert (received.path, received.response, received.comment) == ("a", response, "seen by Ann")
    if response == "rerun":
        assert (run.last.attempt, run.last.recovered) == (2, True)
    elif response == "skip":
        assert (
            fact(run, "step.completed").note
            == "its engine ended while it ran; skipped by a person: seen by Ann"
        )
    else:
        assert fact(run, "step.failed").error.endswith("failed by a person: seen by Ann")


@pytest.mark.parametrize("response", ["rerun", "skip", "fail"])
def test_a_crash_between_any_two_facts_of_an_answer_changes_nothing(response: str) -> None:
    run = crashed("ask")
    length = len(run.journal)
    answer(run, response)
    for cut in range(length, len(run.journal)):
        again = Run(POLICY.format(policy="ask"))
        again.journal = run.journal[: cut + 1]
        again.crash()
        received = [entry.fact for entry in again.journal if isinstance(entry.fact, InputReceived)]
        assert len(received) == 1
        ended = [type_of(entry.fact) for entry in again.journal if type_of(entry.fact).startswith("step.")]
        assert ended.count("step.failed") == (response == "fail")
        assert fold("exec", again.journal) == again.core.state


def test_a_question_is_answered_once_and_by_its_number() -> None:
    run = crashed("ask")
    first = question(run)
    assert run.decide(Respond(first, "perhaps")) == []
    assert run.decide(Respond(first + 1, "skip")) == []
    assert answer(run, "rerun") == ["input.received", "step.started"]
    assert run.decide(Respond(first, "fail")) == []
    assert run.crash() == ["execution.recovered", "input.required"]
    assert run.decide(Respond(first, "fail")) == []
    assert answer(run, "skip")[1] == "step.completed"


def test_a_waiting_step_survives_any_number_of_engines() -> None:
    run = crashed("ask")
    for _ in range(5):
        assert run.crash() == ["execution.recovered"]
    assert answer(run, "rerun") == ["input.received", "step.started"]


def test_an_engine_that_was_told_to_stop_asks_as_well() -> None:
    run = Run(POLICY.format(policy="ask"))
    run.begin()
    run.decide(Release())
    assert run.crash() == ["execution.recovered", "input.required"]
    assert run.last.prompt.startswith("step 'a' was running when its engine was stopped, in workflow 'line'.")
    assert "It had written nothing." in run.last.prompt


def test_what_only_waits_is_let_go_and_taken_again() -> None:
    run = crashed("ask")
    assert run.decide(Idle()) == ["execution.released"]
    assert (run.last.parked, run.last.wake_at) == (True, None)
    assert run.decide(Idle()) == []
    assert run.crash() == ["execution.recovered"]
    assert run.last.orderly
    assert run.core.state.activities["a"].deaths == 1
    assert answer(run, "skip")[-1] == "step.started"
    assert run.decide(Idle()) == []


def test_a_waiting_execution_can_be_cancelled() -> None:
    for parked in (False, True):
        run = crashed("ask")
        if parked:
            run.decide(Idle())
            run.core = run.replayed()
        assert run.decide(Cancel())[:2] == ["cancel.requested", "step.failed"]
        assert fact(run, "step.failed").error == "cancelled"
        assert run.core.state.status == "cancelled"


def test_the_siblings_go_on_meanwhile_and_the_time_limit_of_the_block_counts() -> None:
    run = Run(PARALLEL)
    run.begin()
    assert run.crash() == ["execution.recovered", "input.required", "step.started"]
    assert (run.last.path, run.last.recovered) == ("all/b", True)
    assert run.decide(Idle()) == []
    run.finish("all/b")
    assert run.decide(Idle()) == ["execution.released"]
    block = run.core.state.activities["all"]
    assert run.last.wake_at == block.attempt_at + 60_000_000
    later = World(now=run.last.wake_at - 1_000_000, engine="engine-2")
    run.core = run.replayed()
    run.decide(Continue(), later)
    assert run.decide(Idle(), later) == [], "what is due soon is waited for"
    assert run.decide(TimerFired("all", 1, 1), later)[:2] == ["block.ending", "step.failed"]
    assert fact(run, "execution.failed").error == "workflow reached terminal failure state: bad"


def test_an_answer_in_a_parallel_block_completes_it() -> None:
    run = Run(PARALLEL)
    run.begin()
    run.crash()
    run.finish("all/b")
    run.decide(Idle())
    run.crash()
    assert answer(run, "skip")[-1] == "execution.completed"


def test_nobody_answers_in_time() -> None:
    run = crashed("ask")
    asked = run.journal[-1]
    assert isinstance(asked.fact, InputRequired)
    deadline = asked.at + 60_000_000
    limited = InputRequired(
        step=1, state="a", path="a", attempt=1, kind="crash", prompt="?", deadline=deadline
    )
    run.journal[-1] = Entry(asked.seq, asked.at, limited)
    run.core = run.replayed()
    assert run.decide(Idle()) == ["execution.released"]
    assert run.last.wake_at == deadline
    run.crash()
    assert run.decide(TimerFired("a", 1, 1), WORLD) == ["step.failed", "state.entered", "execution.failed"]
    failed = fact(run, "step.failed")
    assert (failed.exit_code, failed.error) == (124, "nobody answered in time what step 'a' asked")
