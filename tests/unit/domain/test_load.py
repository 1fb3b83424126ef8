from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.load import Loaded, load_workflow
from awf.domain.workflow import InlineFailure, Input, Rules, StepState, TerminalState, Workflow
from everything import BESIDE, EVERYTHING, PLACES, VALUES, beside

FULL = """\
name: build
version: 1.10
description: Builds and ships
author: Ada
tags: [ci, 2]
inputs:
  - name: target
    type: string
    required: yes
    description: what to build
    validation: {enum: [app, lib], pattern: "^[a-z]+$"}
  - name: jobs
    type: integer
    default: 4
    validation: {min: 1, max: 64}
states:
  initial: compile
  compile:
    type: step
    description: Compiles
    command: |
      make {{inputs.target}} \\
        -j{{.inputs.jobs}}
    dir: src/{{inputs.target}}
    env:
      MODE: release
      JOBS: 4
    timeout: 1m30s
    continue_on_error: true
    transitions:
      - when: states.compile.ExitCode == 2
        goto: broken
      - goto: ship
    on_success: ship
    on_failure: broken
  ship:
    type: command
    command: ship "{{states.compile.Output}}"
    timeout: "{{.inputs.jobs}}m"
    on_success: done
    on_failure: {message: "could not ship {{inputs.target}}", status: 3}
  done:
    type: Terminal
    message: shipped
  broken:
    type: terminal
    status: failure
    message: "{{states.compile.Stderr}}"
    exit_code: 7
"""


def load(text: str | bytes, identifier: str = "build") -> Loaded:
    return load_workflow(text, f"{identifier}.yaml", identifier)


def loaded(text: str, identifier: str = "build") -> Workflow:
    found = load(text, identifier)
    assert found.errors == ()
    assert found.workflow is not None
    return found.workflow


def test_a_whole_workflow() -> None:
    result = load(FULL)
    assert result.problems == ()
    workflow = result.workflow
    assert workflow is not None
    assert (workflow.identifier, workflow.name, workflow.file) == ("build", "build", "build.yaml")
    assert (workflow.version, workflow.description, workflow.author) == ("1.10", "Builds and ships", "Ada")
    assert workflow.tags == ("ci", "2")
    assert workflow.initial == "compile"
    assert list(workflow.states) == ["compile", "ship", "done", "broken"]
    target, jobs = workflow.inputs
    assert target == Input(
        "target",
        "string",
        target.position,
        description="what to build",
        required=True,
        rules=Rules(pattern="^[a-z]+$", enum=("app", "lib")),
    )
    assert (jobs.type, jobs.default, jobs.rules) == ("integer", 4, Rules(minimum=1, maximum=64))


def test_a_step_with_everything() -> None:
    state = loaded(FULL).states["compile"]
    assert isinstance(state, StepState)
    assert str(state.position) == "build.yaml:18:3"
    assert [reference.path for reference in state.command.references] == [
        ("inputs", "target"),
        ("inputs", "jobs"),
    ]
    assert [str(reference.position) for reference in state.command.references] == [
        "build.yaml:22:14",
        "build.yaml:23:13",
    ]
    assert set(state.env) == {"MODE", "JOBS"}
    assert state.timeout == 90
    assert state.routing.continue_on_error
    assert [transition.goto for transition in state.routing.transitions] == ["broken", "ship"]
    assert [transition.when is None for transition in state.routing.transitions] == [False, True]
    assert (state.routing.on_success, state.routing.on_failure) == ("ship", "broken")


def test_a_templated_timeout_and_an_inline_failure() -> None:
    state = loaded(FULL).states["ship"]
    assert isinstance(state, StepState)
    assert state.timeout is not None
    assert not isinstance(state.timeout, float)
    failure = state.routing.on_failure
    assert isinstance(failure, InlineFailure)
    assert failure.status == 3


def test_terminals() -> None:
    states = loaded(FULL).states
    done, broken = states["done"], states["broken"]
    assert isinstance(done, TerminalState)
    assert isinstance(broken, TerminalState)
    assert (done.status, done.exit_code) == ("success", None)
    assert (broken.status, broken.exit_code) == ("failure", 7)


def test_the_document_is_the_file_as_authored() -> None:
    document = load(FULL).document
    assert document is not None
    assert list(document) == ["name", "version", "description", "author", "tags", "inputs", "states"]
    assert list(document["states"]) == ["initial", "compile", "ship", "done", "broken"]
    assert document["version"] == "1.10"
    assert document["states"]["compile"]["env"] == {"MODE": "release", "JOBS": 4}
    assert document["inputs"][1] == {
        "name": "jobs",
        "type": "integer",
        "default": 4,
        "validation": {"min": 1, "max": 64},
    }
    json.dumps(document, allow_nan=False)


