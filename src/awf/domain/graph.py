"""The graph of a workflow: which state can follow which, in the main line and inside loops and parallel states.

A state that holds others is three places: where it is entered, where a loop decides on its next iteration, and where it
has ended. Any other state is one place. Places are strings; that of an entry is the name of the state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from awf.domain.workflow import (
    InlineFailure,
    LoopState,
    ParallelState,
    Routing,
    State,
    TerminalState,
    Workflow,
)

MAIN = ""
"""What holds the states of the main line."""

_TEST, _END = "\0test", "\0end"


def members(state: State) -> tuple[str, ...]:
    """The states that a state holds."""
    if isinstance(state, LoopState):
        return state.body
    return state.branches if isinstance(state, ParallelState) else ()


def targets(state: State) -> Iterator[str]:
    """Every state that ``state`` names as one to go on with."""
    return (target for _, target in ways(state))


def ways(state: State) -> Iterator[tuple[str, str]]:
    """Every way on from a state, in the order in which they are tried: why it is taken, and the state that it leads to."""
    if isinstance(state, TerminalState):
        return
    routing = state.routing
    for transition in routing.transitions:
        yield f"when {transition.when.source}" if transition.when else "always", transition.goto
    named = (
        ("complete", routing.on_complete),
        ("approve", routing.on_approve),
        ("success", routing.on_success),
    )
    for why, target in (*named, *_failures(routing)):
        if isinstance(target, str):
            yield why, target


def inline_failures(state: State) -> Iterator[tuple[str, InlineFailure]]:
    """Where a state ends the execution by itself: why, and how."""
    if not isinstance(state, TerminalState):
        for why, failure in _failures(state.routing):
            if isinstance(failure, InlineFailure):
                yield why, failure


def _failures(routing: Routing) -> tuple[tuple[str, str | InlineFailure | None], ...]:
    return ("reject", routing.on_reject), ("timeout", routing.on_timeout), ("failure", routing.on_failure)


class Graph:
    """Edges between states that exist; what names others is left out."""

    def __init__(self, workflow: Workflow) -> None:
        self._states = workflow.states
        self._initial = [workflow.initial] if workflow.initial in self._states else []
        self._holds = {
            name: tuple(member for member in members(state) if member in self._states)
            for name, state in self._states.items()
        }
        self.holders: dict[str, list[str]] = {name: [] for name in self._states}
        """By state: the loops and parallel states that name it as theirs."""
        for name, held in self._holds.items():
            for member in held:
                self.holders[member].append(name)
        self.entered: dict[str, set[str]] = {name: set() for name in self._states}
        """By state: in what it is entered, ``MAIN`` or the states that hold it; nothing where it never is."""
        self._next: dict[str, dict[str, None]] = {}
        self._walk_contexts()
        self._previous = _reversed(self._next)
        self._came_from = _ways(self._next, self._initial)
        self._depths = self._measure()
        self.circle = self._find_circle()
        """A state that holds itself, as the way from itself to itself; nothing where there is none."""
        self._around = lru_cache(maxsize=1)(self._look_around)

    @property
    def reached(self) -> set[str]:
        """Every state that an execution can enter."""
        return {name for name, holders in self.entered.items() if holders}

    def test(self, name: str) -> str:
        """The place where a loop decides whether to go on."""
        return name + _TEST if self._holds[name] else name

    def end(self, name: str) -> str:
        """The place where a state has ended."""
        return name + _END if self._holds[name] else name

    def can_precede(self, earlier: str, place: str) -> bool:
        """Whether the state ``earlier`` can have ended before ``place`` is reached for the first time."""
        end = self.end(earlier)
        if self._is_on_the_way(end, place):
            return True
        entered_without, ancestors = self._around(place)
        return end in entered_without and end in ancestors

    def can_follow(self, earlier: str, place: str) -> bool:
        """Whether ``place`` can be reached at some time after the state ``earlier`` has ended."""
        end = self.end(earlier)
        return self._is_on_the_way(end, place) or end in self._around(place)[1]

    def _is_on_the_way(self, before: str, place: str) -> bool:
        """Whether a shortest way from the initial state to ``place`` passes ``before``: the quick answer to most
        questions."""
        known: str | None = self._came_from.get(place)
        while known is not None:
            if known == before:
                return True
            known = self._came_from[known]
        return False

    def inside(self, name: str) -> set[str]:
        """Every state that a state holds, and that those hold."""
        return _walk(self._holds, self._holds[name])

    def around(self, name: str) -> set[str]:
        """Every state that holds a state, and what holds those."""
        return _walk(self.holders, self.holders[name])

    def side_by_side(self, one: str, other: str) -> bool:
        """Whether two states can run at the same time, in branches of one parallel state."""
        with_one, with_other = {one, *self.around(one)}, {other, *self.around(other)}
        for block in with_one & with_other:
            if isinstance(self._states[block], ParallelState):
                branches = set(self._holds[block])
                if branches & with_one != branches & with_other:
                    return True
        return False

    def loops(self, name: str) -> tuple[int, int]:
        """How many loops are around a state at least and at most. Only where there is no ``circle``."""
        return self._depths[name][:2]

    def nesting(self, name: str) -> int:
        """How many loops and parallel states are around a state at most. Only where there is no ``circle``."""
        return self._depths[name][2]

    def _measure(self) -> dict[str, tuple[int, int, int]]:
        """Count the loops around every state, and all blocks, from the outside to the inside; what is left over goes in
        circles."""
        found: dict[str, tuple[int, int, int]] = {}
        missing = {name: len(holders) for name, holders in self.holders.items()}
        waiting = [name for name, count in missing.items() if not count]
        while waiting:
            name = waiting.pop()
            around = [self._inside_of(holder, found[holder]) for holder in self.holders[name]]
            if MAIN in self.entered[name] or not around:
                around.append((0, 0, 0))
            least, most, blocks = zip(*around, strict=True)
            found[name] = min(least), max(most), max(blocks)
            for held in self._holds[name]:
                missing[held] -= 1
                if not missing[held]:
                    waiting.append(held)
        return found

    def _inside_of(self, holder: str, around: tuple[int, int, int]) -> tuple[int, int, int]:
        more = isinstance(self._states[holder], LoopState)
        return around[0] + more, around[1] + more, around[2] + 1

    def _find_circle(self) -> tuple[str, ...]:
        """A way from a state through what holds it back to it, outermost first; nothing where there is none."""
        name = next((name for name in self._states if name not in self._depths), None)
        if name is None:
            return ()
        path: dict[str, int] = {}
        while name not in path:
            path[name] = len(path)
            name = next(holder for holder in self.holders[name] if holder not in self._depths)
        circle = [*list(path)[path[name] :], name]
        return tuple(reversed(circle))

    def _walk_contexts(self) -> None:
        """Follow every way from the initial state, and keep the edges."""
        exits: dict[str, set[str]] = {name: set() for name in self._states}
        waiting = [(name, MAIN) for name in self._initial]
        while waiting:
            name, holder = waiting.pop()
            if holder in self.entered[name]:
                continue
            self.entered[name].add(holder)
            self._add_inner_edges(name)
            waiting += ((member, name) for member in self._holds[name])
            waiting += self._follow(name, holder, [*targets(self._states[name]), *exits[name]], exits)

    def _follow(
        self, name: str, holder: str, names: Iterable[str], exits: dict[str, set[str]]
    ) -> list[tuple[str, str]]:
        """Go on from a state in ``holder`` to those that it names; what it enters there."""
        entered: list[tuple[str, str]] = []
        waiting = [(name, holder, target) for target in names if target in self._states]
        while waiting:
            name, holder, target = waiting.pop()
            if holder == MAIN:
                self._add(self.end(name), target)
                entered.append((target, MAIN))
            elif isinstance(self._states[holder], ParallelState) or target == holder:
                continue
            elif target in self._holds[holder]:
                self._add(self.end(name), target)
            elif target not in exits[holder]:
                exits[holder].add(target)
                self._add(self.end(name), self.end(holder))
                waiting += ((holder, outer, target) for outer in self.entered[holder])
        return entered

    def _add_inner_edges(self, name: str) -> None:
        held = self._holds[name]
        if not held:
            self._next.setdefault(name, {})
            return
        if isinstance(self._states[name], ParallelState):
            for member in held:
                self._add(name, member)
                self._add(self.end(member), self.end(name))
            return
        self._add(name, self.test(name))
        self._add(self.test(name), self.end(name))
        for before, after in zip(
            (self.test(name), *map(self.end, held)), (*held, self.test(name)), strict=True
        ):
            self._add(before, after)

    def _add(self, before: str, after: str) -> None:
        self._next.setdefault(before, {})[after] = None
        self._next.setdefault(after, {})

    def _look_around(self, place: str) -> tuple[set[str], set[str]]:
        """What can be entered without passing ``place``, and from where there is a way to it."""
        before = self._previous.get(place, [])
        return _walk(self._next, self._initial, without=place), _walk(self._previous, before)


def ends(state: State) -> bool:
    """Whether an execution can end in this state on purpose."""
    return isinstance(state, TerminalState) or any(
        isinstance(each, InlineFailure) for each in state.routing.after_failures
    )


def _reversed(edges: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in edges}
    for name, following in edges.items():
        for after in following:
            found[after].append(name)
    return found


def _ways(edges: Mapping[str, Iterable[str]], starts: Iterable[str]) -> dict[str, str | None]:
    """By place the one before it on a shortest way from a start, None for a start."""
    found: dict[str, str | None] = dict.fromkeys(starts)
    waiting = deque(found)
    while waiting:
        name = waiting.popleft()
        for after in edges.get(name, ()):
            if after not in found:
                found[after] = name
                waiting.append(after)
    return found


def _walk(edges: Mapping[str, Iterable[str]], starts: Iterable[str], without: str | None = None) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in seen and name != without:
            seen.add(name)
            waiting += edges.get(name, ())
    return seen
