"""The facts of an execution's journal.

A fact is frozen and says what happened, with everything that was computed for it (rendered command, chosen
target, coerced inputs), so that replay evaluates nothing. A fact in the journal is an :class:`Entry`: the fact
with its sequence number (1..n without gaps, per execution) and its time.

Times are integers: microseconds since 1970-01-01 UTC. Durations are seconds (float) unless the name says otherwise.

``path`` names a step's place in the tree of frames: ``build`` for a state of the main graph, ``loop[3]/step``
inside a loop, ``call/step`` inside a sub-workflow. ``step`` is the step's number, 1..n in order of first start;
one entry of a state keeps its number over all its attempts.

Those of steps are in ``awf.journal.steps``, and what they carry in ``awf.journal.attempts``.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from awf.journal.attempts import (
    AgentCall,
    AgentTools,
    AgentTurn,
    AttemptSpent,
    BudgetReached,
    OperationCall,
    ShellCommand,
    SpentBefore,
    TalkKept,
)
from awf.journal.fact import Fact, Json, Stream
from awf.journal.steps import (
    AgentMessage,
    InputReceived,
    InputRequired,
    StepAdopted,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepRetrying,
    StepReused,
    StepStarted,
)

__all__ = [
    "FINAL",
    "AgentCall",
    "AgentMessage",
    "AgentTools",
    "AgentTurn",
    "AnyFact",
    "AttemptSpent",
    "BlockEnding",
    "BlockKept",
    "BudgetReached",
    "CancelRequested",
    "Entry",
    "ExecutionAccepted",
    "ExecutionCancelled",
    "ExecutionCompleted",
    "ExecutionFailed",
    "ExecutionRecovered",
    "ExecutionReleased",
    "ExecutionStarted",
    "Fact",
    "HookFinished",
    "HookStarted",
    "InputReceived",
    "InputRequired",
    "Json",
    "LoopIterated",
    "OperationCall",
    "ResumedFrom",
    "ShellCommand",
    "SpentBefore",
    "StateEntered",
    "StepAdopted",
    "StepCompleted",
    "StepFailed",
    "StepOutput",
    "StepRetrying",
    "StepReused",
    "StepStarted",
    "Stream",
    "TalkKept",
    "WorkflowClosing",
]


class ResumedFrom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a resumed execution continues.

    ``execution``: the original's id. ``goes_on``: nobody has named the place; a conversation there goes on where it was. ``from_path``: where it enters, ``enter`` the state with which that begins in the
    main graph (empty: the same). ``source``: the execution that reached the place, where that is not the original but one
    that it goes back on. ``upto``: the last entry of that one's journal before the place was entered. ``reused`` is of
    older journals only; what is taken over follows from the others.
    """

    execution: str
    from_path: str
    upto: int = 0
    reused: tuple[int, ...] = ()
    source: str = ""
    enter: str = ""
    goes_on: bool = False


class ExecutionAccepted(Fact, frozen=True, kw_only=True, tag="execution.accepted"):
    """Always sequence number 1; the only fact that an API process or the command line appends.

    ``definition`` maps the role of a pinned source (``workflow`` for the main file) to the digest under which the
    store keeps its text, and ``workflow:NAME`` for every sub-workflow; ``files`` has the paths of those. ``file`` is the
    path that messages show. ``inputs`` are coerced and complete; the values of the names in ``secrets`` stand as ``***``
    here, and so do their texts in other inputs; only the store's secret column has the real values of both. ``awf`` has
    the paths of awf's own directories, by their names in templates.
    """

    workflow: str
    file: str
    definition: dict[str, str]
    files: dict[str, str] = msgspec.field(default_factory=dict)
    inputs: dict[str, Json]
    secrets: tuple[str, ...] = ()
    initial: str
    root: str
    working_dir: str
    awf: dict[str, str] = msgspec.field(default_factory=dict)
    resumed: ResumedFrom | None = None
    warnings: tuple[str, ...] = ()


class ExecutionStarted(Fact, frozen=True, kw_only=True, tag="execution.started"):
    """The first owner began to run it. Of what it resumes: ``before`` is what had been spent, ``talk`` the conversation in the
    middle of which it goes on."""

    engine: str
    before: tuple[SpentBefore, ...] = ()
    talk: TalkKept | None = None


class ExecutionRecovered(Fact, frozen=True, kw_only=True, tag="execution.recovered"):
    """A new owner took over from one that died (``orderly`` false) or stopped in order (true). ``spent``: what the attempts
    that died with it had cost."""

    engine: str
    orderly: bool = False
    spent: tuple[AttemptSpent, ...] = ()


class ExecutionReleased(Fact, frozen=True, kw_only=True, tag="execution.released"):
    """Its engine gave it up in order; it is pending until another claims it.

    ``parked``: only people can move it on, so that no engine is needed. It stays as it is until there is an intent for
    it, or until ``wake_at`` (microseconds; None: never), the first time limit that runs meanwhile. ``spent``: what the
    attempts that it ended had cost.
    """

    engine: str
    parked: bool = False
    wake_at: int | None = None
    spent: tuple[AttemptSpent, ...] = ()


