"""The state of one execution as a fold over its journal.

``evolve`` applies one entry. It evaluates nothing: no template, expression, clock, environment or chance, so the same
journal gives the same state under any version of the code and in any surroundings. The state is changed in place and
costs O(1) per entry, however long the journal.

Where an execution stands follows from the last facts, at every prefix of a journal:

==========================================  =====================================================
the journal so far                          what comes next
==========================================  =====================================================
nothing entered yet                         enter the initial state (or the one resumed from)
a state entered, no step started in it      start its step, or end at it if it is a terminal
steps in flight                             their outcomes; after a crash, their next attempts
a step ended, not routed                    choose the next state
a cancel requested                          end what is in flight, then ``execution.cancelled``
a final fact                                nothing
==========================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from awf.errors import ReplayDiverged
from awf.journal.events import (
    AnyFact,
    CancelRequested,
    Entry,
    ExecutionAccepted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    StateEntered,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepReused,
    StepStarted,
    Stream,
)
from awf.journal.store import ExecutionStatus
from awf.journal.text import whole_text


@dataclass(slots=True)
class StepInFlight:
    """A started step whose end is not recorded. ``deaths`` counts the engines that died while it ran."""

    started: StepStarted
    first_started_at: int
    deaths: int = 0
    written: dict[Stream, list[str]] = field(default_factory=lambda: {"stdout": [], "stderr": []})


@dataclass(frozen=True, slots=True)
class StepResult:
    """An ended step, as templates, expressions and resume see it. ``order`` is the sequence number of the fact that
    ended it, ``began`` of the one that started its last attempt."""

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


@dataclass(slots=True)
class ExecutionState:
    """See the module's docstring. ``results`` holds the latest result per path; ``current`` the path last entered."""

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
    last_active: str = ""
    unstarted: StateEntered | None = None
    unrouted: str | None = None
    transitions: int = 0
    next_step: int = 1
    in_flight: dict[str, StepInFlight] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)
    results: dict[str, StepResult] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)

    @property
    def finished(self) -> bool:
        """A final fact has been recorded."""
        return self.status in {"completed", "failed", "cancelled"}

    @property
    def begun(self) -> bool:
        """A state has been entered."""
        return bool(self.current)


def fold(execution: str, entries: Iterable[Entry]) -> ExecutionState:
    """The state after a whole journal. Raises ReplayDiverged where it does not begin with ``execution.accepted``."""
    iterator = iter(entries)
    first = next(iterator, None)
    if first is None or first.seq != 1 or not isinstance(first.fact, ExecutionAccepted):
        raise ReplayDiverged(f"execution {execution}: its journal does not begin with execution.accepted")
    state = ExecutionState(execution, first.fact, first.at, at=first.at)
    for entry in iterator:
        evolve(state, entry)
    return state


def evolve(state: ExecutionState, entry: Entry) -> None:
    """Apply one entry, in place. Raises ReplayDiverged where it cannot follow what came before."""
    if entry.seq != state.seq + 1:
        raise ReplayDiverged(f"execution {state.execution}: entry {entry.seq} follows entry {state.seq}")
    if state.finished:
        raise ReplayDiverged(f"execution {state.execution}: entry {entry.seq} follows the final one")
    state.seq = entry.seq
    state.at = entry.at
    _apply(state, entry, entry.fact)


def _apply(state: ExecutionState, entry: Entry, fact: AnyFact) -> None:
    match fact:
        case ExecutionStarted():
            state.status, state.started = "running", True
        case ExecutionRecovered():
            if not fact.orderly:
                for flying in state.in_flight.values():
                    flying.deaths += 1
            state.status, state.released = "running", False
        case ExecutionReleased():
            state.status, state.released = "pending", True
        case StateEntered():
            if state.begun:
                state.transitions += 1
            state.current = fact.path
            if fact.kind != "terminal":
                state.last_active = fact.path
            state.unstarted, state.unrouted = fact, None
        case StepStarted():
            _start(state, entry, fact)
        case StepOutput():
            _flying(state, entry, fact).written[fact.stream].append(fact.text)
        case StepCompleted() | StepFailed():
            _end(state, entry, fact)
        case StepReused():
            _reuse(state, entry, fact)
        case CancelRequested():
            state.cancel_requested = True
        case ExecutionCompleted():
            state.status = "completed"
        case ExecutionFailed():
            state.status = "failed"
        case ExecutionCancelled():
            state.status = "cancelled"
        case ExecutionAccepted():
            raise ReplayDiverged(f"execution {state.execution}: accepted twice, again at entry {entry.seq}")


def _start(state: ExecutionState, entry: Entry, fact: StepStarted) -> None:
    before = state.in_flight.get(fact.path)
    if before is None:
        state.in_flight[fact.path] = StepInFlight(fact, entry.at)
        state.next_step = max(state.next_step, fact.step + 1)
    else:
        state.in_flight[fact.path] = StepInFlight(fact, before.first_started_at, before.deaths)
    state.began[fact.path] = entry.seq
    state.unstarted = None


def _flying(
    state: ExecutionState, entry: Entry, fact: StepOutput | StepCompleted | StepFailed
) -> StepInFlight:
    """The step in flight that a fact speaks of; checked by name, so that a wrong journal is found at its first lie."""
    flying = state.in_flight.get(fact.path)
    if flying is None or flying.started.step != fact.step or flying.started.state != fact.state:
        expected = (
            "no step in flight" if flying is None else f"step {flying.started.step} ({flying.started.state})"
        )
        raise ReplayDiverged(
            f"execution {state.execution}, entry {entry.seq}: expected {expected} at {fact.path!r}, "
            f"found step {fact.step} ({fact.state})"
        )
    return flying


def _end(state: ExecutionState, entry: Entry, fact: StepCompleted | StepFailed) -> None:
    flying = _flying(state, entry, fact)
    del state.in_flight[fact.path]
    failed = isinstance(fact, StepFailed)
    state.results[fact.path] = StepResult(
        step=fact.step,
        state=fact.state,
        path=fact.path,
        status="failed" if failed else "completed",
        attempt=fact.attempt,
        exit_code=fact.exit_code,
        error=fact.error if isinstance(fact, StepFailed) else "",
        output=whole_text("".join(flying.written["stdout"]), fact.stdout_bytes, fact.stdout_tail),
        stderr=whole_text("".join(flying.written["stderr"]), fact.stderr_bytes, fact.stderr_tail),
        started_at=flying.first_started_at,
        completed_at=entry.at,
        began=state.began[fact.path],
        order=entry.seq,
    )
    state.unrouted = fact.path


def _reuse(state: ExecutionState, entry: Entry, fact: StepReused) -> None:
    state.results[fact.path] = StepResult(
        step=fact.step,
        state=fact.state,
        path=fact.path,
        status="completed",
        attempt=fact.attempt,
        exit_code=fact.exit_code,
        error="",
        output=fact.output,
        stderr=fact.stderr,
        started_at=fact.started_at,
        completed_at=fact.completed_at,
        began=entry.seq,
        order=entry.seq,
    )
    state.reused.add(fact.step)
    state.next_step = max(state.next_step, fact.step + 1)
