from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow
from awf.domain.templates import Template
from awf.domain.workflow import CallState


def load(keys: str) -> Loaded:
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    return load_workflow(
        "name: w\ninputs: [{name: tag}]\nstates:\n  initial: a\n  a:\n    type: call_workflow\n    on_success: b\n"
        f"{lines}  b: {{type: terminal}}\n",
        "w.yaml",
        "w",
    )


def call(keys: str) -> CallState:
    result = load(keys)
    assert result.problems == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, CallState)
    return state


FLAT = """\
workflow: pack/verify
inputs: {tag: "{{.inputs.tag}}", count: 3, flags: [1, "{{.inputs.tag}}"], deep: {on: true, text: "x"}}
outputs: {verdict: result, 1: one}
timeout: 1m30s"""


@pytest.mark.parametrize(
    "keys", [FLAT, "call_workflow:\n" + "".join(f"  {line}\n" for line in FLAT.splitlines())]
)
def test_flat_keys_and_the_block_mean_the_same(keys: str) -> None:
    state = call(keys)
    assert (state.workflow, state.timeout) == ("pack/verify", 90)
    assert dict(state.outputs) == {"verdict": "result", "1": "one"}
    assert isinstance(state.inputs["tag"], Template)
    assert state.inputs["count"] == 3
    assert state.inputs["flags"][0] == 1
    assert isinstance(state.inputs["flags"][1], Template)
    assert state.inputs["deep"] == {"on": True, "text": "x"}


def test_only_the_name_is_needed() -> None:
    state = call("workflow: verify")
    assert (state.workflow, dict(state.inputs), dict(state.outputs), state.timeout) == (
        "verify",
        {},
        {},
        None,
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "inputs: {}",
            "state 'a': call_workflow config is required for call_workflow steps: 'workflow' is missing (w.yaml:5:3)",
        ),
        (
            "call_workflow: {inputs: {}}",
            "state 'a': call_workflow config is required for call_workflow steps: 'workflow' is missing (w.yaml:5:3)",
        ),
        (
            "call_workflow: verify",
            "state 'a': 'call_workflow' must be a map with workflow, inputs, outputs and timeout, not a string (w.yaml:8:20)",
        ),
        ("workflow: [v]", "state 'a': 'workflow' must be the name of a workflow, not a list (w.yaml:8:15)"),
        (
            "workflow: '{{.inputs.tag}}'",
            "state 'a': 'workflow' must be the name of a workflow, not a template (w.yaml:8:15)",
        ),
        (
            "workflow: v\ninputs: [x]",
            "state 'a': 'inputs' must be a map of names to values, not a list (w.yaml:9:13)",
        ),
        (
            "workflow: v\noutputs: [x]",
            "state 'a': 'outputs' must be a map of outputs to names, not a list (w.yaml:9:14)",
        ),
        (
            "workflow: v\noutputs: {x: [y]}",
            "state 'a': 'outputs.x' must be a string, not a list (w.yaml:9:18)",
        ),
        ("workflow: v\noutputs: {x: ''}", "state 'a': 'outputs.x' must not be empty (w.yaml:9:18)"),
        (
            "workflow: v\ntimeout: -1s",
            "state 'a': 'timeout': duration must not be negative: -1s (w.yaml:9:14)",
        ),
        ('workflow: v\ninputs: {x: "a\\0"}', "state 'a': 'inputs.x' holds a NUL character (w.yaml:9:17)"),
        (
            "workflow: v\ninputs: {x: {y: ['{{.inputs.no}}']}}",
            "state 'a': undefined input \"no\" referenced in inputs.x.y (w.yaml:9:25)",
        ),
    ],
)
def test_what_it_cannot_be(keys: str, message: str) -> None:
    found = [str(problem) for problem in load(keys).errors]
    if "is missing" in message or "map with workflow" in message:
        assert message in found
    else:
        assert found == [message]


def test_keys_in_both_places() -> None:
    result = load("workflow: v\ninputs: {a: 1}\ncall_workflow: {workflow: u, wrokflow: x}")
    assert [str(problem) for problem in result.problems] == [
        "state 'a': key 'workflow' has no effect here: 'call_workflow' has it as well (w.yaml:8:5)",
        "state 'a': call_workflow: unknown key 'wrokflow' (did you mean 'workflow'?) (w.yaml:10:34)",
    ]
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, CallState)
    assert (state.workflow, dict(state.inputs)) == ("u", {"a": 1})