class BlockKept(Fact, frozen=True, kw_only=True, tag="block.kept"):
    """A block that the execution which this one resumes had begun, to be entered again as it stood: with the child
    ``enter`` (empty: its unfinished branches), at iteration ``index`` (of a loop). What was decided when it started holds:
    ``items``, ``limit``, ``left_out``, ``branches``, ``inputs``, ``timeout`` as of its ``step.started``."""

    path: str
    state: str
    kind: str
    enter: str = ""
    index: int = -1
    items: list[Json] | None = None
    limit: int | None = None
    left_out: int = 0
    branches: tuple[str, ...] = ()
    inputs: dict[str, Json] | None = None
    timeout: float | None = None


class StateEntered(Fact, frozen=True, kw_only=True, tag="state.entered"):
    """A graph moved. ``via`` says by which rule: ``initial``, ``on_success``, ``on_failure``, ``transition[i]``,
    ``resume``, ``body``, ``jump``, ``branch``. ``parent`` is the path of the loop, parallel block or sub-workflow that
    it happens in, empty for the main graph. ``counted``: it counts against the limit of transitions."""

    state: str
    path: str
    kind: str
    via: str
    parent: str = ""
    counted: bool = False


class LoopIterated(Fact, frozen=True, kw_only=True, tag="loop.iterated"):
    """The loop at ``path`` began iteration ``index`` (from 0)."""

    path: str
    index: int


class BlockEnding(Fact, frozen=True, kw_only=True, tag="block.ending"):
    """What runs below ``path`` is being ended (a timeout, a decided parallel block); then the block ends like this."""

    path: str
    failed: bool
    error: str = ""
    exit_code: int = 0


class HookStarted(Fact, frozen=True, kw_only=True, tag="hook.started"):
    """A hook's command is about to start. ``path`` is the state it belongs to, or the sub-workflow, or empty; ``hook``
    is ``pre``, ``post``, ``workflow_start``, ``workflow_end``, ``workflow_error`` or ``workflow_cancel``; ``index`` its
    place in the list. ``warnings`` as of a step."""

    path: str
    hook: str
    index: int
    attempt: int
    attempt_id: str
    command: ShellCommand | None = None
    refused: str = ""
    warnings: tuple[str, ...] = ()


class HookFinished(Fact, frozen=True, kw_only=True, tag="hook.finished"):
    """A hook's action is over; ``error`` is empty where it succeeded. ``message``: what a ``log`` action said, or the
    command's output (its last 4 KiB)."""

    path: str
    hook: str
    index: int
    exit_code: int = 0
    error: str = ""
    message: str = ""


class WorkflowClosing(Fact, frozen=True, kw_only=True, tag="workflow.closing"):
    """The graph at ``path`` (empty: the execution) has its outcome; the closing hooks run before it takes effect."""

    path: str
    status: Literal["completed", "failed", "cancelled"]
    state: str = ""
    error: str = ""
    exit_code: int = 0
    message: str = ""


class CancelRequested(Fact, frozen=True, kw_only=True, tag="cancel.requested"):
    """The owner has folded in a cancel intent; running steps are being ended."""


class ExecutionCompleted(Fact, frozen=True, kw_only=True, tag="execution.completed"):
    """Reached a successful terminal ``state``."""

    state: str
    exit_code: int = 0
    message: str = ""


class ExecutionFailed(Fact, frozen=True, kw_only=True, tag="execution.failed"):
    """Ended as failed, in ``state`` (may be empty)."""

    error: str
    state: str = ""
    exit_code: int = 1


class ExecutionCancelled(Fact, frozen=True, kw_only=True, tag="execution.cancelled"):
    """Ended by a cancel request; no process of it is left."""

    state: str = ""


AnyFact: TypeAlias = (
    ExecutionAccepted
    | ExecutionStarted
    | ExecutionRecovered
    | ExecutionReleased
    | StepReused
    | BlockKept
    | StateEntered
    | StepStarted
    | StepAdopted
    | StepOutput
    | AgentMessage
    | StepCompleted
    | StepFailed
    | StepRetrying
    | InputRequired
    | InputReceived
    | LoopIterated
    | BlockEnding
    | HookStarted
    | HookFinished
    | WorkflowClosing
    | CancelRequested
    | ExecutionCompleted
    | ExecutionFailed
    | ExecutionCancelled
)

FINAL: tuple[type[Fact], ...] = (ExecutionCompleted, ExecutionFailed, ExecutionCancelled)
"""Exactly one fact of these types ends every journal."""


class Entry(msgspec.Struct, frozen=True):
    """A fact in a journal: its sequence number, its time in microseconds since the epoch, and the fact."""

    seq: int
    at: int
    fact: AnyFact
