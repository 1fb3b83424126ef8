from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow
from awf.domain.workflow import Retry, StepState


def load(retry: str) -> Loaded:
    return load_workflow(
        "name: w\nstates:\n  initial: a\n  a:\n    type: step\n    command: x\n    on_success: b\n"
        f"    retry: {retry}\n  b: {{type: terminal}}\n",
        "w.yaml",
        "w",
    )


def retry(written: str) -> Retry | None:
    result = load(written)
    assert result.problems == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, StepState)
    return state.retry


def test_everything() -> None:
    assert retry(
        "{max_attempts: 5, initial_delay: 500ms, max_delay: 1m, backoff: Exponential, multiplier: 3, jitter: 0.5,"
        " retryable_exit_codes: [1, 75]}"
    ) == Retry(5, 0.5, 60.0, "exponential", 3.0, 0.5, (1, 75))


def test_defaults() -> None:
    assert retry("{max_attempts: 2}") == Retry(2, 0.0, 0.0, "constant", 2.0, 0.0, ())
    assert retry("{max_attempts: 2, multiplier: 0, backoff: '', retryable_exit_codes: []}") == Retry(
        2, multiplier=0.0
    )
    assert retry("{max_attempts: 2, initial_delay: 3, backoff: linear}") == Retry(2, 3.0, backoff="linear")
    assert retry("") is None


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{}", "max_attempts must be >= 1 (w.yaml:8:12)"),
        ("{max_attempts: }", "max_attempts must be >= 1 (w.yaml:8:13)"),
        ("{max_attempts: 0}", "max_attempts must be >= 1 (w.yaml:8:27)"),
        ("{max_attempts: -3}", "max_attempts must be >= 1 (w.yaml:8:27)"),
        ("{max_attempts: false}", "'max_attempts' must be a whole number, not a boolean (w.yaml:8:27)"),
        ("{max_attempts: many}", "'max_attempts' must be a whole number, not a string (w.yaml:8:27)"),
        ("{max_attempts: 1.5}", "'max_attempts' must be a whole number, not a number (w.yaml:8:27)"),
        (
            "{max_attempts: 2, backoff: fibonacci}",
            "invalid backoff strategy 'fibonacci': must be one of constant, linear, exponential (w.yaml:8:39)",
        ),
        ("{max_attempts: 2, jitter: 1.5}", "jitter must be between 0.0 and 1.0 (w.yaml:8:38)"),
        ("{max_attempts: 2, jitter: .nan}", "jitter must be between 0.0 and 1.0 (w.yaml:8:38)"),
        ("{max_attempts: 2, multiplier: -1}", "multiplier must be >= 0 (w.yaml:8:42)"),
        ("{max_attempts: 2, multiplier: .inf}", "multiplier must be >= 0 (w.yaml:8:42)"),
        ("{max_attempts: 2, multiplier: [1]}", "'multiplier' must be a number, not a list (w.yaml:8:42)"),
        (
            "{max_attempts: 2, initial_delay: -1s}",
            "'initial_delay': duration must not be negative: -1s (w.yaml:8:45)",
        ),
        (
            "{max_attempts: 2, max_delay: '{{.inputs.d}}'}",
            "'max_delay': invalid duration: {{.inputs.d}} (write 500ms, 30s or 1m30s) (w.yaml:8:41)",
        ),
        (
            "{max_attempts: 2, retryable_exit_codes: 1}",
            "'retryable_exit_codes' must be a list of exit codes, not a number (w.yaml:8:52)",
        ),
        (
            "{max_attempts: 2, retryable_exit_codes: [one]}",
            "'retryable_exit_codes' must be a list of exit codes, not a string (w.yaml:8:53)",
        ),
    ],
)
def test_what_it_cannot_be(written: str, message: str) -> None:
    assert [str(problem) for problem in load(written).errors] == [f"state 'a': retry: {message}"]


def test_it_must_be_a_map() -> None:
    assert [str(problem) for problem in load("3").errors] == [
        "state 'a': 'retry' must be a map with max_attempts, not a number (w.yaml:8:12)"
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{max_attempts: 1}", "can never apply: with max_attempts 1 nothing is tried again (w.yaml:8:27)"),
        (
            "{max_attempts: 3, retryable_exit_codes: [0, -1]}",
            "can never apply: no failure has one of these exit codes (w.yaml:8:52)",
        ),
        (
            "{max_attempts: 2, max_atempts: 3}",
            "unknown key 'max_atempts' (did you mean 'max_attempts'?) (w.yaml:8:30)",
        ),
    ],
)
def test_what_it_may_not_mean(written: str, message: str) -> None:
    result = load(written)
    assert result.workflow is not None
    assert [str(problem) for problem in result.warnings] == [f"state 'a': retry: {message}"]


@pytest.mark.parametrize(
    "state",
    [
        "{type: for_each, items: x, body: [c], RETRY}",
        "{type: while, while: 'true', body: [c], RETRY}",
        "{type: parallel, parallel: [c], RETRY}",
        "{type: call_workflow, workflow: v, RETRY}",
        "{type: agent, provider: claude, prompt: p, RETRY}",
        "{type: operation, operation: http.request, RETRY}",
    ],
)
def test_every_state_that_does_something_can_have_one(state: str) -> None:
    written = state.replace("RETRY", "on_success: b, timeout: 3s, retry: {max_attempts: 4}")
    result = load_workflow(
        f"name: w\nstates:\n  initial: a\n  a: {written}\n  b: {{type: terminal}}\n  c: {{type: step, command: x, on_success: b}}\n",
        "w.yaml",
        "w",
    )
    assert result.errors == ()
    assert result.workflow is not None
    found = result.workflow.states["a"]
    assert found.kind != "terminal"
    assert getattr(found, "retry", None) == Retry(4)
    assert getattr(found, "timeout", None) == 3


def test_a_terminal_has_none() -> None:
    result = load_workflow(
        "name: w\nstates: {initial: a, a: {type: terminal, retry: {max_attempts: 2}}}\n", "w.yaml", "w"
    )
    assert [str(problem) for problem in result.problems] == [
        "state 'a': key 'retry' has no effect here (w.yaml:2:42)"
    ]
