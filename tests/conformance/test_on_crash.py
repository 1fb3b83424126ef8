"""``on_crash``: what becomes of a step whose engine was stopped while it ran, through real engines and shells."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from awf.journal.events import Entry, StepOutput, StepStarted
from conformance.harness import refused, run

ONCE = """
    name: once
    states:
      initial: a
      a:
        type: step
        command: 'echo half; [ -e went ] || { touch went; exec sleep 60; }; echo whole'
        on_crash: POLICY
        retry: {max_attempts: 3}
        on_success: tell
        on_failure: tell
      tell: {type: step, command: "echo '{{.states.a.Status}}: {{.states.a.Output}}'", on_success: done}
      done: {type: terminal}
    """


def wrote(path: str, text: str) -> Callable[[list[Entry]], bool]:
    """The step at a path has written this."""

    def found(facts: list[Entry]) -> bool:
        return any(
            isinstance(entry.fact, StepOutput) and entry.fact.path == path and text in entry.fact.text
            for entry in facts
        )

    return found


@pytest.mark.parametrize(
    ("policy", "answers", "told", "attempt"),
    [
        ("rerun", {}, "completed: half\nwhole\n", 2),
        ("skip", {}, "completed: half\n", 1),
        ("fail", {}, "failed: half\n", 1),
        ("ask", {"a": "rerun"}, "completed: half\nwhole\n", 2),
        ("ask", {"a": "skip"}, "completed: half\n", 1),
        ("ask", {"a": "fail"}, "failed: half\n", 1),
    ],
)
def test_each_choice_and_each_answer(policy: str, answers: dict[str, str], told: str, attempt: int) -> None:
    result = run(ONCE.replace("POLICY", policy), stop_when=wrote("a", "half"), answers=answers)
    assert result.status == "completed"
    assert result.outputs["tell"].replace("\n\n", "\n") == told
    assert result.steps["a"].attempt == attempt
    assert result.of("step.retrying") == []


def test_in_a_loop_only_the_iteration_that_was_cut_short_is_asked_about() -> None:
    result = run(
        """
        name: loop
        states:
          initial: each
          each: {type: for_each, items: "[1, 2, 3]", body: [work], on_success: done}
          work:
            type: step
            command: 'echo {{.loop.Item}} >>lines; echo at {{.loop.Item}}; [ {{.loop.Item}} != 2 ] || exec sleep 60'
            on_crash: ask
          done: {type: terminal}
        """,
        stop_when=wrote("each[1]/work", "at 2"),
        answers={"each[1]/work": "skip"},
    )
    assert result.status == "completed"
    assert [result.outputs[f"each[{index}]/work"] for index in range(3)] == ["at 1\n", "at 2\n", "at 3\n"]
    assert result.steps["each[1]/work"].note.startswith("its engine ended while it ran; skipped by a person")
    (asked,) = result.of("input.required")
    assert asked.prompt.startswith("step 'work' (each[1]/work) was running when its engine was stopped")


def test_in_a_sub_workflow_the_question_names_it_and_the_failure_is_the_childs() -> None:
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done, on_failure: bad}
          done: {type: terminal}
          bad: {type: terminal, status: failure, message: "the child failed"}
        """,
        files={
            "child": """
                name: child
                states:
                  initial: a
                  a: {type: step, command: "echo on; exec sleep 60", on_crash: ask, on_success: end}
                  end: {type: terminal}
                """
        },
        stop_when=wrote("call/a", "on"),
        answers={"call/a": "fail"},
    )
    (asked,) = result.of("input.required")
    assert "in workflow 'child'" in asked.prompt
    assert (result.status, result.error) == ("failed", "the child failed")
    assert result.steps["call"].error == f"step 'a' failed: {result.steps['call/a'].error}"


def test_the_branches_beside_go_on_while_one_waits() -> None:
    both = {"all/a", "all/b"}
    result = run(
        """
        name: main
        states:
          initial: all
          all: {type: parallel, parallel: [a, b], on_success: done}
          a: {type: step, command: "echo on; exec sleep 60", on_crash: ask, on_success: done}
          b: {type: step, command: '[ -e went ] || { touch went; exec sleep 60; }; echo through', on_success: done}
          done: {type: terminal}
        """,
        stop_when=lambda facts: (
            wrote("all/a", "on")(facts)
            and both <= {entry.fact.path for entry in facts if isinstance(entry.fact, StepStarted)}
        ),
        answers={"all/a": "skip"},
    )
    assert result.status == "completed"
    assert result.outputs["all/b"] == "through\n"
    assert result.steps["all/b"].attempt == 2


def test_a_wrong_word_is_refused_with_the_right_one() -> None:
    message = refused(ONCE.replace("POLICY", "reruns"))
    assert (
        "invalid on_crash 'reruns': must be 'rerun', 'fail', 'skip' or 'ask' (did you mean 'rerun'?)"
        in message
    )
