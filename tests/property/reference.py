"""A slow and obvious interpreter of loaded workflows, to hold the engine's core against.

It knows no journal and no facts: it walks the workflow recursively, as the language is written down. A generator yields
wherever something outside runs: ``(1, path)`` for a process or a person, ``(0, path)`` for a delay; whoever drives it lets the
smallest go on. To close a generator is to cancel what it runs; before it does that, a block whose processes have to end
first yields ``(-1, path)``, and what is around it may go on meanwhile.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from awf.domain.expressions import Expression, test
from awf.domain.workflow import (
    ApprovalState,
    CallState,
    Executable,
    ForEachState,
    HookAction,
    InlineFailure,
    LoopState,
    ParallelState,
    StepState,
    TerminalState,
    WhileState,
    Workflow,
)
from awf.engine.state import is_below
from property.generator import MAIN
from property.world import Script

Wait: TypeAlias = tuple[int, str]
REFUSALS = {
    "reject": ("rejected", 1),
    "timeout": ("nobody answered in time what step '{}' asked", 124),
}
CLOSING = {"completed": "end", "failed": "error"}


@dataclass(frozen=True)
class Result:
    failed: bool = False
    error: str = ""
    exit_code: int = 0
    output: str = ""
    goto: str = ""


CANCELLED = Result(failed=True, error="cancelled", exit_code=143)


@dataclass(frozen=True)
class Verdict:
    target: str = ""
    failed: bool = False
    error: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class Closing:
    status: str
    error: str = ""
    exit_code: int = 0


class GraphEnds(Exception):
    """Something deep inside ends a whole graph: a terminal, an inline failure, the limit of transitions."""

    def __init__(self, graph: str, closing: Closing) -> None:
        super().__init__(graph, closing)
        self.graph = graph
        self.closing = closing


@dataclass
class Graph:
    """A graph being walked, with the latest results of its states, oldest first."""

    path: str
    workflow: Workflow
    results: dict[str, Result] = field(default_factory=dict)

    def scope(self, loop: int | None) -> dict[str, Any]:
        states = {
            name: {
                "Output": result.output,
                "ExitCode": result.exit_code,
                "Status": "failed" if result.failed else "completed",
            }
            for name, result in self.results.items()
        }
        return {
            "states": states,
            "inputs": {},
            "env": {},
            **({} if loop is None else {"loop": {"Index": loop}}),
        }


@dataclass(frozen=True)
class At:
    """A state at its place; ``loop`` is the index of the iteration around it."""

    graph: Graph
    path: str
    name: str
    loop: int | None

    @property
    def state(self) -> Any:
        return self.graph.workflow.states[self.name]

    def test(self, expression: Expression, loop: int | None) -> bool:
        return test(expression, self.graph.scope(loop))


class Reference:
    """One execution. ``results`` and ``hooks`` count what ended, as ``Drive`` does."""

    def __init__(self, workflows: Mapping[str, Workflow], script: Script, max_transitions: int) -> None:
        self.workflows = workflows
        self.script = script
        self.limit = max_transitions
        self.transitions = 0
        self.visits: Counter[str] = Counter()
        self.tries: Counter[str] = Counter()
        self.latest: dict[str, Result] = {}
        self.flying: set[str] = set()
        self.closing: set[str] = set()
        self.results: Counter[tuple[object, ...]] = Counter()
        self.hooks: Counter[tuple[object, ...]] = Counter()

    def run(self) -> tuple[object, ...]:
        """(status, error, exit code) of the execution."""
        walk = self._graph("", MAIN)
        while True:
            try:
                next(walk)
            except StopIteration as stop:
                closing: Closing = stop.value
                return closing.status, closing.error, closing.exit_code

    # Graphs

    def _graph(self, path: str, identifier: str) -> Generator[Wait, None, Closing]:
        graph = Graph(path, self.workflows[identifier])
        hooks = graph.workflow.hooks
        try:
            error = yield from self._hooks(path, "workflow_start", hooks.start, stop=True)
            if error:
                return Closing("failed", f"workflow_start hook failed: {error}", 1)
            closing = yield from self._walk(graph)
        except GraphEnds as end:
            if end.graph != path:
                raise
            closing = end.closing
            self.closing.discard(path)
        kind = CLOSING[closing.status]
        yield from self._hooks(path, f"workflow_{kind}", getattr(hooks, kind))
        ended = [result for result in graph.results.values() if result is not CANCELLED]
        self.latest[path] = Result(output=ended[-1].output if ended else "")
        return closing

    def _walk(self, graph: Graph) -> Generator[Wait, None, Closing]:
        name = graph.workflow.initial
        while True:
            at = At(graph, f"{graph.path}/{name}" if graph.path else name, name, None)
            verdict = yield from self._state(at)
            if not verdict.target:
                return Closing("failed", verdict.error, verdict.exit_code)
            name = verdict.target
            if not graph.path or name in graph.results:
                self._count(name)

    def _count(self, name: str) -> None:
        if self.transitions >= self.limit:
            error = (
                f"stopped after {self.limit} transitions, about to enter '{name}': the workflow goes round in circles, "
                f"or needs a higher max_transitions setting"
            )
            self._end_graph("", Closing("failed", error, 1))
        self.transitions += 1

    def _end_graph(self, path: str, closing: Closing) -> NoReturn:
        self.closing.add(path)
        raise GraphEnds(path, closing)

    def _process(self, path: str) -> Generator[Wait, None, None]:
        self.flying.add(path)
        try:
            yield 1, path
        finally:
            self.flying.discard(path)

    # States

    def _state(self, at: At) -> Generator[Wait, None, Verdict]:
        if isinstance(at.state, TerminalState):
            self._end_graph(at.graph.path, _terminal(at.state))
        result = yield from self._execute(at)
        return self._verdict(at, result)

    def _execute(self, at: At) -> Generator[Wait, None, Result]:
        state: Executable = at.state
        self.visits[at.path] += 1
        self.tries[at.path] = 0
        yield from self._hooks(at.path, "pre", state.hooks.pre)
        while True:
            try:
                result = yield from self._attempt(at)
                again = result.failed and self._may_retry(at, result)
                if again:
                    yield 0, at.path
            except (GeneratorExit, GraphEnds):
                self._record(at, CANCELLED)
                raise
            if not again:
                break
            self.tries[at.path] += 1
        self._record(at, result)
        yield from self._hooks(at.path, "post", state.hooks.post)
        return result

    def _may_retry(self, at: At, result: Result) -> bool:
        retry = at.state.retry
        if retry is None or self.tries[at.path] + 1 >= retry.max_attempts:
            return False
        return not retry.exit_codes or result.exit_code in retry.exit_codes

    def _record(self, at: At, result: Result) -> None:
        at.graph.results.pop(at.name, None)
        at.graph.results[at.name] = result
        self.latest[at.path] = result
        status = "failed" if result.failed else "completed"
        self.results[at.path, status, self.tries[at.path] + 1, result.exit_code, result.error] += 1

    def _verdict(self, at: At, result: Result) -> Verdict:
        routing = at.state.routing
        if result.goto:
            return Verdict(result.goto)
        for transition in routing.transitions:
            if transition.when is None or at.test(transition.when, at.loop):
                return Verdict(transition.goto)
        if not result.failed or routing.continue_on_error:
            target = routing.on_complete or routing.on_approve or routing.on_success
            how = "failed and continues on error" if result.failed else "succeeded"
            return Verdict(
                target or "", error=f"state '{at.name}' {how} but names no next state", exit_code=1
            )
        failure = routing.on_failure
        if isinstance(at.state, ApprovalState):
            own = {"reject": routing.on_reject, "timeout": routing.on_timeout}
            failure = own.get(result.output) or failure
        if isinstance(failure, InlineFailure):
            self._end_graph(at.graph.path, Closing("failed", failure.message.source, failure.status))
        if failure:
            return Verdict(failure)
        return Verdict("", True, f"step '{at.name}' failed: {result.error}", result.exit_code or 1)

    def _attempt(self, at: At) -> Generator[Wait, None, Result]:
        match at.state:
            case StepState():
                yield from self._process(at.path)
                ended = self.script.step((at.path, self.visits[at.path], self.tries[at.path]))
                failed = ended.exit_code != 0
                error = f"exit code {ended.exit_code}" if failed else ""
                return Result(failed, error, ended.exit_code, ended.output)
            case ApprovalState():
                yield 1, at.path
                said = self.script.answer((at.path, self.visits[at.path], 0))
                error, code = REFUSALS.get(said, ("", 0))
                return Result(said in REFUSALS, error.format(at.name), code, said)
            case LoopState():
                return (yield from self._loop(at, at.state))
            case ParallelState():
                return (yield from self._parallel(at, at.state))
            case CallState():
                closing = yield from self._graph(at.path, at.state.workflow)
                if closing.status == "failed":
                    return Result(True, closing.error, closing.exit_code or 1)
                return Result(output=self.latest[at.path].output)
        raise AssertionError(at.state)

    # Loops

    def _loop(self, at: At, state: LoopState) -> Generator[Wait, None, Result]:
        index = 0
        while self._goes_on(at, state, index):
            left = yield from self._iteration(at, state, index)
            if left is not None:
                return left
            index += 1
            if state.break_when is not None and at.test(state.break_when, index - 1):
                break
        return Result(output=f"completed {index} iterations")

    def _goes_on(self, at: At, state: LoopState, index: int) -> bool:
        if isinstance(state, WhileState):
            assert isinstance(state.limit, int)
            return index < state.limit and at.test(state.condition, index)
        assert isinstance(state, ForEachState)
        count = len(state.items) if isinstance(state.items, tuple) else 0
        return index < (min(count, state.limit) if isinstance(state.limit, int) else count)

    def _iteration(self, at: At, state: LoopState, index: int) -> Generator[Wait, None, Result | None]:
        """What ends the loop, or None where the iteration came to its end."""
        place = 0
        while place < len(state.body):
            name = state.body[place]
            verdict = yield from self._state(At(at.graph, f"{at.path}[{index}]/{name}", name, index))
            if verdict.failed:
                return Result(True, verdict.error, verdict.exit_code)
            if not verdict.target or verdict.target == at.name:
                place += 1
            elif verdict.target in state.body:
                to = state.body.index(verdict.target)
                if to <= place:
                    self._count(verdict.target)
                place = to
            else:
                return Result(output=f"completed {index + 1} iterations", goto=verdict.target)
        return None

    # Parallel blocks

    def _parallel(self, at: At, state: ParallelState) -> Generator[Wait, None, Result]:
        running: dict[str, tuple[Wait, Generator[Wait, None, Result]]] = {}
        over: dict[str, bool] = {}
        entered: list[str] = []
        decided: str | None = None
        try:
            while True:
                while (
                    decided is None
                    and len(entered) < len(state.branches)
                    and self._has_room(at, state, running)
                ):
                    name = state.branches[len(entered)]
                    entered.append(name)
                    self._advance(at, name, self._branch(at, name), running, over)
                    decided = _decided(state, [name for name in entered if name in over], over)
                if decided is not None or len(over) == len(state.branches):
                    break
                wait, name = min((wait, name) for name, (wait, _) in running.items())
                yield wait
                self._advance(at, name, running.pop(name)[1], running, over)
                decided = _decided(state, [name for name in entered if name in over], over)
            yield from self._ended(at)
        except GraphEnds:
            yield from self._ended(at)
            raise
        finally:
            for _, branch in running.values():
                branch.close()
        return self._joined(at, state, entered, decided)

    def _has_room(self, at: At, state: ParallelState, running: Mapping[str, object]) -> bool:
        if any(not graph or is_below(at.path, graph) for graph in self.closing):
            return False
        return not state.max_concurrent or len(running) < state.max_concurrent

    def _ended(self, at: At) -> Generator[Wait, None, None]:
        if any(is_below(path, at.path) for path in self.flying):
            yield -1, at.path

    def _branch(self, at: At, name: str) -> Generator[Wait, None, Result]:
        self.latest.pop(f"{at.path}/{name}", None)
        branch = At(at.graph, f"{at.path}/{name}", name, at.loop)
        if isinstance(branch.state, TerminalState):
            return Result(failed=branch.state.status == "failure")
        return (yield from self._execute(branch))

    def _advance(
        self,
        at: At,
        name: str,
        branch: Generator[Wait, None, Result],
        running: dict[str, tuple[Wait, Generator[Wait, None, Result]]],
        over: dict[str, bool],
    ) -> None:
        try:
            running[name] = next(branch), branch
        except StopIteration as stop:
            known = at.graph.workflow.states[name]
            continues = isinstance(known, Executable) and known.routing.continue_on_error
            over[name] = stop.value.failed and not continues

    def _joined(self, at: At, state: ParallelState, entered: Sequence[str], decided: str | None) -> Result:
        if decided is None and state.strategy == "any_succeed":
            decided = entered[-1]
        found = {name: self.latest[path] for name in entered if (path := f"{at.path}/{name}") in self.latest}
        any_won = (
            decided is not None and state.strategy == "any_succeed" and not self._lost(at, found, decided)
        )
        if decided is not None and not any_won:
            result = found.get(decided)
            error = f"branch '{decided}' failed" + (f": {result.error}" if result else "")
            return Result(True, error, (result.exit_code if result else 0) or 1)
        outputs = {name: result.output for name, result in found.items()}
        return Result(output=json.dumps(outputs, separators=(",", ":")))

    @staticmethod
    def _lost(at: At, found: Mapping[str, Result], name: str) -> bool:
        known = at.graph.workflow.states[name]
        if isinstance(known, TerminalState):
            return known.status == "failure"
        assert isinstance(known, Executable)
        return found[name].failed and not known.routing.continue_on_error

    # Hooks

    def _hooks(
        self, path: str, hook: str, actions: Sequence[HookAction], *, stop: bool = False
    ) -> Generator[Wait, None, str]:
        """Run them all; with ``stop``, up to the first that fails, whose error it gives."""
        for index, action in enumerate(actions):
            error = ""
            if action.command is not None:
                try:
                    yield from self._process(path)
                except GeneratorExit:
                    self.hooks[path, hook, index, "cancelled"] += 1
                    raise
                place = (path, self.visits[path], self.tries[path])
                code = self.script.hook(place, hook, index).exit_code
                error = f"hook command exited with code {code}: " if code else ""
            self.hooks[path, hook, index, error] += 1
            if error and stop:
                return error
        return ""


def _terminal(state: TerminalState) -> Closing:
    if state.status == "failure":
        message = state.message.source if state.message is not None else ""
        return Closing("failed", message or f"workflow reached terminal failure state: {state.name}", 1)
    return Closing("completed")


def _decided(state: ParallelState, ended: Sequence[str], failed: Mapping[str, bool]) -> str | None:
    """The branch that decides the block, of those that have ended, in the order of their entering."""
    for name in ended:
        if (state.strategy == "all_succeed" and failed[name]) or (
            state.strategy == "any_succeed" and not failed[name]
        ):
            return name
    return None
