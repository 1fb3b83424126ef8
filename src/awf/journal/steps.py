"""The facts of steps: how their attempts start, what they write and say, whom they ask, how they end.

See ``awf.journal.events``, which has all facts.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from awf.domain.outcomes import Usage
from awf.journal.attempts import AgentCall, AgentTurn, BudgetReached, OperationCall, ShellCommand, TalkKept
from awf.journal.fact import Fact, Json, Stream
from awf.journal.messages import Block, Role, Turn


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


class StepStarted(Fact, frozen=True, kw_only=True, tag="step.started"):
    """An attempt of a step is about to start; durable before its process exists.

    ``recovered``: the attempt repeats one whose engine died. ``refused``: the step cannot start (its template
    failed, say), with the reason; no process is made and the attempt fails with it. ``timeout`` in seconds.
    ``held``: it does not begin either, because a budget is used up; a person decides, or the step fails.
    ``talk``: it goes on with this conversation of the execution that this one resumes; where the person had the word, they
    have it again, and the agent is not asked yet.
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
    env: dict[str, str] = msgspec.field(default_factory=dict)
    timeout: float | None = None
    max_output: int | None = None
    detach: bool = False
    refused: str = ""
    held: BudgetReached | None = None
    talk: TalkKept | None = None
    items: list[Json] | None = None
    limit: int | None = None
    left_out: int = 0
    branches: tuple[str, ...] = ()
    inputs: dict[str, Json] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Has a person the word before an agent is asked?"""
        return self.talk is not None and self.talk.asked


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
    that failed. ``usage`` is what it cost, ``provider`` an agent's. ``held``: it did not fail, but a budget was used up in the
    middle of its work. ``no_session``: the agent's session is
    gone, and the next one begins another."""

    step: int
    state: str
    path: str
    attempt: int
    exit_code: int
    error: str
    delay: float
    usage: Usage | None = None
    provider: str = ""
    held: bool = False
    no_session: bool = False


class InputRequired(Fact, frozen=True, kw_only=True, tag="input.required"):
    """The step waits for a person, without a process. ``kind`` says who asks: ``approval`` (a state of that
    type), ``budget`` (an attempt that was held; or, with ``reached``, one that has gone over a budget and runs on meanwhile), ``conversation`` (an agent whose attempt has ended with ``turn``; the answer is its next prompt), ``crash`` (what
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
    reached: BudgetReached | None = None


class InputReceived(Fact, frozen=True, kw_only=True, tag="input.received"):
    """A person answered what the step at ``path`` waits for; ``comment`` is for the record, and ``by`` is who they say
    they are. ``sealed``: the response with placeholders for secret values, where it holds any. ``limit``: what the budget is
    raised to that was asked about."""

    step: int
    state: str
    path: str
    response: str
    comment: str = ""
    by: str = ""
    sealed: str = ""
    limit: float | None = None
