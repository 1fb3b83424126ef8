"""Retry: delays, what is retried, on every type (8)."""

from __future__ import annotations

import pytest

from conformance.harness import Result, refused, run


def retried(retry: str, command: str = "exit 3") -> Result:
    return run(f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "{command}", retry: {{{retry}}}, on_success: done}}
          done: {{type: terminal}}
        """)


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        ("max_attempts: 3", [0, 0]),
        ("max_attempts: 4, initial_delay: 10ms", [0.01, 0.01, 0.01]),
        ("max_attempts: 4, initial_delay: 10ms, backoff: linear", [0.01, 0.02, 0.03]),
        ("max_attempts: 4, initial_delay: 5ms, backoff: exponential", [0.005, 0.01, 0.02]),
        ("max_attempts: 4, initial_delay: 5ms, backoff: exponential, multiplier: 3", [0.005, 0.015, 0.045]),
        ("max_attempts: 3, initial_delay: 5ms, backoff: exponential, multiplier: 0", [0.005, 0]),
        ("max_attempts: 4, initial_delay: 10ms, backoff: linear, max_delay: 15ms", [0.01, 0.015, 0.015]),
        ("max_attempts: 1", []),
    ],
)
def test_8_delays(retry: str, delays: list[float]) -> None:
    result = retried(retry)
    assert (result.status, result.error) == ("failed", "step 'a' failed: exit code 3")
    assert [fact.delay for fact in result.of("step.retrying")] == pytest.approx(delays)
    assert result.steps["a"].attempt == len(delays) + 1


def test_8_jitter_spreads_within_its_bounds_and_stays_under_the_cap() -> None:
    result = retried("max_attempts: 8, initial_delay: 10ms, jitter: 0.5, max_delay: 12ms")
    delays = [fact.delay for fact in result.of("step.retrying")]
    assert len(delays) == 7
    assert all(0.005 <= delay <= 0.012 for delay in delays)


@pytest.mark.parametrize(("code", "attempts"), [(3, 3), (4, 3), (5, 1)])
def test_8_only_these_exit_codes(code: int, attempts: int) -> None:
    result = retried("max_attempts: 3, retryable_exit_codes: [3, 4]", f"exit {code}")
    assert result.steps["a"].attempt == attempts
    assert result.exit_code == code


def test_8_a_success_ends_it() -> None:
    result = retried("max_attempts: 9", "echo x >> n; test $(wc -l < n) -ge 3")
    assert (result.status, result.steps["a"].attempt) == ("completed", 3)
    assert [fact.attempt for fact in result.of("step.retrying")] == [1, 2]


def test_8_hooks_run_once_around_all_attempts() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "exit 1", retry: {max_attempts: 3}, on_success: done, on_failure: done,
              hooks: {pre: [{log: before}], post: [{log: "after {{states.a.ExitCode}}"}]}}
          done: {type: terminal}
        """)
    assert [fact.message for fact in result.of("hook.finished")] == ["before", "after 1"]


@pytest.mark.parametrize(
    "state",
    [
        "{type: for_each, items: 'x,y', body: [b], %s}",
        "{type: while, while: 'loop.Index < 2', body: [b], %s}",
        "{type: parallel, parallel: [b], %s}",
        "{type: parallel, parallel: [b], strategy: any_succeed, %s}",
        "{type: call_workflow, workflow: child, %s}",
    ],
)
def test_8_retry_works_on_blocks(state: str) -> None:
    state = state % "retry: {max_attempts: 3, initial_delay: 5ms}, on_success: done"
    command = "test -e flag || { touch flag; exit 3; }"
    result = run(
        f"""
        name: main
        states:
          initial: a
          a: {state}
          p: {{type: parallel, parallel: [b], on_success: done}}
          b: {{type: step, command: "{command}"}}
          done: {{type: terminal}}
        """,
        files={
            "child": f"""
            name: child
            states:
              initial: c
              c: {{type: step, command: "{command}", on_success: end}}
              end: {{type: terminal}}
            """
        },
    )
    assert (result.status, result.error) == ("completed", "")
    assert result.steps["a"].attempt == 2
    assert [(fact.state, fact.exit_code) for fact in result.of("step.retrying")] == [("a", 3)]


@pytest.mark.parametrize(
    ("retry", "message"),
    [
        ("{max_attempts: 0}", "max_attempts must be >= 1"),
        ("{initial_delay: 1s}", "max_attempts must be >= 1"),
        ("{max_attempts: 2, backoff: fast}", "invalid backoff strategy"),
        ("{max_attempts: 2, jitter: 1.5}", "jitter must be between 0.0 and 1.0"),
        ("{max_attempts: 2, multiplier: -1}", "multiplier must be >= 0"),
    ],
)
def test_3_10_what_is_refused_at_load(retry: str, message: str) -> None:
    assert message in refused(f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "true", retry: {retry}, on_success: done}}
          done: {{type: terminal}}
        """)
