"""Time limits: per attempt, below a second, templated, on every type (3.2, 4.4, 7.5)."""

from __future__ import annotations

import pytest

from conformance.harness import refused, run


@pytest.mark.parametrize(
    ("timeout", "seconds", "shown"),
    [
        ("50ms", 0.05, "50ms"),
        ("0.1s", 0.1, "100ms"),
        ("'{{inputs.limit}}'", 0.06, "60ms"),
        ("'{{inputs.number}}0ms'", 0.07, "70ms"),
    ],
)
def test_a_steps_timeout_is_a_failure_of_that_step(timeout: str, seconds: float, shown: str) -> None:
    result = run(
        f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "echo begun; sleep 600", timeout: {timeout}, on_success: done}}
          done: {{type: terminal}}
        """,
        {"limit": "60ms", "number": 7},
    )
    assert (result.status, result.exit_code) == ("failed", 124)
    assert result.error == f"step 'a' failed: timeout exceeded ({shown})"
    assert (result.steps["a"].status, result.steps["a"].exit_code) == ("failed", 124)
    assert result.outputs["a"] == "begun\n"
    assert result.of("step.started")[0].timeout == seconds


def test_a_timeout_is_routed_and_seen_like_any_failure() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "sleep 600", timeout: 50ms, on_success: done, on_failure: late,
              transitions: [{when: "states.a.ExitCode == 1", goto: done}]}
          late: {type: terminal, status: failure, message: "{{states.a.ExitCode}} {{states.a.Status}}"}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("failed", "124 failed")


def test_a_timeout_is_never_a_cancellation() -> None:
    result = run("""
        name: main
        hooks:
          workflow_cancel: [{log: cancelled}]
          workflow_error: [{log: "{{error.Message}}"}]
        states:
          initial: a
          a: {type: step, command: "sleep 600", timeout: 50ms, on_success: done}
          done: {type: terminal}
        """)
    assert result.status == "failed"
    assert [fact.message for fact in result.of("hook.finished")] == [
        "step 'a' failed: timeout exceeded (50ms)"
    ]


def test_a_timeout_holds_for_each_attempt() -> None:
    result = run(
        """
        name: main
        states:
          initial: a
          a: {type: step, command: "test -e again || { touch again; sleep 600; }", timeout: 1s500ms, on_success: done,
              retry: {max_attempts: 2}}
          done: {type: terminal}
        """.replace("1s500ms", "200ms")
    )
    assert (result.status, result.error) == ("completed", "")
    (retrying,) = result.of("step.retrying")
    assert (retrying.exit_code, retrying.error) == (124, "timeout exceeded (200ms)")


def test_every_attempt_may_time_out() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "sleep 600", timeout: 40ms, on_success: done,
              retry: {max_attempts: 3, retryable_exit_codes: [124]}}
          done: {type: terminal}
        """)
    assert result.error == "step 'a' failed: timeout exceeded (40ms)"
    assert result.steps["a"].attempt == 3


@pytest.mark.parametrize("timeout", ["0", "0s", "'{{inputs.none}}'"])
def test_zero_is_no_limit(timeout: str) -> None:
    result = run(
        f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "sleep 0.1", timeout: {timeout}, on_success: done}}
          done: {{type: terminal}}
        """,
        {"none": "0"},
    )
    assert result.status == "completed", result.error
    assert result.of("step.started")[0].timeout is None


def test_a_number_is_seconds() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "true", timeout: 90, on_success: b}
          b: {type: step, command: "true", timeout: 1m30s, on_success: c}
          c: {type: step, command: "true", timeout: "{{states.a.ExitCode}}1", on_success: done}
          done: {type: terminal}
        """)
    assert [fact.timeout for fact in result.of("step.started")] == [90, 90, 1]


@pytest.mark.parametrize("value", ["word", "", "-3s", "10 parsecs"])
def test_a_templated_timeout_that_is_no_duration_fails_the_step(value: str) -> None:
    result = run(
        """
        name: main
        states:
          initial: a
          a: {type: step, command: "true", timeout: "{{inputs.t}}", on_success: done, on_failure: caught}
          caught: {type: terminal, status: failure, message: caught}
          done: {type: terminal}
        """,
        {"t": value},
    )
    assert result.error == "caught"
    assert result.steps["a"].error.startswith("timeout: ")


