"""The shapes on the wire. Members that can be absent are UNSET where they are; times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

HistoryStatus: TypeAlias = Literal["success", "failed", "cancelled"]


class Finding(Struct):
    """One of several things that are wrong: where (a member, a parameter, a file position) and what."""

    location: str
    message: str


class Problem(Struct, omit_defaults=True):
    """RFC 7807. ``code`` is stable, for programs; ``detail`` is for people."""

    status: int
    title: str
    detail: str
    code: str
    errors: list[Finding] | UnsetType = UNSET


class WorkflowSummary(Struct, omit_defaults=True):
    """``name`` is what the workflow is addressed by. ``error`` is set where its file cannot be loaded or
    is invalid, with everything that is wrong with it."""

    name: str
    version: str
    description: str
    error: str | UnsetType = UNSET


class WorkflowList(Struct):
    workflows: list[WorkflowSummary]


class WorkflowsBody(Struct):
    body: WorkflowList


class WorkflowBody(Struct):
    """The document as authored."""

    body: dict[str, Any]


class Validation(Struct, omit_defaults=True):
    """Everything wrong at once, each text with its place in the file."""

    errors: list[str]
    warnings: list[str] | UnsetType = UNSET


class ValidationBody(Struct):
    body: Validation


class RunRequest(Struct, forbid_unknown_fields=True):
    """``inputs`` by name; what is not declared is kept, with a warning."""

    inputs: dict[str, Any] = {}


class ResumeRequest(Struct, forbid_unknown_fields=True):
    """``from_step``: ``current`` (default), ``previous``, a state, or a path such as ``loop[3]/step``.
    ``definition``: ``latest`` takes the file as it is now, not as it was pinned."""

    input_overrides: dict[str, Any] = {}
    from_step: str = "current"
    definition: Literal["pinned", "latest"] = "pinned"


class Accepted(Struct):
    execution_id: str
    status: Literal["accepted"] = "accepted"


class AcceptedBody(Struct):
    body: Accepted


class RespondRequest(Struct, forbid_unknown_fields=True):
    """``response``: one of the step's ``choices``, or any text where it has none. ``comment`` is for the record, ``by``
    says who answers. ``path``: which step is answered, where several wait."""

    response: str
    comment: str = ""
    by: str = ""
    path: str | None = None


class Waiting(Struct, omit_defaults=True, kw_only=True):
    """A step that waits for a person. ``kind``: ``approval`` is a state of that type,
    ``conversation`` an agent's answer that a person replies to, ``budget`` an attempt that would spend more than was
    allowed, ``crash`` asks what is to become
    of an attempt that was cut short. The answer is one of ``choices``; where there are none, any text. Without one the step fails at ``deadline``."""

    step: Annotated[int, Meta(description="the number of the step")]
    name: str
    path: str
    kind: str
    prompt: Annotated[str, Meta(description="what is asked, for people")]
    choices: list[str]
    since: datetime
    deadline: datetime | UnsetType = UNSET


class Usage(Struct, omit_defaults=True, kw_only=True):
    """What agents have cost. ``tokens_cached`` are those of ``tokens_input`` that a cache had. ``tokens_estimated``: nobody
    counted some of them. ``cost_usd`` is what providers said, else by the table of prices."""

    tokens_used: int
    tokens_input: int
    tokens_output: int
    tokens_cached: int = 0
    tokens_estimated: bool = False
    cost_usd: float | UnsetType = UNSET


class Execution(Struct, omit_defaults=True, kw_only=True):
    """``started_at`` is the time of acceptance, ``running_since`` of the first owner. ``waiting_for`` is ``person`` while
    steps wait for an answer (POST ``/respond``); ``waiting`` has them. Others may run meanwhile."""

    execution_id: str
    workflow_name: str
    status: Literal["pending", "running", "completed", "failed", "cancelled"]
    current_step: str
    started_at: datetime
    updated_at: datetime
    running_since: datetime | UnsetType = UNSET
    completed_at: datetime | UnsetType = UNSET
    waiting_for: Literal["person"] | UnsetType = UNSET
    waiting: list[Waiting] | UnsetType = UNSET
    error: str | UnsetType = UNSET
    exit_code: int | UnsetType = UNSET
    resumed_from: str | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET


class Step(Struct, omit_defaults=True, kw_only=True):
    """One entry of a state, its latest attempt. ``number`` addresses it; ``output`` is its end, at most 64 KiB.
    ``warnings`` are about what was made of its values, ``note`` says of a loop that it stopped at its limit."""

    number: int
    name: str
    path: str
    status: Literal["running", "completed", "failed"]
    attempt: int
    started_at: datetime
    completed_at: datetime | UnsetType = UNSET
    duration_ms: int | UnsetType = UNSET
    exit_code: int | UnsetType = UNSET
    command: str | UnsetType = UNSET
    reused: bool = False
    warnings: list[str] | UnsetType = UNSET
    note: str | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET
    error: str | UnsetType = UNSET
    output: Annotated[str, Meta(description="the last 64 KiB of what it wrote to its standard output")]
    output_truncated: bool = False


class ExecutionDetail(Execution, omit_defaults=True, kw_only=True):
    """``steps`` holds the latest 100; ``/steps`` has all of them. ``warnings`` are those of its acceptance, of inputs that
    the workflow does not declare, say."""

    inputs: dict[str, Any]
    warnings: list[str] | UnsetType = UNSET
    steps: list[Step]


class ExecutionList(Struct):
    executions: list[Execution]


class ExecutionsBody(Struct):
    body: ExecutionList


class ExecutionBody(Struct):
    body: ExecutionDetail


class StepList(Struct):
    steps: list[Step]


class StepsBody(Struct):
    body: StepList


class TranscriptBlock(Struct, omit_defaults=True, kw_only=True):
    """A part of a message: words (``text``), a call of a tool (``tool_use``: ``id``, ``name``, ``input``), or what a tool
    answered (``tool_result``: the ``id`` of the call, ``output``, ``failed``)."""

    type: Literal["text", "tool_use", "tool_result"]
    text: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    input: Any = UNSET
    output: Any = UNSET
    failed: bool = False


class TranscriptEntry(Struct, omit_defaults=True, kw_only=True):
    """``request``: an agent is asked (``provider``, ``model``, and the ``session`` of ``continue_from`` that goes on).
    ``message``: what ``role`` said, in ``blocks``; large parts are cut, with a mark. ``result``: how the attempt ended, and
    what it cost. ``seq`` is the number of the journal's entry that says so."""

    seq: int
    at: datetime
    type: Literal["request", "message", "result"]
    step: Annotated[int, Meta(description="the number of the step")]
    step_name: str
    path: str
    attempt: int
    provider: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    continue_from: str | UnsetType = UNSET
    role: Literal["system", "user", "assistant", "tool"] | UnsetType = UNSET
    blocks: list[TranscriptBlock] | UnsetType = UNSET
    status: Literal["completed", "failed", "retrying"] | UnsetType = UNSET
    error: str | UnsetType = UNSET
    exit_code: int | UnsetType = UNSET
    duration_ms: int | UnsetType = UNSET
    session: str | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET


