from __future__ import annotations

import pytest

from awf.domain.graph import Graph
from awf.domain.load import Loaded, load_workflow
from awf.domain.workflow import ApprovalState, InlineFailure


def load(keys: str) -> Loaded:
    states = f"initial: a\n  a: {{type: approval, {keys}}}\n  b: {{type: terminal}}\n  c: {{type: terminal}}"
    return load_workflow(f"name: w\ninputs: [{{name: v}}]\nstates:\n  {states}\n", "w.yaml", "w")


def messages(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_an_approval() -> None:
    loaded = load(
        "message: 'Ship {{.inputs.v}}?', on_approve: b, on_reject: c, timeout: 24h, "
        "on_timeout: {message: 'late: {{.states.a.Output}}', status: 7}, description: d, continue_on_error: no"
    )
    assert messages(loaded) == []
    assert loaded.workflow is not None
    state = loaded.workflow.states["a"]
    assert isinstance(state, ApprovalState)
    assert (state.routing.on_approve, state.routing.on_reject) == ("b", "c")
    assert isinstance(state.routing.on_timeout, InlineFailure)
    assert (state.timeout, state.routing.on_timeout.status) == (86400, 7)


def test_every_way_on_counts_when_the_graph_is_looked_at() -> None:
    loaded = load("message: m, on_approve: b, on_reject: c")
    assert loaded.workflow is not None
    assert Graph(loaded.workflow).reached == {"a", "b", "c"}
    for key in ("on_reject", "on_timeout", "on_failure"):
        loaded = load(f"message: m, timeout: 1s, on_approve: a, {key}: {{message: no}}")
        assert "at least one terminal state" not in " ".join(messages(loaded))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("on_approve: b", "state 'a': required key 'message' is missing (w.yaml:5:3)"),
        ("message: ' ', on_approve: b", "state 'a': 'message' must not be empty (w.yaml:5:23)"),
        ("message: [x], on_approve: b", "state 'a': 'message' must be a string, not a list (w.yaml:5:32)"),
        ("message: m, on_approve: d", "state 'a' references undefined state 'd' (w.yaml:5:47)"),
        ("message: m, on_approve: b, on_reject: d", "state 'a' references undefined state 'd' (w.yaml:5:61)"),
        (
            "message: m, on_approve: b, timeout: 1s, on_timeout: d",
            "state 'a' references undefined state 'd' (w.yaml:5:75)",
        ),
        (
            "message: '{{.inputs.w}}', on_approve: b",
            "state 'a': undefined input \"w\" referenced in message (w.yaml:5:35)",
        ),
        (
            "message: m, on_approve: b, on_reject: {message: '{{.states.x.Output}}'}",
            "state 'a' references undefined state 'x' in on_reject (w.yaml:5:74)",
        ),
        ("message: m, on_approve: b, on_reject: {status: 1}", "required key 'message' is missing"),
        (
            "message: m, on_approve: b, timeout: soon",
            "state 'a': 'timeout': invalid duration: soon (write 500ms, 30s or 1m30s) (w.yaml:5:59)",
        ),
    ],
)
def test_what_is_wrong(keys: str, message: str) -> None:
    loaded = load(keys)
    assert loaded.errors
    assert any(message in text for text in messages(loaded)), messages(loaded)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("message: m, on_reject: c", "state 'a' names no next state for when it succeeds"),
        ("message: m, on_aprove: b", "state 'a': unknown key 'on_aprove' (did you mean 'on_approve'?)"),
        ("message: m, on_approve: b, retry: {max_attempts: 2}", "state 'a': key 'retry' has no effect here"),
        ("message: m, on_approve: b, on_crash: ask", "state 'a': key 'on_crash' has no effect here"),
        ("message: m, on_approve: b, on_success: c", "key 'on_success' has no effect beside 'on_approve'"),
        ("message: m, on_approve: b, on_timeout: c", "key 'on_timeout' has no effect without 'timeout'"),
    ],
)
def test_what_is_worth_a_warning(keys: str, message: str) -> None:
    loaded = load(keys)
    assert not loaded.errors
    assert any(message in text for text in messages(loaded)), messages(loaded)


def test_only_approvals_have_their_keys() -> None:
    text = "name: w\nstates:\n  initial: a\n  a: {type: step, command: x, on_approve: b, on_success: b}\n  b: {type: terminal}\n"
    loaded = load_workflow(text, "w.yaml", "w")
    assert ["key 'on_approve' has no effect here" in text for text in messages(loaded)] == [True]