@pytest.mark.parametrize("timeout", ["fast", "-1s", "1.5.2s", "[1]"])
def test_a_timeout_that_is_no_duration_is_refused_at_load(timeout: str) -> None:
    assert "timeout" in refused(f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "true", timeout: {timeout}, on_success: done}}
          done: {{type: terminal}}
        """)


@pytest.mark.parametrize(
    "state",
    [
        "{type: for_each, items: 'x,y', body: [b], timeout: 80ms, %s}",
        "{type: while, while: 'true', body: [b], timeout: '{{inputs.limit}}', %s}",
        "{type: parallel, parallel: [b, c], timeout: 80ms, %s}",
        "{type: parallel, parallel: [b, c], strategy: best_effort, timeout: 80ms, %s}",
        "{type: parallel, parallel: [b, c], strategy: any_succeed, timeout: 80ms, %s}",
        "{type: call_workflow, workflow: child, timeout: 80ms, %s}",
        "{type: call_workflow, call_workflow: {workflow: child, timeout: 80ms}, %s}",
    ],
)
def test_a_block_that_takes_too_long_is_ended_with_all_that_is_in_it(state: str) -> None:
    state = state % "on_success: done, on_failure: late"
    result = run(
        f"""
        name: main
        states:
          initial: a
          a: {state}
          p: {{type: parallel, parallel: [b, c], on_success: done}}
          b: {{type: step, command: "sleep 600", retry: {{max_attempts: 5}}}}
          c: {{type: step, command: "sleep 600"}}
          late: {{type: terminal, status: failure, message: "{{{{states.a.ExitCode}}}} {{{{states.a.Status}}}}"}}
          done: {{type: terminal}}
        """,
        {"limit": "80ms"},
        files={
            "child": """
            name: child
            hooks: {workflow_error: [{log: never}], workflow_cancel: [{log: never}]}
            states:
              initial: b
              b: {type: step, command: "sleep 600", on_success: end, on_failure: end}
              end: {type: terminal}
            """
        },
    )
    assert (result.status, result.error) == ("failed", "124 failed")
    assert result.steps["a"].error == "timeout exceeded (80ms)"
    ended = [step for path, step in result.steps.items() if path != "a"]
    assert ended
    assert {(step.status, step.error) for step in ended} == {("failed", "cancelled")}
    assert result.of("hook.finished") == []


def test_a_block_is_done_in_time_and_its_limit_does_not_reach_further() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: parallel, parallel: [b], timeout: 150ms, on_success: slow}
          b: {type: step, command: "true"}
          slow: {type: step, command: "sleep 0.25", on_success: done}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")


def test_the_limit_of_a_block_does_not_reach_its_next_run() -> None:
    result = run("""
        name: main
        states:
          initial: set
          set: {type: step, command: "test -e n && echo 0s || echo 150ms; touch n", on_success: a}
          a: {type: parallel, parallel: [b], timeout: "{{trimSpace .states.set.Output}}", on_success: again,
              on_failure: late}
          b: {type: step, command: "test -e m && sleep 0.25; touch m"}
          again: {type: step, command: "echo x >> k; wc -l < k",
                  transitions: [{when: "int(states.again.Output) < 2", goto: set}, {goto: done}]}
          late: {type: terminal, status: failure, message: "{{states.a.ExitCode}}"}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")


def test_a_timeout_of_a_block_is_per_attempt_too() -> None:
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "1,2", body: [say], timeout: 250ms, retry: {max_attempts: 2}, on_success: done}
          say: {type: step, command: "test {{loop.Item}} = 1 || test -e again || { touch again; sleep 600; }"}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")
    assert [fact.error for fact in result.of("step.retrying")] == ["timeout exceeded (250ms)"]
    assert [fact.index for fact in result.of("loop.iterated")] == [0, 1, 0, 1]


def test_the_innermost_limit_wins() -> None:
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "1", body: [slow], timeout: 30s, on_complete: done}
          slow: {type: step, command: "sleep 600", timeout: 50ms}
          done: {type: terminal}
        """)
    assert result.error == "step 'each' failed: step 'slow' failed: timeout exceeded (50ms)"
    assert result.exit_code == 124


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit 42", 42),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("no-such-program", 127),
        ("exec /", 126),
    ],
)
def test_7_5_exit_codes(command: str, code: int) -> None:
    result = run(f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "{command}", on_success: done}}
          done: {{type: terminal}}
        """)
    assert (result.status, result.steps["a"].exit_code, result.exit_code) == ("failed", code, code)
