from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from awf.domain.load import load_workflow
from awf.domain.schema import language_schema
from everything import EVERYTHING, PLACES, VALUES, beside

EXAMPLES = sorted((Path(__file__).parents[3] / ".awf" / "workflows").glob("*.y*ml"))
SCHEMA = language_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def refusals(document: Any) -> list[str]:
    """Where the schema refuses a document, as paths."""
    found = sorted("/".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(document))
    return list(dict.fromkeys(found))


def workflow(**state: Any) -> dict[str, Any]:
    return {"name": "w", "states": {"initial": "a", "a": state, "end": {"type": "terminal"}}}


def test_it_is_a_schema_that_json_can_have() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def _properties(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for part in schema for found in _properties(part)]
    if not isinstance(schema, dict):
        return []
    own = [
        part
        for part in schema.get("properties", {}).values()
        if "additionalProperties" in schema and "minProperties" not in schema
    ]
    return own + [found for part in schema.values() for found in _properties(part)]


def test_every_key_is_described() -> None:
    found = _properties(SCHEMA)
    assert len(found) > 150
    assert all("description" in part or "description" in part["anyOf"][0] for part in found)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(path: Path) -> None:
    loaded = load_workflow(path.read_bytes(), path.name, path.stem)
    assert loaded.problems == ()
    assert refusals(loaded.document) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize(
    "state",
    [
        {"type": "Step", "command": "x", "timeout": "1m30s", "on_success": "end"},
        {"type": "command", "script_file": "x", "timeout": "{{.inputs.t}}s", "env": {"A": 1, "B": None}},
        {"type": "terminal", "status": "failure", "exit_code": 3},
        {"type": "step", "command": "x", "max_duration": "1h", "max_cost_usd": 0.5, "on_budget": "Fail"},
        {"type": "for_each", "items": [1, {"a": "b"}], "body": ["b"], "max_iterations": "2 * 2"},
        {"type": "while", "while": True, "body": ["b"], "on_complete": "end"},
        {"type": "parallel", "parallel": ["b"], "strategy": "Best_Effort", "max_concurrent": 0},
        {"type": "call_workflow", "workflow": "v", "inputs": {"a": [1]}, "outputs": {"a": "b"}},
        {"type": "call_workflow", "call_workflow": {"workflow": "v", "timeout": 3}},
        {
            "type": "agent",
            "provider": "claude",
            "prompt": "p",
            "skills": ["a", {"path": "b"}],
            "conversation": None,
        },
        {"type": "operation", "operation": "http.request", "inputs": {"url": "{{x}}", "method": "get"}},
        {
            "type": "approval",
            "message": "m",
            "timeout": "24h",
            "on_approve": "end",
            "on_timeout": {"message": "x"},
        },
        {"use_template": "t", "parameters": {"p": 1}, "on_success": "end", "prompt": "x"},
        {"use_template": "t", "type": "step", "retry": {"max_attempts": 2, "jitter": 0.5}},
    ],
)
def test_states_that_are_valid(state: dict[str, Any]) -> None:
    assert refusals(workflow(**state)) == []


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"command": "x"}, "states/a"),
        ({"type": "stpe", "command": "x"}, "states/a/type"),
        ({"type": "step"}, "states/a"),
        ({"type": "step", "command": None}, "states/a"),
        ({"type": "step", "command": "x", "script_file": "y"}, "states/a"),
        ({"type": "step", "comand": "x", "command": "x"}, "states/a"),
        ({"type": "step", "command": "x", "timeout": "soon"}, "states/a/timeout"),
        ({"type": "step", "command": "x", "retry": {"max_attempts": 0}}, "states/a/retry"),
        ({"type": "step", "command": "x", "hooks": {"before": []}}, "states/a/hooks"),
        ({"type": "step", "command": "x", "transitions": [{"when": "true"}]}, "states/a/transitions"),
        ({"type": "step", "command": "x", "body": ["b"]}, "states/a"),
        ({"type": "for_each", "items": "x", "body": []}, "states/a/body"),
        ({"type": "approval"}, "states/a"),
        ({"type": "step", "command": "x", "max_tokens_total": 0}, "states/a/max_tokens_total"),
        ({"type": "approval", "message": "m", "on_reject": {"status": 1}}, "states/a/on_reject"),
        ({"type": "approval", "message": "m", "retry": {"max_attempts": 2}}, "states/a"),
        (
            {"type": "for_each", "items": "x", "body": ["b"], "max_iterations": 10_001},
            "states/a/max_iterations",
        ),
        ({"type": "parallel", "parallel": ["b"], "strategy": "some"}, "states/a/strategy"),
        ({"type": "call_workflow", "inputs": {}}, "states/a"),
        ({"type": "agent", "provider": "claude"}, "states/a"),
        ({"use_template": "t", "comand": "x"}, "states/a"),
        ({"type": "step", "command": "x", "parameters": {}}, "states/a"),
    ],
)
def test_states_that_are_not(state: dict[str, Any], place: str) -> None:
    assert refusals(workflow(**state)) == [place]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"name": ""}, "name"),
        ({"autor": "x"}, ""),
        ({"inputs": [{"type": "string"}]}, "inputs"),
        ({"inputs": {"x": {"type": "text"}}}, "inputs"),
        ({"outputs": [{"name": "x"}]}, "outputs"),
        ({"hooks": {"workflow_begin": []}}, "hooks"),
        ({"escaping": "maybe"}, "escaping"),
    ],
)
def test_documents_that_are_not(more: dict[str, Any], place: str) -> None:
    document = {**workflow(type="terminal"), **more}
    assert refusals(document) == [place]
    assert refusals(workflow(type="terminal")) == []


def test_everything_is_valid() -> None:
    assert refusals(EVERYTHING) == []


@given(st.sampled_from(PLACES), st.sampled_from(VALUES), st.booleans())
def test_what_loads_without_a_problem_is_valid(path: tuple[Any, ...], value: Any, gone: bool) -> None:
    document = json.loads(json.dumps(EVERYTHING))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    if gone:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    loaded = load_workflow(json.dumps(document), "build.yaml", "build", beside)
    if not loaded.problems:
        assert refusals(document) == []
