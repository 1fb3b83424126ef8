"""Resuming at every kind of place: inside loops, parallel blocks and sub-workflows, under old and new files."""

from __future__ import annotations

import pytest

from awf.journal.events import StepReused, StepStarted
from conformance.harness import Result, Resume, refused, run

GOOD = {"good": True}
CHECK = 'echo "{{loop.Item}} {{inputs.good}}"; [ {{loop.Index}} -lt 2 ] || [ {{inputs.good}} = true ]'

LOOP = f"""
name: main
inputs: [{{name: good, type: boolean, default: false}}, {{name: items, type: string, default: "a,b,c,d"}}]
states:
  initial: first
  first: {{type: step, command: "echo one", on_success: loop}}
  loop: {{type: for_each, items: "{{{{inputs.items}}}}", body: [say, check], on_success: last}}
  say: {{type: step, command: "echo {{{{loop.Item}}}} {{{{loop.Index1}}}}/{{{{loop.Length}}}}"}}
  check: {{type: step, command: '{CHECK}'}}
  last: {{type: step, command: "echo {{{{states.first.Output}}}} {{{{states.say.Output}}}}", on_success: done}}
  done: {{type: terminal}}
"""


def ran(result: Result) -> list[str]:
    """The paths that were started, in order."""
    return [entry.fact.path for entry in result.facts if isinstance(entry.fact, StepStarted)]


def reused(result: Result) -> list[str]:
    return [entry.fact.path for entry in result.facts if isinstance(entry.fact, StepReused)]


REST = ["loop", "loop[2]/check", "loop[3]/say", "loop[3]/check", "last"]


@pytest.mark.parametrize(
    ("from_step", "expected"),
    [
        (None, REST),
        ("current", REST),
        ("loop[2]/check", REST),
        ("previous", ["loop", "loop[2]/say", *REST[1:]]),
        ("loop[2]/say", ["loop", "loop[2]/say", *REST[1:]]),
        ("loop[2]", ["loop", "loop[2]/say", *REST[1:]]),
        ("loop[1]/check", ["loop", "loop[1]/check", "loop[2]/say", *REST[1:]]),
        ("loop", ["loop", *(f"loop[{i}]/{step}" for i in range(4) for step in ("say", "check")), "last"]),
        ("last", ["last"]),
    ],
)
def test_a_loop_goes_on_in_the_iteration_that_is_asked_for(
    from_step: str | None, expected: list[str]
) -> None:
    result = run(LOOP, resumes=[Resume(from_step, GOOD)])
    assert result.status == "completed"
    assert ran(result) == expected
    if from_step != "last":
        assert result.outputs["loop[3]/say"] == "d 4/4\n"
        assert result.outputs["last"] == "one d 4/4\n"


def test_what_was_decided_for_a_block_stands_also_under_other_inputs() -> None:
    other = {"good": True, "items": "x"}
    result = run(LOOP, resumes=[Resume(None, other)])
    assert ran(result) == REST
    assert result.outputs["loop[3]/say"] == "d 4/4\n"
    again = run(LOOP, resumes=[Resume("loop", other)])
    assert ran(again) == ["loop", "loop[0]/say", "loop[0]/check", "last"]


def test_results_inside_the_open_iteration_are_kept_and_seen() -> None:
    text = LOOP.replace("echo {{loop.Item}} {{loop.Index1}}", "echo said {{loop.Index1}}").replace(
        'echo "{{loop.Item}}', 'echo "{{states.say.Output}}'
    )
    result = run(text, resumes=[Resume(None, GOOD)])
    assert result.outputs["loop[2]/check"].startswith("said 3/4")
    assert "loop[2]/say" in reused(result)
    assert result.steps["loop[2]/say"].reused


def test_a_resume_of_a_resumed_execution_goes_back_as_far_as_anything_was_reached() -> None:
    result = run(LOOP, resumes=[Resume(), Resume("loop[1]/check", GOOD)])
    assert ran(result) == ["loop", "loop[1]/check", "loop[2]/say", *REST[1:]]
    assert reused(result) == ["first", "loop[0]/check", "loop[1]/say"]
    again = run(LOOP, resumes=[Resume(), Resume(), Resume(None, GOOD)])
    assert ran(again) == REST


@pytest.mark.parametrize(
    ("from_step", "told"),
    [
        ("loop[3]/say", "is nothing that execution"),
        ("loop[2]/chekc", "did you mean 'loop[2]/check'?"),
        ("loop[7]", "it reached loop[0], loop[0]/say"),
        ("lop", "is not a step of workflow 'main' (did you mean 'loop'?)"),
        ("done", "is a terminal of 'main'"),
        ("first/x", "is nothing that execution"),
    ],
)
def test_what_was_never_reached_is_refused(from_step: str, told: str) -> None:
    message = refused(LOOP, resumes=[Resume(from_step, GOOD)])
    assert message.startswith(f"from_step: '{from_step}' is")
    assert told in message or "it reached" in told


CALL = """
name: main
inputs: [{name: good, type: boolean, default: false}]
states:
  initial: first
  first: {type: step, command: "echo one", on_success: call}
  call: {type: call_workflow, workflow: child, inputs: {word: "{{states.first.Output}}", good: "{{inputs.good}}"}, on_success: done}
  done: {type: terminal}
"""
CHILD = """
name: child
inputs: [{name: word, type: string}, {name: good, type: boolean}]
outputs: [{name: greeting, from: states.a.Output}]
states:
  initial: a
  a: {type: step, command: "echo a {{inputs.word}}", on_success: both}
  both: {type: parallel, parallel: [quick, loop, other], strategy: best_effort, on_success: b}
  quick: {type: step, command: "echo quick"}
  other: {type: step, command: "[ -e good ]"}
  loop: {type: while, while: "loop.Index < 3", body: [x, y]}
  x: {type: step, command: "echo x {{loop.Index}}"}
  y: {type: step, command: "echo y; [ {{loop.Index}} != 1 ] || [ -e good ]"}
  b: {type: step, command: "echo {{states.a.Output}} {{states.quick.Output}}; [ -e good ]", on_success: done}
  done: {type: terminal}
"""
MAKE = {"good": "yes"}


