"""Cancelling, in every situation: never routed, nothing left running, the cancel hooks run (10.4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from awf.journal.codec import type_of
from awf.journal.events import Entry
from awf.runners.processes import Family
from conformance.harness import run


def once(kind: str, count: int = 1, **fields: str) -> Callable[[list[Entry]], bool]:
    """When so many facts of this type, with these fields, are in the journal."""

    def seen(facts: list[Entry]) -> bool:
        found = [entry.fact for entry in facts if type_of(entry.fact) == kind]
        return sum(all(getattr(fact, k) == v for k, v in fields.items()) for fact in found) >= count

    return seen


CHILD = """
    name: child
    hooks: {workflow_cancel: [{log: child}]}
    states:
      initial: c
      c: {type: step, command: "sleep 600", on_success: end, on_failure: end}
      end: {type: terminal}
"""


@pytest.mark.parametrize(
    ("state", "when"),
    [
        ("{type: step, command: 'sleep 600', %s}", once("step.started", state="a")),
        (
            "{type: step, command: 'exit 1', retry: {max_attempts: 3, initial_delay: 10m}, %s}",
            once("step.retrying"),
        ),
        ("{type: for_each, items: 'x,y', body: [b], %s}", once("step.started", state="b")),
        ("{type: while, while: 'true', body: [b], %s}", once("step.started", state="b")),
        ("{type: parallel, parallel: [b, c], %s}", once("step.started", state="c")),
        ("{type: parallel, parallel: [b, each], strategy: best_effort, %s}", once("step.started", state="c")),
        ("{type: call_workflow, workflow: child, %s}", once("step.started", state="c")),
        ("{type: step, command: 'true', hooks: {pre: [{command: 'sleep 600'}]}, %s}", once("hook.started")),
        ("{type: step, command: 'true', hooks: {post: [{command: 'sleep 600'}]}, %s}", once("hook.started")),
    ],
)
def test_10_4_cancel_ends_everything_and_is_never_routed(
    state: str, when: Callable[[list[Entry]], bool]
) -> None:
    state = state % "on_success: done, on_failure: done, continue_on_error: true, transitions: [{goto: done}]"
    result = run(
        f"""
        name: main
        hooks: {{workflow_cancel: [{{command: "echo bye"}}], workflow_error: [{{log: no}}], workflow_end: [{{log: no}}]}}
        states:
          initial: a
          a: {state}
          p: {{type: parallel, parallel: [b, each], on_success: done}}
          each: {{type: for_each, items: "1", body: [c]}}
          b: {{type: step, command: "sleep 600"}}
          c: {{type: step, command: "sleep 600"}}
          done: {{type: terminal}}
        """,
        files={"child": CHILD},
        cancel_when=when,
    )
    assert result.status == "cancelled"
    assert result.types()[-1] == "execution.cancelled"
    assert "bye\n" in [fact.message for fact in result.of("hook.finished") if fact.hook == "workflow_cancel"]
    assert not [fact for fact in result.of("hook.finished") if fact.message == "no"]
    assert all(step.status != "running" for step in result.steps.values())
    assert "done" not in [fact.state for fact in result.of("state.entered")]


def test_10_4_cancel_between_steps_of_a_running_circle() -> None:
    result = run(
        """
        name: main
        states:
          initial: a
          a: {type: step, command: "true", on_success: a, on_failure: done}
          done: {type: terminal}
        """,
        cancel_when=once("step.completed", 3),
    )
    assert result.status == "cancelled"


def test_10_4_cancel_during_the_start_hooks_runs_the_cancel_hooks() -> None:
    result = run(
        """
        name: main
        hooks:
          workflow_start: [{command: "sleep 600"}]
          workflow_cancel: [{command: "echo undone"}]
          workflow_error: [{log: "no"}]
        states:
          initial: a
          a: {type: step, command: "true", on_success: done}
          done: {type: terminal}
        """,
        cancel_when=once("hook.started"),
    )
    assert (result.status, result.order) == ("cancelled", [])
    started, closed = result.of("hook.finished")
    assert (started.hook, started.error) == ("workflow_start", "cancelled")
    assert (closed.hook, closed.message) == ("workflow_cancel", "undone\n")


@pytest.mark.parametrize("hook", ["workflow_end", "workflow_error"])
def test_10_4_cancel_during_a_closing_hook_is_still_a_cancel(hook: str) -> None:
    command = "true" if hook == "workflow_end" else "exit 3"
    result = run(
        f"""
        name: main
        hooks: {{{hook}: [{{command: "sleep 600"}}], workflow_cancel: [{{command: "echo undone"}}]}}
        states:
          initial: a
          a: {{type: step, command: "{command}", on_success: done}}
          done: {{type: terminal}}
        """,
        cancel_when=once("hook.started", hook=hook),
    )
    assert result.status == "cancelled"
    assert result.of("hook.finished")[-1].message == "undone\n"


def test_10_4_a_second_cancel_does_not_end_the_cancel_hooks() -> None:
    result = run(
        """
        name: main
        hooks: {workflow_cancel: [{command: "sleep 0.2; echo undone"}]}
        states:
          initial: a
          a: {type: step, command: "sleep 600", on_success: done}
          done: {type: terminal}
        """,
        cancel_when=once("step.started"),
        cancel_again_when=once("hook.started", hook="workflow_cancel"),
    )
    assert result.status == "cancelled"
    assert result.of("hook.finished")[-1].message == "undone\n"
    assert len(result.of("cancel.requested")) == 1


FAMILIES = {
    "deaf to SIGTERM": "trap '' TERM; sleep 600; sleep 600",
    "orphans": "(setsid sleep 600 &); (sh -c 'sleep 600 &'); exec sleep 600",
    "nothing but a parent": "env -i setsid sh -c 'sleep 600; true' & wait",
    "stopped": "sleep 600 & kill -STOP $!; kill -STOP $$; wait",
}


@pytest.mark.parametrize("detach", ["false", "true"])
@pytest.mark.parametrize("family", FAMILIES)
def test_10_4_nothing_of_a_cancelled_step_is_left(family: str, detach: str) -> None:
    result = run(
        f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "echo ready; {FAMILIES[family]}", detach: {detach}, on_success: done}}
          done: {{type: terminal}}
        """,
        cancel_when=once("step.output"),
        grace=0.3,
    )
    assert result.status == "cancelled"
    assert Family([result.of("step.started")[0].attempt_id]).living() == []


@pytest.mark.parametrize(
    "state",
    [
        "{type: step, command: 'sleep 600', detach: true, timeout: 300ms, on_success: done}",
        "{type: for_each, items: '1', body: [b], timeout: 300ms, on_success: done}",
        "{type: parallel, parallel: [b, c], strategy: all_succeed, on_success: done}",
    ],
)
def test_a_detached_step_ends_with_its_time_and_with_its_block(state: str) -> None:
    result = run(
        f"""
        name: main
        states:
          initial: a
          a: {state}
          b: {{type: step, command: "sleep 600", detach: true, on_success: done}}
          c: {{type: step, command: "exit 3", on_success: done}}
          done: {{type: terminal}}
        """
    )
    assert result.status == "failed"
    for fact in result.of("step.started"):
        assert Family([fact.attempt_id]).living() == []
    ended = {fact.state: fact.error for fact in result.of("step.failed")}
    assert ended.get("b", "cancelled") == "cancelled"
