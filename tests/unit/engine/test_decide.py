"""The pure heart, driven stimulus by stimulus over small workflow files."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent
from typing import Any

import pytest

from awf.domain.load import load_workflow
from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded
from awf.domain.sealing import Sealer
from awf.engine.crashes import MAX_DEATHS
from awf.engine.decide import Core
from awf.engine.evolve import fold
from awf.engine.stimuli import Cancel, Continue, OutputArrived, Release, StepFinished, World
from awf.errors import ReplayDiverged
from awf.journal.codec import type_of
from awf.journal.events import Entry, ExecutionAccepted, ExecutionFailed, StepFailed, StepStarted

WORLD = World(now=1_000_000, engine="engine-1", environ={"HOME": "/home/u"}, max_transitions=50)

LINE = """
    name: line
    states:
      initial: a
      a: {type: step, command: "echo {{inputs.x}}", on_success: b, on_failure: bad}
      b: {type: step, command: "echo {{states.a.Output}}", on_success: done}
      done: {type: terminal, message: "all of {{inputs.x}}"}
      bad: {type: terminal, status: failure, message: "no {{inputs.x}}"}
    """


class Run:
    """A core with everything it ever decided."""

    def __init__(
        self, text: str, inputs: dict[str, Any] | None = None, secrets: dict[str, str] | None = None
    ) -> None:
        loaded = load_workflow(dedent(text), "line.yaml", "line")
        assert loaded.workflow is not None, [str(problem) for problem in loaded.problems]
        self.workflow = loaded.workflow
        self.inputs = inputs or {"x": "1"}
        self.sealer = Sealer(secrets or {})
        accepted = ExecutionAccepted(
            workflow="line",
            file="line.yaml",
            definition={},
            inputs={},
            initial="a",
            root="/",
            working_dir="/",
        )
        self.journal = [Entry(1, 500, accepted)]
        self.core = self.replayed()

    def replayed(self, entries: Sequence[Entry] | None = None) -> Core:
        return Core(fold("exec", entries or self.journal), {"line": self.workflow}, self.inputs, self.sealer)

    def decide(self, stimulus: Any, world: World = WORLD) -> list[str]:
        self.core.decide(stimulus, world)
        entries = self.core.take()
        self.journal += entries
        return [type_of(entry.fact) for entry in entries]

    def begin(self) -> list[str]:
        return self.decide(Continue())

    def finish(self, path: str, outcome: Outcome | None = None, **how: Any) -> list[str]:
        return self.decide(StepFinished(path, outcome or Succeeded(), **how))

    @property
    def last(self) -> Any:
        return self.journal[-1].fact

    def crash(self) -> list[str]:
        self.core = self.replayed()
        return self.decide(Continue())


def test_an_execution_begins_with_its_initial_state() -> None:
    run = Run(LINE)
    assert run.begin() == ["execution.started", "state.entered", "step.started"]
    assert run.last.state == "a"
    assert run.last.attempt_id == "exec.1.1"


def test_the_end_of_one_step_and_the_start_of_the_next_are_decided_together() -> None:
    run = Run(LINE)
    run.begin()
    run.decide(OutputArrived("a", "stdout", "hello\n"))
    assert run.finish("a") == ["step.completed", "state.entered", "step.started"]
    started = run.last
    assert started.command.display == "echo hello\n"
    assert "hello" not in started.command.script
    assert run.finish("b") == ["step.completed", "state.entered", "execution.completed"]
    assert run.last.message == "all of 1"
    assert run.core.state.status == "completed"


def test_sequence_numbers_have_no_gap_and_time_never_goes_back() -> None:
    run = Run(LINE)
    run.decide(Continue(), World(now=900, engine="e"))
    run.decide(StepFinished("a", Succeeded()), World(now=100, engine="e"))
    assert [entry.seq for entry in run.journal] == list(range(1, len(run.journal) + 1))
    times = [entry.at for entry in run.journal]
    assert times == sorted(times)


def test_a_failure_takes_on_failure_and_its_error_is_the_end_of_stderr() -> None:
    run = Run(LINE)
    run.begin()
    run.decide(OutputArrived("a", "stderr", "no such thing\n"))
    assert run.finish("a", Failed("", 3)) == ["step.failed", "state.entered", "execution.failed"]
    failed = next(entry.fact for entry in run.journal if isinstance(entry.fact, StepFailed))
    assert (failed.error, failed.exit_code) == ("no such thing", 3)
    assert (run.last.error, run.last.exit_code) == ("no 1", 1)


def test_a_silent_failure_says_its_exit_code() -> None:
    run = Run(LINE)
    run.begin()
    run.finish("a", Failed("", 3))
    failed = next(entry.fact for entry in run.journal if isinstance(entry.fact, StepFailed))
    assert failed.error == "exit code 3"


def test_success_with_no_way_on_fails_naming_the_state() -> None:
    run = Run("""
        name: line
        states:
          initial: a
          a: {type: step, command: "true", on_failure: done}
          done: {type: terminal}
        """)
    run.begin()
    run.finish("a")
    assert run.last == ExecutionFailed(
        error="state 'a' succeeded but names no next state", state="a", exit_code=1
    )


ROUTES = """
    name: line
    states:
      initial: a
      a:
        type: step
        command: "true"
        transitions:
          - {when: "states.a.ExitCode == 7", goto: seven}
          - {when: "states.a.Output == 'ok'", goto: fine}
        on_success: done
        on_failure: {message: "broke on {{inputs.x}}", status: 9}
      seven: {type: terminal, message: seven}
      fine: {type: terminal, message: fine}
      done: {type: terminal, message: done}
    """


@pytest.mark.parametrize(
    ("output", "outcome", "expected"),
    [
        ("", Failed("", 7), "seven"),
        ("ok\n", Succeeded(), "fine"),
        ("ok\n", Failed("", 1), "fine"),
        ("other", Succeeded(), "done"),
    ],
)
def test_transitions_come_before_targets_on_both_paths(output: str, outcome: Outcome, expected: str) -> None:
    run = Run(ROUTES)
    run.begin()
    if output:
        run.decide(OutputArrived("a", "stdout", output))
    run.finish("a", outcome)
    assert run.last.message == expected


def test_an_inline_failure_ends_with_its_message_and_status() -> None:
    run = Run(ROUTES)
    run.begin()
    run.finish("a", Failed("boom", 1))
    assert run.last == ExecutionFailed(error="broke on 1", state="a", exit_code=9)


def test_continue_on_error_takes_the_way_of_success() -> None:
    run = Run("""
        name: line
        states:
          initial: a
          a: {type: step, command: "false", continue_on_error: true, on_success: done, on_failure: bad}
          done: {type: terminal}
          bad: {type: terminal, status: failure}
        """)
    run.begin()
    assert run.finish("a", Failed("", 1))[-1] == "execution.completed"


def test_a_template_that_fails_is_a_failure_of_its_step_and_routed() -> None:
    run = Run(
        """
        name: line
        inputs: [{name: x}]
        states:
          initial: a
          a: {type: step, command: "echo {{index .inputs inputs.x}}", on_success: done, on_failure: bad}
          done: {type: terminal}
          bad: {type: terminal, status: failure, message: "sorry"}
        """,
        {"x": "nosuch"},
    )
    assert run.begin()[-1] == "step.started"
    assert run.last.refused
    assert run.last.command is None
    assert run.finish("a", Failed(run.last.refused, 126))[-1] == "execution.failed"
    assert run.last.error == "sorry"


def test_circles_are_legal_and_bounded() -> None:
    run = Run("""
        name: line
        states:
          initial: a
          a: {type: step, command: "true", on_success: b}
          b: {type: step, command: "true", transitions: [{when: "inputs.x == 'never'", goto: done}], on_success: a}
          done: {type: terminal}
        """)
    run.begin()
    steps = 0
    while not run.core.state.finished:
        run.finish(run.core.state.current)
        steps += 1
        assert steps < 100
    assert "stopped after 50 transitions" in run.last.error
    assert steps == 51


def test_cancel_waits_for_the_step_to_end() -> None:
    run = Run(LINE)
    run.begin()
    assert run.decide(Cancel()) == ["cancel.requested"]
    assert run.decide(Cancel()) == []
    assert run.finish("a", Cancelled()) == ["step.failed", "execution.cancelled"]
    assert run.decide(Cancel()) == []


def test_cancel_before_the_beginning_ends_at_once() -> None:
    run = Run(LINE)
    assert run.decide(Cancel()) == ["cancel.requested", "execution.cancelled"]


def test_a_step_that_finished_before_the_cancel_reached_it_still_ends_cancelled() -> None:
    run = Run(LINE)
    run.begin()
    run.decide(Cancel())
    assert run.finish("a") == ["step.completed", "execution.cancelled"]


def test_a_crash_runs_the_step_in_flight_again_and_nothing_else() -> None:
    run = Run(LINE)
    run.begin()
    run.finish("a")
    assert run.crash() == ["execution.recovered", "step.started"]
    again = run.last
    assert (again.state, again.attempt, again.recovered, again.step) == ("b", 2, True, 2)
    assert again.attempt_id == "exec.2.2"


def test_what_a_dead_attempt_wrote_is_not_in_the_result() -> None:
    run = Run(LINE)
    run.begin()
    run.decide(OutputArrived("a", "stdout", "first"))
    run.crash()
    run.decide(OutputArrived("a", "stdout", "second"))
    run.finish("a")
    assert run.core.state.sequences[""].results["a"].output == "second"


def test_three_deaths_with_the_same_step_in_flight_fail_the_execution() -> None:
    run = Run(LINE)
    run.begin()
    for _ in range(MAX_DEATHS - 1):
        assert run.crash() == ["execution.recovered", "step.started"]
    assert run.crash() == ["execution.recovered", "step.failed", "execution.failed"]
    assert "its engine died, 3 times" in run.last.error


def test_orderly_releases_are_no_deaths() -> None:
    run = Run(LINE)
    run.begin()
    for _ in range(5):
        assert run.decide(Release()) == ["execution.released"]
        assert run.crash() == ["execution.recovered", "step.started"]


def test_a_held_step_is_recorded_and_routed_by_the_next_owner() -> None:
    run = Run(LINE)
    run.begin()
    assert run.finish("a", hold=True) == ["step.completed", "execution.released"]
    assert run.crash() == ["execution.recovered", "state.entered", "step.started"]
    assert run.last.state == "b"


def test_a_cancel_that_was_asked_for_survives_a_crash() -> None:
    run = Run(LINE)
    run.begin()
    run.decide(Cancel())
    assert run.crash() == ["execution.recovered", "step.failed", "execution.cancelled"]


def test_every_prefix_of_a_journal_goes_on_to_the_same_end() -> None:
    whole = Run(LINE)
    whole.begin()
    whole.decide(OutputArrived("a", "stdout", "hello\n"))
    whole.finish("a")
    whole.finish("b")
    for length in range(1, len(whole.journal)):
        run = Run(LINE)
        run.journal = whole.journal[:length]
        run.crash()
        completed = {entry.fact.path for entry in run.journal if type_of(entry.fact) == "step.completed"}
        while not run.core.state.finished:
            (path,) = [activity.path for activity in run.core.state.flying()]
            assert path not in completed
            run.finish(path)
        assert run.core.state.status == "completed"
        assert set(run.core.state.sequences[""].results) == {"a", "b"}


def test_replay_rebuilds_exactly_the_state() -> None:
    run = Run(LINE)
    run.begin()
    run.decide(OutputArrived("a", "stdout", "x"))
    run.finish("a")
    assert run.replayed().state == run.core.state


def test_a_journal_that_lies_is_refused() -> None:
    run = Run(LINE)
    run.begin()
    lie = Entry(
        run.journal[-1].seq + 1, 0, StepFailed(step=9, state="z", path="a", attempt=1, exit_code=1, error="")
    )
    with pytest.raises(ReplayDiverged, match=r"expected step 1 \(a\) at 'a', found step 9 \(z\)"):
        run.replayed([*run.journal, lie])
    with pytest.raises(ReplayDiverged, match="follows entry"):
        run.replayed([run.journal[0], run.journal[2]])
    with pytest.raises(ReplayDiverged, match="does not begin"):
        run.replayed([run.journal[1]])


def test_secret_values_are_not_in_the_journal() -> None:
    secret = "correct horse battery"
    run = Run(LINE, {"x": secret}, {"inputs.x": secret})
    run.begin()
    started = next(entry.fact for entry in run.journal if isinstance(entry.fact, StepStarted))
    assert started.command is not None
    assert secret not in repr(run.journal)
    assert started.command.display == "echo ***"
    unsealed = [run.sealer.unseal(value) for _, value in started.command.variables]
    assert unsealed == [secret]
    run.finish("a", Failed(f"denied: {secret}", 1))
    assert secret not in repr(run.journal)
