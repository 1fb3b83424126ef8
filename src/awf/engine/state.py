"""The state of one execution: a tree of activities, and the results so far.

An activity is a state that has been entered and not been left: a step, a loop, a parallel block, a sub-workflow. Its
path says where it is (``build``, ``loop[3]/step``, ``call/step``), its ``parent`` which activity it happens in. The main
graph, and the graph of every sub-workflow, is a *sequence*: it has one activity at a time. A loop has one at a time in
its iteration; a parallel block has one per branch.

``engine.evolve`` builds this from the journal; nothing else changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from awf.domain.outcomes import Usage
from awf.journal.events import (
    AgentTurn,
    BlockEnding,
    BlockKept,
    BudgetReached,
    ExecutionAccepted,
    HookStarted,
    InputReceived,
    InputRequired,
    SpentBefore,
    StepStarted,
    Stream,
    TalkKept,
    WorkflowClosing,
)
from awf.journal.messages import Message, Turn
from awf.journal.store import ExecutionStatus

BLOCKS = frozenset({"for_each", "while", "parallel", "call_workflow"})
"""Kinds of states that hold others and have no process of their own."""

PROCESSLESS = BLOCKS | {"approval"}
"""Kinds of states that have no process: nothing but decisions moves them."""

LOOPS = frozenset({"for_each", "while"})

APPROVE, REJECT, TIMEOUT = "approve", "reject", "timeout"
"""How an approval ends: its output."""

CONTINUE, STOP = "continue", "stop"
"""What people say to a budget that is used up."""

CANCELLED = "cancelled"
"""The error of what was ended from outside."""


class StepResult(Struct, frozen=True):
    """An ended step, as templates, expressions and resume see it. ``order`` is the sequence number of the fact that
    ended it, ``began`` of the one that started its last attempt. ``json``, ``session``, ``usage``, ``provider`` and ``turns``
    (the conversation up to here; None: not one to go on with) are an agent's. ``goto``: where one of a block's steps left
    it to. ``reused``: taken over from the execution that this one resumes."""

    step: int
    state: str
    path: str
    status: str
    attempt: int
    exit_code: int
    error: str
    output: str
    stderr: str
    started_at: int
    completed_at: int
    began: int
    order: int
    response: Any = None
    json: Any = None
    session: str = ""
    usage: Usage | None = None
    provider: str = ""
    turns: tuple[Turn, ...] | None = None
    goto: str = ""
    reused: bool = False

    @property
    def failed(self) -> bool:
        """Did it fail?"""
        return self.status == "failed"

    @property
    def cancelled(self) -> bool:
        """Was it ended from outside?"""
        return self.failed and self.error == CANCELLED


class Question(Struct, frozen=True):
    """What a step waits for a person to say; ``number`` is the sequence number of the fact."""

    number: int
    fact: InputRequired


class Activity(Struct):
    """A state that has been entered and not been left.

    ``started`` None: not started yet (its ``pre`` hooks may be running). ``flying``: an attempt runs. ``retry_at``: the
    time of the next attempt, while waiting for it. ``result``: it has ended, and waits to be routed (its ``post`` hooks
    may be running). ``tries`` counts failed attempts that were followed by another; ``deaths`` the engines that died
    and took a running attempt with them. ``index`` is a loop's iteration. ``cut``: the streams whose recorded part has
    ended. ``messages`` counts those of an agent's attempt; ``called`` are those of them with calls of
    awf's tools, ``carried`` those of the attempts before it; ``turns`` is the conversation that it goes on with.
    ``turn`` is the last answer of one that talks with a person, ``answers`` counts those. ``idle_before``: microseconds for which the execution had waited
    for people when it started; ``raised``: its limits that people have raised, by level and measure;
    ``before``: what it had spent when its execution was resumed; ``talk``: the conversation that it goes on with then;
    ``opening``: what an agent was asked first.
    ``usage`` is what all its attempts, and everything in it, have cost. ``question``: what it asked a person; ``answer``: what they said, until that has been acted on.
    """

    path: str
    state: str
    kind: str
    parent: str
    started: StepStarted | None = None
    flying: bool = False
    first_started_at: int = 0
    attempt_at: int = 0
    began: int = 0
    tries: int = 0
    deaths: int = 0
    retry_at: int | None = None
    question: Question | None = None
    answer: InputReceived | None = None
    result: StepResult | None = None
    ending: BlockEnding | None = None
    index: int = -1
    hooks_done: int = 0
    written: dict[Stream, list[str]] = field(default_factory=lambda: {"stdout": [], "stderr": []})
    cut: set[Stream] = field(default_factory=set)
    messages: int = 0
    called: tuple[Message, ...] = ()
    carried: tuple[Message, ...] = ()
    usage: Usage | None = None
    turns: tuple[Turn, ...] = ()
    turn: AgentTurn | None = None
    answers: int = 0
    idle_before: int = 0
    raised: dict[str, float] = field(default_factory=dict)
    before: SpentBefore | None = None
    talk: TalkKept | None = None
    opening: str = ""

    @property
    def place(self) -> dict[str, Any]:
        """The fields with which facts about its attempt say which one they mean."""
        started = self.started
        assert started is not None
        return {
            "step": started.step,
            "state": started.state,
            "path": started.path,
            "attempt": started.attempt,
        }

    @property
    def provider(self) -> str:
        """Of an agent that has been started."""
        call = self.started.agent if self.started is not None else None
        return "" if call is None else call.provider

    @property
    def processless(self) -> bool:
        """Does nothing but decisions move it?"""
        started = self.started
        if self.kind in PROCESSLESS or started is None:
            return self.kind in PROCESSLESS
        return started.held is not None or started.asks

    @property
    def runs(self) -> bool:
        """Does an attempt of it run, as a process or as work of the engine?"""
        return self.flying and not self.processless

    @property
    def budget(self) -> BudgetReached | None:
        """The budget about which it has asked last."""
        if self.question is not None and self.question.fact.reached is not None:
            return self.question.fact.reached
        return self.started.held if self.started is not None else None

    @property
    def stopped(self) -> bool:
        """Is it being ended because a person wants so, who was asked while it ran?"""
        return self.runs and self.answer is not None and self.answer.response == STOP

    @property
    def waits(self) -> bool:
        """Waiting for its next attempt."""
        return self.retry_at is not None

    @property
    def is_open(self) -> bool:
        """Started and not ended: an attempt runs, or is to follow, or a person decides."""
        return self.flying or self.waits or self.question is not None

    @property
    def asks(self) -> bool:
        """Waiting for a person, maybe while it runs."""
        return self.question is not None and self.answer is None


class Sequence(Struct):
    """The graph of the execution (path empty) or of a sub-workflow. ``entered``: its first state has been.
    ``hooks_done`` counts actions of ``workflow_start``, then of the closing hooks; ``start_error`` is why one of the
    former failed. ``results`` has the latest result of each of its states, and goes with the graph."""

    path: str
    entered: bool = False
    hooks_done: int = 0
    start_error: str = ""
    closing: WorkflowClosing | None = None
    results: dict[str, StepResult] = field(default_factory=dict)


class Kept(Struct):
    """A block that will be entered as another execution left it, until that has happened: the results of a sub-workflow's
    graph, the completed branches of a parallel block."""

    fact: BlockKept
    results: dict[str, StepResult] = field(default_factory=dict)
    branches: list[StepResult] = field(default_factory=list)


class ExecutionState(Struct):
    """See the module's docstring. ``current`` is the path last entered; ``taken`` counts the facts that were taken over
    from the execution that this one resumes; ``usage`` is what its agents have cost; ``before`` has what that one had spent, itself (empty path) and its states until
    they are entered, ``talk`` the conversation that goes on, until it is entered; ``kept`` has its blocks, by path; ``asking`` has the paths of the activities
    that wait for a person."""

    execution: str
    accepted: ExecutionAccepted
    accepted_at: int
    seq: int = 1
    at: int = 0
    status: ExecutionStatus = "pending"
    started: bool = False
    released: bool = False
    cancel_requested: bool = False
    current: str = ""
    transitions: int = 0
    next_step: int = 1
    activities: dict[str, Activity] = field(default_factory=dict)
    sequences: dict[str, Sequence] = field(default_factory=lambda: {"": Sequence("")})
    hooks: dict[str, HookStarted] = field(default_factory=dict)
    asking: set[str] = field(default_factory=set)
    taken: int = 0
    usage: Usage | None = None
    started_at: int = 0
    idle: int = 0
    idle_since: int | None = None
    raised: dict[str, float] = field(default_factory=dict)
    before: dict[str, SpentBefore] = field(default_factory=dict)
    talk: TalkKept | None = None
    kept: dict[str, Kept] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """A final fact has been recorded."""
        return self.status in {"completed", "failed", "cancelled"}

    @property
    def begun(self) -> bool:
        """A state has been entered."""
        return self.sequences[""].entered

    def worked(self, since: int, idle_before: int, now: int) -> float:
        """Seconds since a time (microseconds) at which it had been idle for ``idle_before``, without those in which everything
        waited for people."""
        idle = self.idle + (0 if self.idle_since is None else now - self.idle_since) - idle_before
        return max(0, now - since - idle) / 1_000_000

    def children(self, path: str) -> list[Activity]:
        """The activities directly in a block, or in the main graph (empty path)."""
        return [
            activity
            for activity in self.activities.values()
            if activity.parent == path and activity.path != path
        ]

    def below(self, path: str) -> list[Activity]:
        """All activities inside a block, outermost first; all there are for the empty path."""
        if not path:
            return list(self.activities.values())
        return [activity for activity in self.activities.values() if is_below(activity.path, path)]

    def flying(self, path: str = "") -> list[Activity]:
        """Activities with a running process, below a path."""
        return [activity for activity in self.below(path) if activity.runs]

    def hooks_below(self, path: str = "") -> list[HookStarted]:
        """Hooks with a running command, of the activity at a path and those below it."""
        return [
            hook for hook in self.hooks.values() if not path or hook.path == path or is_below(hook.path, path)
        ]

    def ancestors(self, path: str) -> Iterator[Activity]:
        """The blocks around an activity, innermost first."""
        activity = self.activities.get(path)
        while activity is not None and activity.parent:
            activity = self.activities.get(activity.parent)
            if activity is not None:
                yield activity

    def result_of(self, path: str, name: str) -> StepResult | None:
        """The latest result of a state, as an activity in the same graph sees it."""
        return self.sequences[self.sequence_of(path)].results.get(name)

    def sequence_of(self, path: str) -> str:
        """The path of the sub-workflow whose graph an activity belongs to; empty for the main one."""
        for block in self.ancestors(path):
            if block.kind == "call_workflow":
                return block.path
        return ""


def is_below(path: str, block: str) -> bool:
    """Is this path inside that block? (``a[1]/b`` and ``a/b`` are inside ``a``.)"""
    return len(path) > len(block) and path.startswith(block) and path[len(block)] in "/["