def test_the_document_is_there_as_soon_as_the_yaml_can_be_read() -> None:
    result = load("name: build\nreleased: 2024-01-01\nlimit: .inf\nstates: 3\n")
    assert result.workflow is None
    assert result.document == {"name": "build", "released": "2024-01-01", "limit": ".inf", "states": 3}
    assert load("a: [").document is None


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    result = load(
        "version: 1\n"
        "tags: 5\n"
        "inputs: nope\n"
        "states:\n"
        "  initial: start\n"
        "  strat:\n"
        "    type: step\n"
        "    command: [echo]\n"
        "    timeout: soon\n"
        "    on_success: nowhere\n"
        "  done:\n"
        "    type: terminal\n"
        "    status: maybe\n",
    )
    assert [str(problem) for problem in result.errors] == [
        "required key 'name' is missing (build.yaml:1:1)",
        "'tags' must be a list of strings, not a number (build.yaml:2:7)",
        "'inputs' must be a list of inputs, or a map of names to inputs, not a string (build.yaml:3:9)",
        "initial state 'start' is not defined (did you mean 'strat'?) (build.yaml:5:12)",
        "state 'strat': 'command' must be a string, not a list (build.yaml:8:14)",
        "state 'strat': 'timeout': invalid duration: soon (write 500ms, 30s or 1m30s) (build.yaml:9:14)",
        "state 'strat' references undefined state 'nowhere' (build.yaml:10:17)",
        "state 'done': invalid terminal status 'maybe': must be 'success' or 'failure' (build.yaml:13:13)",
    ]


def test_unknown_keys_are_warned_of() -> None:
    result = load(FULL.replace("author:", "autor:") + "env: [HOME]\nzebra: 1\nplugins: {}\n")
    assert [str(problem) for problem in result.problems] == [
        "unknown key 'autor' (did you mean 'author'?) (build.yaml:4:1)",
        "key 'env' has no effect here (build.yaml:50:1)",
        "unknown key 'zebra' (build.yaml:51:1)",
        "key 'plugins' has no effect here (build.yaml:52:1)",
    ]
    assert result.workflow is not None


def test_a_name_that_differs_from_the_file_is_a_warning() -> None:
    result = load(FULL, "other")
    assert result.workflow is not None
    assert result.workflow.identifier == "other"
    assert [str(problem) for problem in result.warnings] == [
        "name 'build' differs from the file's name; people call this workflow 'other' (other.yaml:1:7)"
    ]


@pytest.mark.parametrize("text", [b"\xff", "", "[1]", "name: x\nname: y\n", "a: 1\n---\nb: 1\n", "- " * 5000])
def test_a_file_that_is_no_workflow_has_errors_and_no_workflow(text: str | bytes) -> None:
    result = load(text)
    assert result.workflow is None
    assert result.errors


def _mutations(value: Any) -> st.SearchStrategy[str]:
    keys = "name inputs states initial type step command dir env timeout on_failure transitions when goto message"
    return st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(keys.split()), st.sampled_from(value)), max_size=12
    ).map(lambda lines: "\n".join(f"{'  ' * indent}{key}: {text}" for indent, key, text in lines))


@given(
    _mutations(
        ["", "x", "[]", "{}", "[{}]", "5", "true", "step", "terminal", "'{{x'", "'{{.inputs.a}}'", "|"]
    )
)
def test_no_document_breaks_the_loader(text: str) -> None:
    result = load(text)
    assert (result.workflow is None) == bool(result.errors)


def test_ten_thousand_mistakes_are_told_in_bounded_length() -> None:
    states = "".join(f"  s{n}:\n    typ: step\n" for n in range(10_000))
    result = load(f"name: build\nstates:\n  initial: s0\n{states}")
    assert result.workflow is None
    assert len(result.problems) <= 501


def test_everything_at_once() -> None:
    result = load_workflow(json.dumps(EVERYTHING), "build.yaml", "build", beside)
    assert result.problems == ()
    assert result.workflow is not None
    assert [state.kind for state in result.workflow.states.values()] == [
        *(
            "for_each",
            "step",
            "parallel",
            "step",
            "call_workflow",
            "while",
            "step",
            "agent",
            "operation",
            "approval",
            "terminal",
        )
    ]
    assert result.files == BESIDE


@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES), st.booleans()), min_size=1, max_size=4
    )
)
def test_no_change_of_a_workflow_breaks_the_loader(changes: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
    document = json.loads(json.dumps(EVERYTHING))
    for path, value, gone in changes:
        holder = document
        for key in path[:-1]:
            holder = holder[key] if isinstance(holder, dict | list) and _has(holder, key) else None
        if isinstance(holder, dict | list) and _has(holder, path[-1]):
            if gone:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
    result = load_workflow(json.dumps(document), "build.yaml", "build", beside)
    assert (result.workflow is None) == bool(result.errors)
    assert all(problem.position.file in {"build.yaml", *BESIDE} for problem in result.problems)


def _has(holder: dict[str, Any] | list[Any], key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else isinstance(key, int) and key < len(holder)
