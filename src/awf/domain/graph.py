"""The main graph of a workflow: which state can follow which."""

from __future__ import annotations

from collections.abc import Iterator

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
        self._initial = workflow.initial
        self._next = {
            name: tuple(target for target in successors(state) if target in workflow.states)
            for name, state in workflow.states.items()
        }
        self._reached: dict[tuple[str, str | None], frozenset[str]] = {}

    def reached_from(self, start: str, without: str | None = None) -> frozenset[str]:
        """``start`` and every state that can come after it, on ways that do not pass ``without``."""
        known = self._reached.get((start, without))
        if known is None:
            known = self._reached[start, without] = self._walk(start, without)
        return known

    def _walk(self, start: str, without: str | None) -> frozenset[str]:
        seen: set[str] = set()
        waiting = [start] if start in self._next else []
        while waiting:
            name = waiting.pop()
            if name not in seen and name != without:
                seen.add(name)
                waiting += self._next[name]
        return frozenset(seen)

    def can_precede(self, earlier: str, later: str) -> bool:
        """Whether ``earlier`` can have run before ``later`` is entered for the first time."""
        before = self.reached_from(self._initial, without=later)
        return earlier in before and later in self.reached_from(earlier)

    def can_follow(self, earlier: str, later: str) -> bool:
        """Whether ``later`` can be entered at some time after ``earlier`` has run."""
        return any(later in self.reached_from(name) for name in self._next.get(earlier, ()))
