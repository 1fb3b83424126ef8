"""The facts of an execution's journal.

A fact is frozen and says what happened, with everything that was computed for it (rendered command, chosen
target, coerced inputs), so that replay evaluates nothing. A fact in the journal is an :class:`Entry`: the fact
with its sequence number (1..n without gaps, per execution) and its time.

Times are integers: microseconds since 1970-01-01 UTC. Durations are seconds (float) unless the name says otherwise.

``path`` names a step's place in the tree of frames: ``build`` for a state of the main graph, ``loop[3]/step``
inside a loop, ``call/step`` inside a sub-workflow. ``step`` is the step's number, 1..n in order of first start;
one entry of a state keeps its number over all its attempts.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from awf.domain.outcomes import Usage
from awf.journal.messages import Block, Role, Turn

Json: TypeAlias = Any
Stream: TypeAlias = Literal["stdout", "stderr"]


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all facts. The journal's type name of a fact is its ``tag``."""


class ResumedFrom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a resumed execution continues.

    ``execution``: the original's id. ``from_path``: where it enters, ``enter`` the state with which that begins in the
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


class ExecutionAccepted(Fact, frozen=True, kw_only=True, tag="execution.accepted"):
    """Always sequence number 1; the only fact that an API process or the command line appends.

    ``definition`` maps the role of a pinned source (``workflow`` for the main file) to the digest under which the
    store keeps its text, and ``workflow:NAME`` for every sub-workflow; ``files`` has the paths of those. ``file`` is the
    path that messages show. ``inputs`` are coerced and complete; the values
    of the names in ``secrets`` stand as ``***`` here and only the store's secret column has them. ``awf`` has the paths
    of awf's own directories, by their names in templates.
    """

    workflow: str
    file: str
    definition: dict[str, str]
    files: dict[str, str] = {}
    inputs: dict[str, Json]
    secrets: tuple[str, ...] = ()
    initial: str
    root: str
    working_dir: str
    awf: dict[str, str] = {}
    resumed: ResumedFrom | None = None
    warnings: tuple[str, ...] = ()


class ExecutionStarted(Fact, frozen=True, kw_only=True, tag="execution.started"):
    """The first owner began to run it."""

    engine: str


class ExecutionRecovered(Fact, frozen=True, kw_only=True, tag="execution.recovered"):
    """A new owner took over from one that died (``orderly`` false) or stopped in order (true)."""

    engine: str
    orderly: bool = False


class ExecutionReleased(Fact, frozen=True, kw_only=True, tag="execution.released"):
    """Its engine gave it up in order; it is pending until another claims it.

    ``parked``: only people can move it on, so that no engine is needed. It stays as it is until there is an intent for
    it, or until ``wake_at`` (microseconds; None: never), the first time limit that runs meanwhile.
    """

    engine: str
    parked: bool = False
    wake_at: int | None = None


class StepReused(Fact, frozen=True, kw_only=True, tag="step.reused"):
    """An ended step of the execution that this one resumes, taken over with its result: it completed, or failed and was
    routed on. ``sequence``: the path of the sub-workflow to whose graph it belongs; ``parent``: the parallel block that
    is entered again of which it is a completed branch; empty for neither."""

    step: int
    state: str
    path: str
    attempt: int
    exit_code: int
    output: str
    stderr: str
    started_at: int
    completed_at: int
    response: Json = None
    json: Json = None
    session: str = ""
    usage: Usage | None = None
    provider: str = ""
    turns: tuple[Turn, ...] | None = None
    status: Literal["completed", "failed"] = "completed"
    error: str = ""
    kind: str = "step"
    sequence: str = ""
    parent: str = ""


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


class ShellCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rendered shell command: values are data, never code.

    ``script`` is what the shell reads; it refers to ``variables`` (name, value) that a quoted preamble sets.
    ``display`` is the command with the values in place, for people; empty where it equals ``script``. ``program``: it is
    a file that says by ``#!`` which program reads it.
    """

    script: str
    variables: tuple[tuple[str, str], ...] = ()
    display: str = ""
    program: bool = False


class OperationCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operation and its rendered inputs, as the workflow gives them; secret values are placeholders. ``display`` is
    for people."""

    name: str
    inputs: dict[str, Json] = {}
    display: str = ""


