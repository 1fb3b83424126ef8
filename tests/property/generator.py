"""Random valid workflow files: all kinds of blocks in one another, all kinds of routing, hooks and retries.

Everything is chosen by a ``random.Random``; Hypothesis gives one that it can shrink, a soak run gives seeded ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import yaml

from awf.domain.load import load_workflow
from awf.domain.workflow import Workflow

MAIN = "main"
CHILDREN = ("one", "two", "three")
KINDS = ("step", "step", "step", "approval", "for_each", "while", "parallel", "call_workflow")
DEPTH = 5
MOST_STATES = 14

State = dict[str, Any]


@dataclass
class Draft:
    """One workflow being written. ``calls`` are the workflows that it may call: later ones only, so never itself."""

    random: Random
    calls: tuple[str, ...]
    states: dict[str, State] = field(default_factory=dict)

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def name(self) -> str:
        return f"s{len(self.states)}"


def workflow_texts(random: Random) -> dict[str, str]:
    """The main workflow and its children, by identifier, as YAML."""
    texts = {}
    for number, identifier in enumerate((MAIN, *CHILDREN)):
        texts[identifier] = _text(identifier, Draft(random, CHILDREN[number:]))
    return texts


def load(texts: Mapping[str, str]) -> dict[str, Workflow]:
    """The loaded workflows; a generated file that is refused is an error of the generator."""
    found = {}
    for identifier, text in texts.items():
        loaded = load_workflow(text, f"{identifier}.yaml", identifier)
        assert loaded.workflow is not None, [str(problem) for problem in loaded.errors] + [text]
        found[identifier] = loaded.workflow
    return found


def _text(identifier: str, draft: Draft) -> str:
    draft.states["done"] = {"type": "terminal"}
    draft.states["bad"] = {"type": "terminal", "status": "failure", "message": "ended badly"}
    line = [_state(draft, DEPTH) for _ in range(1 + draft.random.randrange(3))]
    for name in line:
        _route(draft, name, [*line, "done", "done", "bad"], own=True)
    document: dict[str, Any] = {"name": identifier}
    if draft.chance(25):
        names = ("workflow_start", "workflow_end", "workflow_error", "workflow_cancel")
        document["hooks"] = {name: _actions(draft) for name in names if draft.chance(40)}
    document["states"] = {"initial": line[0], **draft.states}
    return yaml.safe_dump(document, sort_keys=False)


def _state(draft: Draft, depth: int) -> str:
    """Write a state, and those that it holds; its name."""
    name = draft.name()
    state: State = {}
    draft.states[name] = state
    full = depth == 0 or len(draft.states) >= MOST_STATES
    kind = draft.random.choice(KINDS[:4] if full else KINDS)
    if kind == "call_workflow" and not draft.calls:
        kind = "step"
    state["type"] = kind
    match kind:
        case "step":
            state["command"] = f"run {name}"
        case "approval":
            state["message"] = f"ask {name}"
            state["timeout"] = "1h"
        case "call_workflow":
            state["workflow"] = draft.random.choice(draft.calls)
        case "parallel":
            _write_parallel(draft, name, depth)
        case _:
            _write_loop(draft, name, depth)
    if kind != "approval" and draft.chance(25):
        state["retry"] = {"max_attempts": 2 + draft.random.randrange(2), "initial_delay": 0}
        if draft.chance(30):
            state["retry"]["retryable_exit_codes"] = [1]
    if draft.chance(20):
        state["hooks"] = {key: _actions(draft) for key in ("pre", "post") if draft.chance(60)}
    return name


def _write_parallel(draft: Draft, name: str, depth: int) -> None:
    state = draft.states[name]
    branches = [_state(draft, depth - 1) for _ in range(1 + draft.random.randrange(3))]
    for branch in branches:
        _route(draft, branch, ["done", "bad", *branches], own=draft.chance(30))
    state["parallel"] = branches + (["bad"] if draft.chance(5) else [])
    state["strategy"] = draft.random.choice(("all_succeed", "any_succeed", "best_effort"))
    if draft.chance(50):
        state["max_concurrent"] = 1 + draft.random.randrange(2)


def _write_loop(draft: Draft, name: str, depth: int) -> None:
    state = draft.states[name]
    body = [_state(draft, depth - 1) for _ in range(1 + draft.random.randrange(3))]
    for member in body:
        if draft.chance(40):
            _route(draft, member, [*body, name, name, "done", "bad"], own=False)
    state["body"] = body
    if state["type"] == "for_each":
        state["items"] = ["x"] * draft.random.randrange(4)
        if draft.chance(20):
            state["max_iterations"] = 1 + draft.random.randrange(2)
    else:
        bounds = (f"loop.Index < {draft.random.randrange(4)}", f"states.{body[0]}.Output != 'ok'")
        state["while"] = draft.random.choice(bounds)
        state["max_iterations"] = 1 + draft.random.randrange(3)
    if draft.chance(25):
        state["break_when"] = draft.random.choice(("loop.Index == 1", f"states.{body[-1]}.ExitCode == 1"))


def _route(draft: Draft, name: str, targets: list[str], *, own: bool) -> None:
    """Say where to go after a state. ``own``: it always has a way on after success."""
    state = draft.states[name]

    def pick() -> str:
        return draft.random.choice(targets)

    if own or draft.chance(50):
        state["on_success"] = pick()
    if draft.chance(40):
        state["on_failure"] = pick()
    elif draft.chance(10):
        state["on_failure"] = {"message": f"{name} gave up", "status": 7}
    if draft.chance(20):
        state["continue_on_error"] = True
    if draft.chance(25):
        whens = (
            f"states.{name}.ExitCode == 1",
            f"states.{name}.Output == 'ok'",
            f"states.{name}.Status == 'failed'",
        )
        state["transitions"] = [{"when": draft.random.choice(whens), "goto": pick()}]
    if state["type"] in {"for_each", "while"} and draft.chance(30):
        state["on_complete"] = pick()
    if state["type"] == "approval":
        state |= {key: pick() for key in ("on_approve", "on_reject", "on_timeout") if draft.chance(40)}


def _actions(draft: Draft) -> list[State]:
    return [
        {"log": "said"} if draft.chance(50) else {"command": "hook"}
        for _ in range(1 + draft.random.randrange(2))
    ]
