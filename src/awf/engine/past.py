"""What an execution that is to be resumed has done: the journals it goes back on, and where each of its places began. Pure.

An execution that resumed another goes back on that one's journal up to where it entered, and so on. What it took over
from there (``step.reused``, ``block.kept``) is not its own: such a place is looked up where it was really reached.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from awf.engine.evolve import fold
from awf.engine.state import BLOCKS, CANCELLED, ExecutionState
from awf.journal.events import (
    BlockKept,
    Entry,
    ExecutionAccepted,
    LoopIterated,
    ResumedFrom,
    StateEntered,
    StepCompleted,
    StepFailed,
    StepRetrying,
    StepStarted,
)


class Place(Struct):
    """A state that was entered (the last time, where it was several times). ``entered``, ``started`` and ``ended`` are
    entry numbers, 0 for never; ``iteration``: the index that a loop has reached, -1 for none; ``again``: a block that was
    entered as the execution before had left it."""

    path: str
    state: str
    kind: str
    parent: str
    entered: int
    again: bool = False
    started: int = 0
    iteration: int = -1
    ended: int = 0
    failed: bool = False
    cancelled: bool = False


class Past(Struct):
    """One journal, and how much of it counts. ``starts`` has the entries with which states (by path) and iterations
    (``loop[3]``) began here."""

    execution: str
    entries: Sequence[Entry]
    upto: int
    places: dict[str, Place] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    completed: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        kept: set[str] = set()
        for entry in self.entries[: self.upto]:
            match entry.fact:
                case BlockKept() as fact:
                    kept |= {fact.path, f"{fact.path}[{fact.index}]"}
                case StateEntered() as fact if fact.kind != "terminal":
                    again = fact.path in kept
                    self.places[fact.path] = Place(
                        fact.path, fact.state, fact.kind, fact.parent, entry.seq, again=again
                    )
                    if not again or fact.kind == "parallel":
                        self.starts[fact.path] = entry.seq
                    kept.discard(fact.path)
                case LoopIterated() as fact:
                    self._iterated(fact, entry.seq, kept)
                case StepStarted() as fact:
                    place = self.places[fact.path]
                    place.started, place.iteration = entry.seq, -1
                case StepCompleted() | StepFailed() as fact:
                    self._ended(fact, entry.seq)

    def _iterated(self, fact: LoopIterated, seq: int, kept: set[str]) -> None:
        name = f"{fact.path}[{fact.index}]"
        self.places[fact.path].iteration = fact.index
        if name not in kept:
            self.starts[name] = seq
        kept.discard(name)

    def _ended(self, fact: StepCompleted | StepFailed, seq: int) -> None:
        place = self.places[fact.path]
        place.ended, place.failed = seq, isinstance(fact, StepFailed)
        place.cancelled = isinstance(fact, StepFailed) and fact.error == CANCELLED
        if not place.failed:
            self.completed.append((fact.path, place.entered))

    @property
    def accepted(self) -> ExecutionAccepted:
        """Its first fact."""
        first = self.entries[0].fact
        assert isinstance(first, ExecutionAccepted)
        return first

    @property
    def begun(self) -> bool:
        """Has a state been entered?"""
        return any(isinstance(entry.fact, StateEntered) for entry in self.entries)

    def state_before(self, seq: int) -> ExecutionState:
        """The execution as it stood when an entry was about to come."""
        return fold(self.execution, self.entries[: seq - 1])

    def inside(self, block: Place) -> list[Place]:
        """What was entered directly in a block since it last started; in a loop, in its last iteration."""
        prefix = f"{block.path}[{block.iteration}]/" if block.iteration >= 0 else ""
        return [
            place
            for place in self.places.values()
            if place.parent == block.path
            and place.entered > block.started
            and place.path.startswith(prefix)
            and place is not block
        ]

    def innermost(self, place: Place) -> Place:
        """The step in a block with which it would go on; the block itself where nothing is in it."""
        while place.kind in BLOCKS:
            inner = last(self.inside(place), parallel=place.kind == "parallel")
            if inner is None:
                break
            place = inner
        return place

    def end_of(self, path: str, seq: int) -> tuple[int, bool]:
        """The entry that ended the attempt of a block in which an entry happened, also after ``upto``, and whether it
        succeeded; the number after the last one where nothing did."""
        for entry in self.entries[seq - 1 :]:
            if isinstance(entry.fact, (StepCompleted, StepFailed, StepRetrying)) and entry.fact.path == path:
                return entry.seq, isinstance(entry.fact, StepCompleted)
        return len(self.entries) + 1, False

    def last_end_of(self, path: str, seq: int) -> tuple[int, bool]:
        """Like ``end_of``, of the last attempt of the block that was entered at an entry."""
        found = len(self.entries) + 1, False
        for entry in self.entries[seq:]:
            match entry.fact:
                case StateEntered(path=entered) if entered == path:
                    break
                case StepCompleted(path=ended) | StepFailed(path=ended) | StepRetrying(path=ended):
                    if ended == path:
                        found = entry.seq, isinstance(entry.fact, StepCompleted)
        return found


def before(accepted: ExecutionAccepted) -> ResumedFrom | None:
    """The journal that an execution goes back on (``source``, always set), if it resumed another."""
    resumed = accepted.resumed
    if resumed is None or resumed.source:
        return resumed
    return ResumedFrom(
        execution=resumed.execution,
        from_path=resumed.from_path,
        upto=resumed.upto,
        source=resumed.execution,
        enter=resumed.from_path,
        goes_on=resumed.goes_on,
    )


def last(places: Sequence[Place], *, parallel: bool = False) -> Place | None:
    """The last that failed, of branches rather one that failed by itself; else the last entered."""
    failed = [place for place in places if place.failed]
    if failed:
        return max(failed, key=lambda place: (parallel and not place.cancelled, place.ended))
    return max(places, key=lambda place: place.entered, default=None)
