"""What the server answers, typed. All of it is frozen; members that this version does not know are ignored, so that an
older client goes on working with a newer server. Times are aware and in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")

FINISHED = frozenset({"completed", "failed", "cancelled"})
"""The statuses of executions that are over."""
FINAL_EVENTS = frozenset({"workflow.completed", "workflow.failed"})
"""The names of the events that end a stream."""


class WorkflowSummary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A workflow in the list. ``name`` is what it is addressed by; ``error`` says why it cannot be run as it stands."""

    name: str
    version: str
    description: str
    error: str | None = None


class Validation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that is wrong with a workflow, each text with its place in the file."""

    errors: list[str]
    warnings: list[str] = []

    @property
    def valid(self) -> bool:
        """Whether it can be run."""
        return not self.errors


class Waiting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step that waits for a person. The answer is one of ``choices``; where there are none, any text."""

    step: int
    name: str
    path: str
    kind: str
    prompt: str
    choices: list[str]
    since: datetime
    deadline: datetime | None = None


class Usage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What agents have cost. ``tokens_cached`` are those of ``tokens_input`` that a cache had; ``tokens_estimated``: nobody
    counted some of them; ``cost_usd`` is what providers said."""

    tokens_used: int
    tokens_input: int
    tokens_output: int
    tokens_cached: int = 0
    tokens_estimated: bool = False
    cost_usd: float | None = None


class Execution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An execution. ``status`` is ``pending``, ``running``, ``completed``, ``failed`` or ``cancelled``."""

    execution_id: str
    workflow_name: str
    status: str
    current_step: str
    started_at: datetime
    updated_at: datetime
    running_since: datetime | None = None
    completed_at: datetime | None = None
    waiting_for: str | None = None
    waiting: list[Waiting] = []
    error: str | None = None
    exit_code: int | None = None
    resumed_from: str | None = None
    usage: Usage | None = None

    @property
    def finished(self) -> bool:
        """Whether it is over."""
        return self.status in FINISHED


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a state, its latest attempt. ``output`` is the end of what it wrote, at most 64 KiB;
    ``step_output`` fetches all of it."""

    number: int
    name: str
    path: str
    status: str
    attempt: int
    started_at: datetime
    completed_at: datetime | None = None
    duration_ms: int | None = None
    exit_code: int | None = None
    command: str | None = None
    reused: bool = False
    warnings: list[str] = []
    note: str | None = None
    usage: Usage | None = None
    error: str | None = None
    output: str
    output_truncated: bool = False


class ExecutionDetail(Execution, frozen=True, kw_only=True, omit_defaults=True):
    """An execution with its inputs (secrets masked) and its latest 100 steps."""

    inputs: dict[str, Any]
    steps: list[Step]
    warnings: list[str] = []


class TranscriptBlock(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a message: ``text``, ``tool_use`` (``id``, ``name``, ``input``) or ``tool_result`` (the ``id`` of the call,
    ``output``, ``failed``)."""

    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    output: Any = None
    failed: bool = False


class TranscriptEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What agents were asked and what was said: a ``request``, a ``message`` (``role``, ``blocks``) or a ``result``."""

    seq: int
    at: datetime
    type: str
    step: int
    step_name: str
    path: str
    attempt: int
    provider: str | None = None
    model: str | None = None
    continue_from: str | None = None
    role: str | None = None
    blocks: list[TranscriptBlock] = []
    status: str | None = None
    error: str | None = None
    exit_code: int | None = None
    duration_ms: int | None = None
    session: str | None = None
    usage: Usage | None = None


class StepOutput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stream of a step, whole. ``omitted_bytes`` counts what was too much to be kept."""

    number: int
    stream: str
    output: str
    omitted_bytes: int


class HistoryEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A finished execution. ``status`` is ``success``, ``failed`` or ``cancelled``; ``id`` is the execution's."""

    id: str
    workflow_name: str
    status: str
    started_at: datetime
    completed_at: datetime
    duration_ms: int
    error: str | None = None
    exit_code: int | None = None
    usage: Usage | None = None


class Statistics(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """Counts over finished executions; tokens and cost where agents have had any."""

    total_executions: int
    success_count: int
    failed_count: int
    cancelled_count: int
    avg_duration_ms: int
    tokens_used: int | None = None
    tokens_input: int | None = None
    tokens_output: int | None = None
    cost_usd: float | None = None


class Page(Struct, Generic[T], frozen=True, kw_only=True, omit_defaults=True):
    """Some of many: newest first for executions and history, in order for steps and transcripts. ``cursor`` fetches the next page; None
    on the last one."""

    items: list[T]
    cursor: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class Event(Struct, frozen=True):
    """One event of an execution's stream. ``data`` has the members that the event's name stands for; ``id`` is its number
    in the journal."""

    id: int
    name: str
    data: dict[str, Any]

    @property
    def step(self) -> str | None:
        """The name of the step that it is about."""
        return self.data.get("step_name")

    @property
    def path(self) -> str | None:
        """The place of the step, ``loop[3]/step`` inside blocks."""
        return self.data.get("path", self.step)

    @property
    def final(self) -> bool:
        """Whether it is the last one of its execution."""
        return self.name in FINAL_EVENTS