class TranscriptPage(Struct):
    transcript: list[TranscriptEntry]


class TranscriptBody(Struct):
    body: TranscriptPage


class StepOutput(Struct):
    """One stream of a step's latest attempt, whole. ``omitted_bytes`` counts what was too much to be kept; a line in
    ``output`` marks the place."""

    number: int
    stream: Literal["stdout", "stderr"]
    output: str
    omitted_bytes: int


class StepOutputBody(Struct):
    body: StepOutput


class HistoryEntry(Struct, omit_defaults=True, kw_only=True):
    id: str
    workflow_name: str
    status: HistoryStatus
    started_at: datetime
    completed_at: datetime
    duration_ms: int
    error: str | UnsetType = UNSET
    exit_code: int | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET


class HistoryList(Struct):
    entries: list[HistoryEntry]


class HistoryBody(Struct):
    body: HistoryList


class StatisticsSummary(Struct, rename="pascal", omit_defaults=True, kw_only=True):
    """Tokens and cost are there where agents have had any."""

    total_executions: int
    success_count: int
    failed_count: int
    cancelled_count: int
    avg_duration_ms: int
    tokens_used: int | UnsetType = UNSET
    tokens_input: int | UnsetType = UNSET
    tokens_output: int | UnsetType = UNSET
    cost_usd: float | UnsetType = UNSET


class StatisticsBody(Struct):
    body: StatisticsSummary
