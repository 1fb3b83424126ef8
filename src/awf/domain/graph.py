"""The main graph of a workflow: which state can follow which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from awf.domain.workflow import State, StepState, Workflow


def successors(state: State) -> Iterator[str]:
    """Every state that ``state`` names as one to go on with."""
    if not isinstance(state, StepState):
        return
    routing = state.routing
    yield from (transition.goto for transition in routing.transitions)
    if routing.on_success is not None:
        yield routing.on_success
    if isinstance(routing.on_failure, str):
        yield routing.on_failure


class Graph:
    """Edges between states that exist; what names others is left out."""

    def __init__(self, workflow: Workflow) -> None:
        self._initial = [workflow.initial] if workflow.initial in workflow.states else []
        self._next: dict[str, list[str]] = {name: [] for name in workflow.states}
        self._previous: dict[str, list[str]] = {name: [] for name in workflow.states}
        for name, state in workflow.states.items():
            for target in successors(state):
                if target in self._next:
                    self._next[name].append(target)
                    self._previous[target].append(name)
        self.reached = _walk(self._next, self._initial)
        """Every state that an execution can enter."""
        self._around = lru_cache(maxsize=1)(self._look_around)

    def can_precede(self, earlier: str, later: str) -> bool:
        """Whether ``earlier`` can have run before ``later`` is entered for the first time."""
        entered_without, ancestors = self._around(later)
        return earlier in entered_without and earlier in ancestors

    def can_follow(self, earlier: str, later: str) -> bool:
        """Whether ``later`` can be entered at some time after ``earlier`` has run."""
        return earlier in self._around(later)[1]

    def _look_around(self, state: str) -> tuple[set[str], set[str]]:
        """What can be entered without passing ``state``, and from where there is a way to it."""
        return _walk(self._next, self._initial, without=state), _walk(self._previous, self._previous[state])


def _walk(edges: Mapping[str, Iterable[str]], starts: Iterable[str], without: str | None = None) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in seen and name != without:
            seen.add(name)
            waiting += edges[name]
    return seen
