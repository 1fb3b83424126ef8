"""Small facts, acceptances and journals for tests; every field can be given, none has to be."""

from __future__ import annotations

from typing import Any

from awf.journal.events import (
    AnyFact,
    Entry,
    ExecutionAccepted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionStarted,
    InputReceived,
    InputRequired,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepStarted,
    Stream,
)
from awf.journal.store import Acceptance, Claim, Store

EPOCH = 1_770_000_000_000_000
"""A time to start from, in microseconds since 1970: 2026-02-02."""

SECOND = 1_000_000
"""Microseconds."""


def accepted(**fields: Any) -> ExecutionAccepted:
    """The first fact of a journal."""
    usual: dict[str, Any] = {
        "workflow": "build-app",
        "file": ".awf/workflows/build-app.yaml",
        "definition": {"workflow": "sha256:1"},
        "inputs": {"target": "all", "jobs": 2},
        "initial": "build",
        "root": "/project",
        "working_dir": "/project",
    }
    return ExecutionAccepted(**{**usual, **fields})


def acceptance(id: str = "one", *, now: int = EPOCH, **fields: Any) -> Acceptance:
    """An execution to accept; ``secret_values``, ``sources`` and ``owner`` are its own, other fields the fact's."""
    secrets = fields.pop("secret_values", {})
    sources = fields.pop("sources", {"sha256:1": "name: build-app\n"})
    owner = fields.pop("owner", None)
    return Acceptance(id=id, now=now, secrets=secrets, sources=sources, fact=accepted(**fields), owner=owner)


def entries(after: int, *facts: AnyFact, at: int = EPOCH) -> list[Entry]:
    """The facts as entries that continue a journal of ``after`` entries, one microsecond apart from ``at`` on."""
    return [Entry(after + 1 + n, at + n, fact) for n, fact in enumerate(facts)]


def step_started(step: int = 1, **fields: Any) -> StepStarted:
    """An attempt of a step in the main graph."""
    usual: dict[str, Any] = {
        "state": "build",
        "path": "build",
        "attempt": 1,
        "attempt_id": f"attempt-{step}-{fields.get('attempt', 1)}",
        "kind": "step",
    }
    return StepStarted(step=step, **{**usual, **fields})


def step_output(step: int, text: str, *, stream: Stream = "stdout", **fields: Any) -> StepOutput:
    """What a step wrote."""
    usual: dict[str, Any] = {"state": "build", "path": "build", "attempt": 1}
    return StepOutput(step=step, text=text, stream=stream, **{**usual, **fields})


def step_completed(step: int = 1, **fields: Any) -> StepCompleted:
    """Success."""
    usual: dict[str, Any] = {"state": "build", "path": "build", "attempt": 1}
    return StepCompleted(step=step, **{**usual, **fields})


def step_failed(step: int = 1, **fields: Any) -> StepFailed:
    """Failure with exit code 1."""
    usual: dict[str, Any] = {
        "state": "build",
        "path": "build",
        "attempt": 1,
        "exit_code": 1,
        "error": "exit code 1",
    }
    return StepFailed(step=step, **{**usual, **fields})


def input_required(step: int = 1, **fields: Any) -> InputRequired:
    """A question to a person about a step."""
    usual: dict[str, Any] = {
        "state": "build",
        "path": "build",
        "attempt": 1,
        "kind": "crash",
        "prompt": "what now?",
        "choices": ("rerun", "skip", "fail"),
    }
    return InputRequired(step=step, **{**usual, **fields})


def input_received(step: int = 1, **fields: Any) -> InputReceived:
    """The answer to it."""
    usual: dict[str, Any] = {"state": "build", "path": "build", "response": "rerun"}
    return InputReceived(step=step, **{**usual, **fields})


FINALS: dict[str, AnyFact] = {
    "completed": ExecutionCompleted(state="done"),
    "failed": ExecutionFailed(error="it broke", state="build"),
    "cancelled": ExecutionCancelled(state="build"),
}
"""A final fact for each status that an execution can end with."""


async def claimed(
    store: Store, id: str = "one", *, owner: str = "engine", now: int = EPOCH, **fields: Any
) -> Claim:
    """Accept an execution and claim it."""
    await store.accept(acceptance(id, now=now, **fields))
    [claim] = await store.claim(owner, free=(), limit=1, only=[id])
    return claim


async def running(
    store: Store, id: str = "one", *, owner: str = "engine", now: int = EPOCH, **fields: Any
) -> Claim:
    """Accept an execution, claim it, and let it start; its journal then has two entries."""
    claim = await claimed(store, id, owner=owner, now=now, **fields)
    await store.append(claim.ownership, entries(1, ExecutionStarted(engine=owner), at=now))
    return claim


async def finished(
    store: Store,
    status: str = "completed",
    id: str = "one",
    *,
    now: int = EPOCH,
    seconds: float = 1,
    **fields: Any,
) -> None:
    """Accept an execution and run it to an end of that status, ``seconds`` after its acceptance."""
    claim = await running(store, id, now=now, **fields)
    row = await store.execution(id)
    assert row is not None
    await store.append(
        claim.ownership, entries(2, FINALS[status], at=row.started_at + round(seconds * SECOND))
    )