def test_a_sub_workflow_is_entered_where_it_failed() -> None:
    result = run(CALL, files={"child": CHILD}, resumes=[Resume(files={"./good": "yes", "child": None})])
    assert result.status == "completed"
    assert ran(result) == ["call", "call/b"]
    assert reused(result) == [
        "first",
        "call/a",
        "call/both/quick",
        "call/both/loop[1]/x",
        "call/both",
    ] or set(reused(result)) >= {"first", "call/a", "call/both/quick", "call/both"}
    assert result.outputs["call/b"] == "a one quick\n"
    assert result.outputs["call"] == "a one"


def test_only_the_branches_run_that_did_not_complete_each_where_it_was() -> None:
    held = CHILD.replace(
        '|| [ -e good ]"}\n  b:', '|| [ -e good ] || { touch reached; exec sleep 600; }"}\n  b:'
    )
    waits = held.replace(
        'other: {type: step, command: "[ -e good ]"',
        'other: {type: step, command: "until [ -e reached ]; do sleep 0.02; done; [ -e good ]"',
    )
    files = {"child": waits.replace("best_effort", "all_succeed")}
    result = run(CALL, files=files, resumes=[Resume(files={"./good": "yes"})])
    assert result.status == "completed"
    started = ran(result)
    assert started[:2] == ["call", "call/both"]
    assert not {"call/a", "call/both/quick", "call/both/loop[0]/x"} & set(started)
    assert {"call/both/other", "call/both/loop", "call/both/loop[2]/y", "call/b"} <= set(started)
    assert result.outputs["call/b"] == "a one quick\n"
    by_name = run(CALL, files=files, resumes=[Resume("call/both", files={"./good": "yes"})])
    assert set(ran(by_name)) == set(started)
    inside = run(CALL, files=files, resumes=[Resume("call/both/loop[0]/y", files={"./good": "yes"})])
    assert "call/both/loop[0]/y" in ran(inside)
    assert "call/both/loop[0]/x" not in ran(inside)


LATEST = [
    ("check", "verify", "'check' is not in the body of 'loop'; there is say, verify"),
    (
        'type: for_each, items: "{{inputs.items}}", body',
        'type: while, while: "true", body',
        "'loop' was a for_each loop and is a while loop now; resume from 'loop' itself",
    ),
    ("loop", "ring", "is not a state of workflow 'main' any more"),
]


@pytest.mark.parametrize(("old", "new", "told"), LATEST)
def test_a_file_that_does_not_fit_any_more_is_refused_saying_how(old: str, new: str, told: str) -> None:
    changed = LOOP.replace(old, new)
    if new == "ring":
        changed = LOOP.replace("loop:", "ring:").replace("on_success: loop}", "on_success: ring}")
    assert told in refused(LOOP, resumes=[Resume(None, GOOD, latest=True, files={"main": changed})])


def test_a_file_that_still_fits_is_entered_with_what_was_decided() -> None:
    changed = LOOP.replace("echo one", "exit 9").replace("{{loop.Index1}}/", "{{loop.Index1}} of ")
    result = run(
        LOOP, resumes=[Resume(None, {}, latest=True, files={"main": changed.replace("-lt 2", "-lt 9")})]
    )
    assert ran(result) == REST
    assert result.outputs["loop[3]/say"] == "d 4 of 4\n"


def test_a_failed_step_that_was_routed_on_is_seen_by_what_came_after() -> None:
    text = """
    name: main
    states:
      initial: a
      a: {type: step, command: "echo no >&2; exit 3", on_success: done, on_failure: b}
      b: {type: step, command: "echo {{states.a.ExitCode}} {{states.a.Status}}; [ -e good ]", on_success: done}
      done: {type: terminal}
    """
    result = run(text, resumes=[Resume(files={"./good": "yes"})])
    assert result.status == "completed"
    assert result.outputs["b"] == "3 failed\n"


def test_a_secret_of_a_sub_workflow_is_the_new_one() -> None:
    text = """
    name: main
    inputs: [{name: password, type: string}]
    states:
      initial: call
      call: {type: call_workflow, workflow: child, inputs: {word: "is {{inputs.password}}"}, on_success: done}
      done: {type: terminal}
    """
    child = """
    name: child
    inputs: [{name: word, type: string}]
    states:
      initial: a
      a: {type: step, command: "echo a", on_success: b}
      b: {type: step, command: '[ "{{inputs.word}}" = "is open sesame" ]', on_success: done}
      done: {type: terminal}
    """
    result = run(
        text,
        {"password": "wrong password"},
        files={"child": child},
        resumes=[Resume(None, {"password": "open sesame"})],
    )
    assert result.status == "completed"
    assert ran(result) == ["call", "call/b"]
    assert "open sesame" not in str(result.facts)


def test_hooks_around_are_run_again_and_a_failing_start_hook_changes_nothing() -> None:
    text = LOOP.replace("states:", 'hooks: {workflow_start: [{command: "[ ! -e bad ]"}]}\nstates:', 1)
    result = run(
        text,
        resumes=[Resume(None, {}, files={"./bad": "x"}), Resume(None, GOOD, files={"./bad": None})],
    )
    assert result.status == "completed"
    assert ran(result) == REST
