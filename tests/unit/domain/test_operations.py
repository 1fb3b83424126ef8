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
    result = load(f'operation: github.create_pr, {key}: {{title: "{{{{.env.T}}}}", labels: [a, 1], n: 3}}')
    assert result.problems == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, OperationState)
    assert state.operation == "github.create_pr"
    assert isinstance(state.inputs["title"], Template)
    assert (state.inputs["labels"], state.inputs["n"]) == (["a", 1], 3)


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
            "operation: http.request, inputs: {}, operation_inputs: {}",
            "state 'a': key 'operation_inputs' has no effect beside 'inputs' (w.yaml:4:76)",
        ),
    ],
)
def test_what_it_may_not_mean(keys: str, message: str) -> None:
    assert [str(problem) for problem in load(keys).problems] == [message]