class AgentTools(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``operations`` that an agent may use as tools, by name. ``exclusive``: it has no others, its own are switched off."""

    operations: tuple[str, ...] = ()
    exclusive: bool = True


class AgentCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent is asked, rendered; secret values are placeholders. ``prompt`` begins with the skills, and
    ``system_prompt`` with the role. ``output_format``: what the answer must be (``json``, or empty).

    ``conversation``: what is said is kept, so that a later step can go on with it. ``continue_from`` is the state with whose
    conversation this one goes on, ``session`` the provider's name of that; empty where it is another provider's.
    ``tools`` are those that it gets through awf (``mcp_proxy``). ``display`` is for people."""

    provider: str
    prompt: str
    system_prompt: str = ""
    options: dict[str, Json] = {}
    output_format: str = ""
    conversation: bool = False
    continue_from: str = ""
    session: str = ""
    tools: AgentTools | None = None
    display: str = ""


class BudgetReached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A budget that is used up. ``level``: ``state``, ``workflow`` or ``server``; ``path`` is that of the state, or of the
    graph (empty: the execution). ``limit`` and ``spent``: tokens, US dollars (``cost``) or seconds (``duration``).
    ``fails``: nobody is asked."""

    level: Literal["state", "workflow", "server"]
    path: str
    measure: Literal["tokens", "cost", "duration"]
    limit: float
    spent: float
    fails: bool = False


class StepStarted(Fact, frozen=True, kw_only=True, tag="step.started"):
    """An attempt of a step is about to start; durable before its process exists.

    ``recovered``: the attempt repeats one whose engine died. ``refused``: the step cannot start (its template
    failed, say), with the reason; no process is made and the attempt fails with it. ``timeout`` in seconds.
    ``held``: it does not begin either, because a budget is used up; a person decides, or the step fails.
    ``detach``: the attempt outlives its engine. ``max_output``: bytes of each stream that are kept; None: the usual. ``warnings``: what people should know of what
    was made of it (a value with quote characters outside quotes, an input that is not exported).

    Of loops, parallel blocks and sub-workflows, which have no process: ``items`` and ``limit`` of a loop (``left_out``
    counts the items beyond the limit), ``branches`` of a block, ``inputs`` of a sub-workflow.
    """

    step: int
    state: str
    path: str
    attempt: int
    attempt_id: str
    kind: str
    recovered: bool = False
    command: ShellCommand | None = None
    operation: OperationCall | None = None
    agent: AgentCall | None = None
    dir: str = ""
    env: dict[str, str] = {}
    timeout: float | None = None
    max_output: int | None = None
    detach: bool = False
    refused: str = ""
    held: BudgetReached | None = None
    items: list[Json] | None = None
    limit: int | None = None
    left_out: int = 0
    branches: tuple[str, ...] = ()
    inputs: dict[str, Json] | None = None
    warnings: tuple[str, ...] = ()


class StepAdopted(Fact, frozen=True, kw_only=True, tag="step.adopted"):
    """A detached attempt outlived the engine that started it, or ended meanwhile and left how; ``engine`` follows it
    from here on, as the same attempt."""

    step: int
    state: str
    path: str
    attempt: int
    attempt_id: str
    engine: str


class StepOutput(Fact, frozen=True, kw_only=True, tag="step.output"):
    """What a running step wrote: valid UTF-8, at most 16 KiB, in order. ``truncated``: the stream's recorded part
    ends here (5 MiB), the step goes on."""

    step: int
    path: str
    state: str
    attempt: int
    stream: Stream
    text: str
    truncated: bool = False


class AgentMessage(Fact, frozen=True, kw_only=True, tag="agent.message"):
    """A whole message of the exchange between an agent and its tools, while it runs; large parts are cut, with a mark.
    What the agent was asked is in ``step.started``."""

    step: int
    path: str
    state: str
    attempt: int
    role: Role
    blocks: tuple[Block, ...]


class StepCompleted(Fact, frozen=True, kw_only=True, tag="step.completed"):
    """A step succeeded. ``*_bytes`` count what it wrote; ``*_tail`` holds what was kept of the end of a stream
    longer than its recorded part (the beginning is in the ``step.output`` facts; nothing is stored twice).

    Of everything but shell steps: ``output`` and ``response`` are the result (``output`` empty where it is just what was
    written); ``json``, ``session``, ``usage`` and ``provider`` those of an agent. Of loops, blocks and sub-workflows: ``goto`` is the state to which one of their steps left them. ``note`` what people should know (a limit that was reached)."""

    step: int
    state: str
    path: str
    attempt: int
    exit_code: int = 0
    duration: float = 0.0
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_tail: str = ""
    stderr_tail: str = ""
    output: str = ""
    response: Json = None
    json: Json = None
    session: str = ""
    usage: Usage | None = None
    provider: str = ""
    goto: str = ""
    note: str = ""


class StepFailed(Fact, frozen=True, kw_only=True, tag="step.failed"):
    """A step failed, was cancelled (``error`` is ``cancelled``), or could not start. Fields as StepCompleted; ``response``
    is that of an approval."""

    step: int
    state: str
    path: str
    attempt: int
    exit_code: int
    error: str
    duration: float = 0.0
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_tail: str = ""
    stderr_tail: str = ""
    output: str = ""
    session: str = ""
    usage: Usage | None = None
    response: Json = None
    provider: str = ""


class StepRetrying(Fact, frozen=True, kw_only=True, tag="step.retrying"):
    """An attempt failed and another will follow after ``delay`` seconds. Fields as StepFailed; ``attempt`` is the one
    that failed. ``usage`` is what it cost, ``provider`` an agent's."""

    step: int
    state: str
    path: str
    attempt: int
    exit_code: int
    error: str
    delay: float
    usage: Usage | None = None
    provider: str = ""


class AgentTurn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent has answered in a conversation that goes on. Fields as StepCompleted."""

    duration: float = 0.0
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_tail: str = ""
    stderr_tail: str = ""
    output: str = ""
    json: Json = None
    session: str = ""
    usage: Usage | None = None
    provider: str = ""


class InputRequired(Fact, frozen=True, kw_only=True, tag="input.required"):
    """The step waits for a person, without a process. ``kind`` says who asks: ``approval`` (a state of that
    type), ``budget`` (an attempt that was held), ``conversation`` (an agent whose attempt has ended with ``turn``; the answer is its next prompt), ``crash`` (what
    is to become of an attempt that was cut short). ``prompt`` is for people. ``choices`` are the answers that are accepted; none: any text.
    ``deadline`` in microseconds since the epoch: without an answer the step fails then."""

    step: int
    state: str
    path: str
    attempt: int
    kind: str
    prompt: str
    choices: tuple[str, ...] = ()
    deadline: int | None = None
    turn: AgentTurn | None = None


class InputReceived(Fact, frozen=True, kw_only=True, tag="input.received"):
    """A person answered what the step at ``path`` waits for; ``comment`` is for the record, and ``by`` is who they say
    they are. ``sealed``: the response with placeholders for secret values, where it holds any."""

    step: int
    state: str
    path: str
    response: str
    comment: str = ""
    by: str = ""
    sealed: str = ""


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
