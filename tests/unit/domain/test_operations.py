from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow
from awf.domain.templates import Template
from awf.domain.workflow import OperationState


def load(keys: str) -> Loaded:
    return load_workflow(
        f"name: w\nstates:\n  initial: a\n  a: {{type: operation, on_success: b, {keys}}}\n  b: {{type: terminal}}\n",
        "w.yaml",
        "w",
    )


@pytest.mark.parametrize("key", ["inputs", "operation_inputs"])
def test_an_operation(key: str) -> None:
    given = '{title: "{{.env.T}}", labels: [a, 1], assignees: me}'
    result = load(f"operation: github.create_issue, {key}: {given}")
    assert result.problems == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, OperationState)
    assert state.operation == "github.create_issue"
    assert isinstance(state.inputs["title"], Template)
    assert (state.inputs["labels"], state.inputs["assignees"]) == (["a", 1], "me")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("inputs: {}", "state 'a': operation is required for operation-type steps (w.yaml:4:3)"),
        ("operation: ''", "state 'a': operation is required for operation-type steps (w.yaml:4:3)"),
        (
            "operation: [x]",
            "state 'a': 'operation' must be the name of an operation, not a list (w.yaml:4:50)",
        ),
        (
            "operation: http.request, inputs: [x]",
            "state 'a': 'inputs' must be a map of names to values, not a list (w.yaml:4:72)",
        ),
    ],
)
def test_what_it_cannot_be(keys: str, message: str) -> None:
    assert [str(problem) for problem in load(keys).errors] == [message]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "operation: http.requets",
            "state 'a': unknown operation 'http.requets' (did you mean 'http.request'?) (w.yaml:4:50)",
        ),
        (
            "operation: notify.send, inputs: {message: m}, operation_inputs: {}",
            "state 'a': key 'operation_inputs' has no effect beside 'inputs' (w.yaml:4:85)",
        ),
        (
            "operation: github.get_issue",
            "state 'a': github.get_issue: number is required (w.yaml:4:50)",
        ),
        (
            "operation: github.get_issue, inputs: {number: five}",
            """state 'a': github.get_issue: number: cannot convert "five" to integer (w.yaml:4:85)""",
        ),
        (
            "operation: github.get_issue, inputs: {number: 5, nmuber: 1}",
            "state 'a': github.get_issue: unknown input 'nmuber' (did you mean 'number'?) (w.yaml:4:88)",
        ),
        (
            "operation: http.request, inputs: {url: ftp://x, method: '{{env.M}}'}",
            "state 'a': http.request: url must start with http:// or https:// (w.yaml:4:78)",
        ),
        (
            "operation: notify.send, inputs: {message: [m]}",
            "state 'a': notify.send: message must be a text (w.yaml:4:81)",
        ),
    ],
)
def test_what_it_may_not_mean(keys: str, message: str) -> None:
    assert [str(problem) for problem in load(keys).problems] == [message]
