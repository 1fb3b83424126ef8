"""From the journal to the wire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.journal.events import (
    AgentMessage,
    AnyFact,
    CancelRequested,
    Entry,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    ResumedFrom,
    StateEntered,
    StepReused,
)
from awf.journal.messages import TextBlock, ToolUse
from awf.journal.store import StepText
from awf.server.frames import Subject, frame, in_default_stream, output_wanted
from awf.testing.builders import (
    EPOCH,
    SECOND,
    accepted,
    input_received,
    input_required,
    step_completed,
    step_failed,
    step_output,
    step_started,
)
from unit.server.bench import parse

SUBJECT = Subject("one", "build-app", EPOCH - 2 * SECOND)
AT = "2026-02-02T02:40:00Z"
INSIDE = {"state": "build", "path": "all[3]/build"}
REUSED = StepReused(
    step=1, state="build", path="build", attempt=2, exit_code=0, output="kept", stderr="", started_at=EPOCH,
    completed_at=EPOCH + SECOND,
)  # fmt: skip
ENDED = {"attempt": 1, "exit_code": 0, "duration_ms": 1235}

SHOWN: list[tuple[AnyFact, str, dict[str, Any]]] = [
    (
        step_started(),
        "step.started",
        {"step_name": "build", "status": "running", "started_at": AT, "attempt": 1},
    ),
    (
        step_started(attempt=2, recovered=True, **INSIDE),
        "step.started",
        {
            "step_name": "build",
            "status": "running",
            "started_at": AT,
            "attempt": 2,
            "recovered": True,
            "path": "all[3]/build",
        },
    ),
    (
        step_started(warnings=("plain characters",)),
        "step.started",
        {
            "step_name": "build",
            "status": "running",
            "started_at": AT,
            "attempt": 1,
            "warnings": ["plain characters"],
        },
    ),
    (step_output(1, "a\nb\r\n"), "output", {"step_name": "build", "output": "a\nb\r\n", "stream": "stdout"}),
    (
        step_output(1, "", stream="stderr", truncated=True, **INSIDE),
        "output",
        {"step_name": "build", "output": "", "stream": "stderr", "truncated": True, "path": "all[3]/build"},
    ),
    (
        step_completed(duration=1.2346, stdout_bytes=2),
        "step.completed",
        {"step_name": "build", "status": "completed", "output": "hi", "completed_at": AT, **ENDED},
    ),
    (
        step_failed(exit_code=124, error="timeout exceeded (30s)", **INSIDE),
        "step.failed",
        {
            "step_name": "build",
            "status": "failed",
            "error": "timeout exceeded (30s)",
            "completed_at": AT,
            "attempt": 1,
            "exit_code": 124,
            "duration_ms": 0,
            "path": "all[3]/build",
        },
    ),
    (
        ExecutionCompleted(state="done", exit_code=0, message="all good"),
        "workflow.completed",
        {
            "workflow_name": "build-app",
            "status": "completed",
            "completed_at": AT,
            "duration_ms": 2000,
            "exit_code": 0,
            "message": "all good",
        },
    ),
    (
        ExecutionFailed(error="it broke", state="build", exit_code=3),
        "workflow.failed",
        {
            "workflow_name": "build-app",
            "status": "failed",
            "error": "it broke",
            "completed_at": AT,
            "duration_ms": 2000,
            "exit_code": 3,
            "state": "build",
        },
    ),
    (
        ExecutionCancelled(state="build"),
        "workflow.failed",
        {
            "workflow_name": "build-app",
            "status": "cancelled",
            "error": "cancelled",
            "completed_at": AT,
            "duration_ms": 2000,
        },
    ),
]

BEHIND: list[tuple[AnyFact, str, dict[str, Any]]] = [
    (
        input_required(deadline=EPOCH + SECOND, **INSIDE),
        "input.required",
        {
            "step_name": "build",
            "kind": "crash",
            "prompt": "what now?",
            "choices": ["rerun", "skip", "fail"],
            "at": AT,
            "deadline": "2026-02-02T02:40:01Z",
            "path": "all[3]/build",
        },
    ),
    (input_received(), "input.received", {"step_name": "build", "response": "rerun", "at": AT}),
    (
        input_received(comment="it was done", **INSIDE),
        "input.received",
        {
            "step_name": "build",
            "response": "rerun",
            "at": AT,
            "comment": "it was done",
            "path": "all[3]/build",
        },
    ),
    (
        ExecutionReleased(engine="e", parked=True),
        "execution.released",
        {"status": "running", "at": AT, "waiting_for": "person"},
    ),
    (
        accepted(resumed=ResumedFrom(execution="zero", from_path="build"), warnings=("undeclared",)),
        "execution.accepted",
        {
            "workflow_name": "build-app",
            "status": "pending",
            "started_at": AT,
            "inputs": {"target": "all", "jobs": 2},
            "resumed_from": "zero",
            "warnings": ["undeclared"],
        },
    ),
    (ExecutionStarted(engine="e"), "execution.started", {"status": "running", "at": AT}),
    (
        ExecutionRecovered(engine="e"),
        "execution.recovered",
        {"status": "running", "at": AT, "orderly": False},
    ),
    (ExecutionReleased(engine="e"), "execution.released", {"status": "pending", "at": AT}),
    (
        StateEntered(kind="step", via="on_failure", **INSIDE),
        "state.entered",
        {"step_name": "build", "kind": "step", "via": "on_failure", "at": AT, "path": "all[3]/build"},
    ),
    (
        REUSED,
        "step.reused",
        {
            "step_name": "build",
            "status": "completed",
            "output": "hi",
            "started_at": AT,
            "completed_at": "2026-02-02T02:40:01Z",
            "attempt": 2,
            "exit_code": 0,
            "reused": True,
        },
    ),
    (CancelRequested(), "cancel.requested", {"at": AT}),
]


@pytest.mark.parametrize(
    ("fact", "event", "data"), SHOWN + BEHIND, ids=lambda value: value if type(value) is str else ""
)
def test_each_fact_has_its_frame(fact: AnyFact, event: str, data: dict[str, Any]) -> None:
    assert parse(frame(Entry(7, EPOCH, fact), SUBJECT, StepText("hi"))) == [(7, event, data)]


def test_the_default_stream_has_the_six_names_of_the_page() -> None:
    assert {name for _, name, _ in SHOWN} == {
        "step.started",
        "step.completed",
        "step.failed",
        "workflow.completed",
        "workflow.failed",
        "output",
    }
    assert all(in_default_stream(fact) for fact, _, _ in SHOWN)
    assert not any(in_default_stream(fact) for fact, _, _ in BEHIND)


def test_the_bytes_of_a_frame() -> None:
    expected = b'event: output\nid: 12\ndata: {"step_name":"build","output":"a\\nb","stream":"stdout"}\n\n'
    assert frame(Entry(12, EPOCH, step_output(1, "a\nb")), SUBJECT) == expected


@given(st.text())
def test_no_text_can_break_a_frame(text: str) -> None:
    made = frame(Entry(1, EPOCH, step_output(1, text)), SUBJECT)
    assert made.count(b"\n") == 4
    assert b"\r" not in made
    assert parse(made)[0].data["output"] == text


def test_output_is_asked_for_where_there_is_some() -> None:
    assert output_wanted(step_completed(3, stdout_bytes=1)) == 3
    assert output_wanted(step_completed(3)) is None
    assert output_wanted(REUSED) == 1
    assert output_wanted(step_failed(3, stdout_bytes=1)) is None


def test_cut_output_says_so_and_no_output_is_empty() -> None:
    cut = parse(frame(Entry(1, EPOCH, step_completed(stdout_bytes=9)), SUBJECT, StepText("end", omitted=6)))[
        0
    ].data
    assert (cut["output"], cut["output_truncated"]) == ("end", True)
    none = parse(frame(Entry(1, EPOCH, step_completed()), SUBJECT))[0].data
    assert none["output"] == ""
    assert "output_truncated" not in none


def test_what_only_a_service_wants_to_be_told_again_is_not_shown() -> None:
    use = ToolUse("1", "read", {"path": "a"}, {"extra_content": {"thought_signature": "x"}})
    fact = AgentMessage(
        step=1, state="ask", path="ask", attempt=1, role="assistant", blocks=(TextBlock("I look."), use)
    )
    sent = frame(Entry(3, EPOCH, fact), SUBJECT, None)
    assert parse(sent)[0].data["blocks"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "1", "name": "read", "input": {"path": "a"}},
    ]
