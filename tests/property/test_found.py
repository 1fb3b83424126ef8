"""What the random workflows have found, each in its smallest form."""

from __future__ import annotations

from awf.engine.stimuli import TimerFired
from awf.journal.codec import type_of
from awf.journal.events import LoopIterated
from property.checks import check_journal
from property.driver import MAX_TRANSITIONS, Drive
from property.generator import MAIN, load
from property.world import Script

WELL = Script(0, failing=0)


def text(*states: str, more: str = "") -> str:
    return "\n".join(
        [
            "name: main",
            more,
            "states:",
            "  initial: a",
            *(f"  {state}" for state in states),
            "  done: {type: terminal}",
        ]
    )


def test_a_crash_right_after_a_new_iteration_began_skips_none() -> None:
    workflows = load(
        {
            MAIN: text(
                "a: {type: for_each, items: [x, y, z], body: [b], on_success: done}",
                'b: {type: step, command: "true"}',
            )
        }
    )
    whole = Drive(workflows, WELL).run()
    second = next(
        entry.seq for entry in whole.journal if isinstance(entry.fact, LoopIterated) and entry.fact.index == 1
    )
    crashed = Drive(workflows, WELL, whole.journal[:second]).run()
    assert crashed.results() == whole.results()


def test_a_crash_right_after_a_start_hook_failed_does_not_hide_it() -> None:
    hooks = "hooks: {workflow_start: [{command: hook}]}"
    workflows = load({MAIN: text('a: {type: step, command: "true", on_success: done}', more=hooks)})
    whole = Drive(workflows, Script(0, failing=300)).run()
    assert whole.state.status == "failed"
    finished = next(entry.seq for entry in whole.journal if type_of(entry.fact) == "hook.finished")
    crashed = Drive(workflows, WELL, whole.journal[:finished]).run()
    assert crashed.end() == whole.end()


def test_a_terminal_inside_a_loop_ends_the_loop_as_well() -> None:
    workflows = load({MAIN: text("a: {type: for_each, items: [x], body: [done], on_success: done}")})
    drive = Drive(workflows, WELL).run()
    assert drive.state.status == "completed"
    check_journal(drive.journal, drive.state)


def test_a_sub_workflow_that_is_called_again_does_not_see_its_old_results() -> None:
    main = text("a: {type: call_workflow, workflow: one, on_success: a}")
    fresh = "transitions: [{when: \"states.b.Status == 'completed'\", goto: done}]"
    child = text(
        f'a: {{type: step, command: "true", {fresh}, on_success: b}}',
        'b: {type: step, command: "true", on_success: done}',
    )
    drive = Drive(load({MAIN: main, "one": child}), WELL).run()
    assert drive.results()["a/b", "completed", 1, 0, ""] == MAX_TRANSITIONS + 1


def test_the_time_limit_of_a_sub_workflow_waits_for_its_hook_to_end() -> None:
    hooks = "hooks: {workflow_start: [{command: hook}]}"
    child = text('a: {type: step, command: "true", on_success: done}', more=hooks)
    workflows = load(
        {MAIN: text("a: {type: call_workflow, workflow: one, timeout: 1s, on_success: done}"), "one": child}
    )
    drive = Drive(workflows, WELL).begin()
    drive.decide(TimerFired("a", 1, 1))
    assert drive.running() == ["a"]
    drive.go_on()
    assert drive.end()[1] == "step 'a' failed: timeout exceeded (1s)"
    check_journal(drive.journal, drive.state)
