"""Hooks: kinds, order, failures, what they see (9)."""

from __future__ import annotations

import pytest

from awf.engine.hooks import TIMEOUT
from conformance.harness import Result, run


def hooked(hooks: str, command: str = "true", keys: str = "on_success: done") -> Result:
    return run(f"""
        name: main
        hooks: {hooks}
        states:
          initial: a
          a: {{type: step, command: "{command}", {keys}}}
          done: {{type: terminal}}
          bad: {{type: terminal, status: failure, message: stopped, exit_code: 7}}
        """)


def messages(result: Result) -> list[tuple[str, str]]:
    return [(fact.hook, fact.message) for fact in result.of("hook.finished")]


ALL = """{workflow_start: [{log: "s {{workflow.Name}}"}], workflow_end: [{log: e}],
               workflow_error: [{log: "{{error.State}}|{{error.ExitCode}}|{{error.Message}}|{{error.message}}"}],
               workflow_cancel: [{log: c}]}"""


def test_9_a_success_runs_the_end_hooks() -> None:
    assert messages(hooked(ALL)) == [("workflow_start", "s main"), ("workflow_end", "e")]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("on_success: done", "a|5|step 'a' failed: exit code 5|step 'a' failed: exit code 5"),
        ("on_failure: bad", "bad|7|stopped|stopped"),
        ("on_failure: {message: inline, status: 9}", "a|9|inline|inline"),
    ],
)
def test_9_a_failure_runs_the_error_hooks_with_error_filled_in(keys: str, message: str) -> None:
    result = hooked(ALL, "exit 5", keys)
    assert messages(result) == [("workflow_start", "s main"), ("workflow_error", message)]


def test_9_closing_hooks_run_before_the_final_event() -> None:
    types = hooked("{workflow_end: [{command: 'true'}, {log: x}]}").types()
    assert types[-5:] == [
        "workflow.closing",
        "hook.started",
        "hook.finished",
        "hook.finished",
        "execution.completed",
    ]


@pytest.mark.parametrize("action", ["{command: 'echo no; exit 3'}", "{log: '{{inputs.nothing}}'}"])
def test_9_workflow_start_fails_fast_without_error_hooks(action: str) -> None:
    hooks = f"{{workflow_start: [{action}, {{log: never}}], workflow_error: [{{log: never}}]}}"
    result = hooked(hooks)
    assert result.status == "failed"
    assert result.error.startswith("workflow_start hook failed: ")
    assert result.order == []
    assert "never" not in [message for _, message in messages(result)]


@pytest.mark.parametrize("action", ["{command: 'exit 3'}", "{log: '{{inputs.nothing}}'}"])
@pytest.mark.parametrize("kind", ["pre", "post"])
def test_9_failures_of_pre_and_post_change_nothing_and_are_in_the_record(kind: str, action: str) -> None:
    result = hooked("{}", keys=f"on_success: done, hooks: {{{kind}: [{action}, {{log: next}}]}}")
    assert result.status == "completed", result.error
    first, second = result.of("hook.finished")
    assert first.error
    assert (second.message, second.error) == ("next", "")


@pytest.mark.parametrize("kind", ["workflow_end", "workflow_error"])
def test_9_failures_of_closing_hooks_change_nothing(kind: str) -> None:
    failing = kind == "workflow_error"
    result = hooked(
        f"{{{kind}: [{{command: 'echo why; exit 3'}}, {{log: next}}]}}", "exit 1" if failing else "true"
    )
    assert result.status == ("failed" if failing else "completed")
    first, second = result.of("hook.finished")
    assert (first.exit_code, first.error) == (3, "hook command exited with code 3: why")
    assert second.message == "next"


def test_9_pre_and_post_around_the_step_and_post_before_routing() -> None:
    result = hooked(
        "{}",
        "echo run >> log; exit 2",
        "on_failure: done, hooks: {pre: [{command: 'echo pre >> log'}], "
        "post: [{command: 'echo post {{states.a.ExitCode}} >> log; cat log'}]}",
    )
    assert result.of("hook.finished")[-1].message == "pre\nrun\npost 2\n"
    types = result.types()
    assert types.index("step.failed") < len(types) - 1 - types[::-1].index("hook.finished")


def test_9_with_both_only_log_runs_and_with_neither_nothing() -> None:
    result = hooked("{workflow_end: [{log: said, command: 'touch x'}, {}]}")
    assert messages(result) == [("workflow_end", "said")]
    assert result.of("hook.started") == []


def test_9_hooks_of_blocks_and_of_children() -> None:
    result = run(
        """
        name: main
        hooks: {workflow_end: [{log: main end}]}
        states:
          initial: par
          par: {type: parallel, parallel: [x], on_success: each, hooks: {pre: [{log: p1}], post: [{log: p2}]}}
          x: {type: step, command: "true", hooks: {pre: [{log: x1}], post: [{command: "printf x2"}]}}
          each: {type: for_each, items: "1,2", body: [call], on_complete: done, hooks: {post: [{log: e2}]}}
          call: {type: call_workflow, workflow: child, hooks: {pre: [{log: "c{{loop.Item}}"}]}}
          done: {type: terminal}
        """,
        files={
            "child": """
            name: child
            hooks: {workflow_start: [{command: "printf 's %s' {{workflow.Name}}"}], workflow_end: [{log: e}]}
            states:
              initial: end
              end: {type: terminal}
            """
        },
    )
    assert result.status == "completed", result.error
    said = [message for _, message in messages(result)]
    child = ["s child", "e"]
    assert said == ["p1", "x1", "x2", "p2", "c1", *child, "c2", *child, "e2", "main end"]


def test_9_a_hook_that_takes_too_long_is_ended_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awf.engine.inflight.HOOK_TIMEOUT", 0.2)
    result = hooked("{workflow_end: [{command: 'sleep 60'}, {log: after}]}")
    assert (result.status, result.error) == ("completed", "")
    slow, after = result.of("hook.finished")
    assert (slow.error, slow.exit_code) == ("timeout exceeded (200ms)", 124)
    assert after.message == "after"


def test_9_hooks_have_thirty_seconds_each() -> None:
    assert TIMEOUT == 30
