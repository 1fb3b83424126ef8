"""What a resumed execution takes over of the journal that it goes back on, so that it can enter in the middle. Pure.

The results that were known when the place was entered, and for every block around it what had been decided for it (items,
limit, index, inputs): nothing of that is evaluated again. A parallel block keeps the branches that completed, also those
that did so later; branches that are blocks and had begun go on from where they were.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from awf.domain.packs import callees
from awf.domain.workflow import CallState, LoopState, ParallelState, State, TerminalState, Workflow
from awf.engine.past import Past
from awf.engine.state import BLOCKS, Activity, ExecutionState, StepResult, is_below
from awf.errors import ResumePointInvalid
from awf.journal.events import BlockKept, LoopIterated, StateEntered, StepReused


class Reentry(Struct, frozen=True):
    """Enter ``path``, beginning at the top with the state ``enter``, after these facts."""

    path: str
    enter: str
    facts: tuple[BlockKept | StepReused, ...]


class _Result(Struct, frozen=True):
    """A result to be taken over, the sub-workflow and (a completed branch) the parallel block that it belongs to."""

    result: StepResult
    kind: str
    sequence: str
    parent: str = ""


class _Target(Struct, frozen=True):
    """What is entered: a state, in the blocks around it (outermost first); ``index`` is the iteration of the innermost."""

    path: str
    name: str
    blocks: tuple[Activity, ...]
    index: int = -1


def reentry(past: Past, seq: int, path: str, workflows: Mapping[str, Workflow], identifier: str) -> Reentry:
    """Enter what began at entry ``seq`` of a journal, or (where nothing did) the state ``path`` of the main graph.

    Raises ResumePointInvalid where the workflows do not have it, or a block around it is no longer what it was.
    """
    plan = _Plan(past, workflows, identifier)
    fact = past.entries[seq - 1].fact if seq <= len(past.entries) else None
    at = past.state_before(seq)
    if isinstance(fact, StateEntered) and fact.path == path:
        target = _Target(path, fact.state, _around(at, fact.parent))
        known = plan.add(target, at, seq, "")
        if fact.kind == "parallel" and isinstance(known, ParallelState):
            plan.add_unfinished(target, seq, known)
    elif isinstance(fact, LoopIterated) and path.startswith(f"{fact.path}[{fact.index}]"):
        loop = at.activities[fact.path]
        blocks = _around(at, fact.path)
        name = path.removeprefix(f"{fact.path}[{fact.index}]").removeprefix("/") or plan.first(blocks, loop)
        target = _Target(f"{fact.path}[{fact.index}]/{name}", name, blocks, fact.index)
        plan.add(target, at, seq, "")
    else:
        target = _Target(path, path, ())
        plan.add(target, at, seq, "")
    enter = target.blocks[0].state if target.blocks else target.name
    return Reentry(target.path, enter, plan.facts())


def _around(state: ExecutionState, path: str) -> tuple[Activity, ...]:
    """The blocks down to a path, outermost first."""
    block = state.activities.get(path)
    return () if block is None else (*reversed(list(state.ancestors(path))), block)


class _Plan(Struct):
    past: Past
    workflows: Mapping[str, Workflow]
    identifier: str
    kept: dict[str, BlockKept] = field(default_factory=dict)
    results: dict[tuple[str, str], _Result] = field(default_factory=dict)
    branches: dict[str, _Result] = field(default_factory=dict)

    def facts(self) -> tuple[BlockKept | StepReused, ...]:
        """Blocks before what is in them; results in the order of their completion."""
        found: list[BlockKept | StepReused] = [self.kept[path] for path in sorted(self.kept, key=len)]
        both = [*self.results.values(), *self.branches.values()]
        unique = {(item.result.order, item.result.path): item for item in both}
        ordered = sorted(unique.values(), key=lambda item: item.result.order)
        return (*found, *(_reused(number, item) for number, item in enumerate(ordered, start=1)))

    def first(self, blocks: tuple[Activity, ...], loop: Activity) -> str:
        """The first step of a loop's body, as the workflow is now."""
        workflow, _ = self._descend(blocks[:-1])
        known = workflow.states.get(loop.state)
        return known.body[0] if isinstance(known, LoopState) else loop.state

    def _descend(self, blocks: tuple[Activity, ...]) -> tuple[Workflow, str]:
        """The workflow and the graph inside blocks."""
        workflow, sequence = self.workflows[self.identifier], ""
        for block in blocks:
            state = _state(workflow, block)
            if isinstance(state, CallState):
                workflow, sequence = self._called(workflow, state, block), block.path
        return workflow, sequence

    def _called(self, caller: Workflow, state: CallState, block: Activity) -> Workflow:
        for name in callees(caller.identifier, state.workflow):
            if name in self.workflows:
                return self.workflows[name]
        raise ResumePointInvalid(
            f"from_step: sub-workflow '{state.workflow}' of '{block.path}' is not there any more"
        )

    def add(self, target: _Target, at: ExecutionState, seq: int, outer: str) -> State:
        """Keep the blocks around what is entered, and the results known there; only below ``outer``, if given."""
        names = [*(block.state for block in target.blocks[1:]), target.name]
        workflow, sequence = self.workflows[self.identifier], ""
        self._add_results(at, workflow, sequence, outer)
        for number, (block, name) in enumerate(zip(target.blocks, names, strict=False)):
            state = _state(workflow, block)
            _check_member(state, block, name)
            inside = not outer or block.path == outer or is_below(block.path, outer)
            if inside:
                innermost = number == len(target.blocks) - 1
                self._keep(block, state, name, target.index if innermost else -1)
            if isinstance(state, CallState):
                workflow, sequence = self._called(workflow, state, block), block.path
                self._add_results(at, workflow, sequence, outer if not inside else "")
            elif isinstance(state, ParallelState) and inside:
                self._add_branches(block, state, name, seq, sequence)
        known = workflow.states.get(target.name)
        if known is None or isinstance(known, TerminalState):
            what = "a terminal" if known is not None else "not a step"
            names = [each for each, one in workflow.states.items() if not isinstance(one, TerminalState)]
            raise ResumePointInvalid(
                f"from_step: '{target.path}': '{target.name}' is {what} of workflow '{workflow.identifier}'; "
                f"its steps are {', '.join(names)}"
            )
        return known

    def add_unfinished(self, target: _Target, seq: int, state: ParallelState) -> None:
        """A parallel block that is entered itself keeps its completed branches, unless it completed."""
        end, completed = self.past.last_end_of(target.path, seq)
        if completed:
            return
        at = self.past.state_before(end)
        block = at.activities.get(target.path)
        if block is not None and block.started is not None and not block.started.refused:
            _, sequence = self._descend(target.blocks)
            self._keep(block, state, "", -1)
            self._add_branches(block, state, "", end, sequence)

    def _keep(self, block: Activity, state: State, name: str, index: int) -> None:
        started = block.started
        assert started is not None
        self.kept[block.path] = BlockKept(
            path=block.path,
            state=block.state,
            kind=block.kind,
            enter=name,
            index=block.index if index < 0 else index,
            items=started.items,
            limit=started.limit,
            left_out=started.left_out,
            branches=state.branches if isinstance(state, ParallelState) else (),
            inputs=started.inputs,
            timeout=started.timeout,
        )

    def _add_results(self, at: ExecutionState, workflow: Workflow, sequence: str, outer: str) -> None:
        known = at.sequences.get(sequence)
        for result in known.results.values() if known is not None else ():
            if outer and result.path != outer and not is_below(result.path, outer):
                continue
            state = workflow.states.get(result.state)
            before = self.results.get((sequence, result.state))
            if state is None or result.cancelled or (before and before.result.order > result.order):
                continue
            self.results[sequence, result.state] = _Result(result, state.kind, sequence)

    def _add_branches(
        self, block: Activity, state: ParallelState, entered: str, seq: int, sequence: str
    ) -> None:
        """Of the branches beside the one that is entered: those that completed are kept, those with something in them
        are entered where they were."""
        end, _ = self.past.end_of(block.path, seq)
        at = self.past.state_before(end)
        for child in at.children(block.path):
            if child.state == entered or child.state not in state.branches:
                continue
            if child.result is not None and child.result.status == "completed":
                workflow = self._workflow_of(sequence, at)
                self._add_results(at, workflow, sequence, child.path)
                self.branches[child.path] = _Result(child.result, child.kind, sequence, block.path)
            elif child.kind in BLOCKS:
                self._add_begun(child, end)
        self._carry(at, block)

    def _workflow_of(self, sequence: str, at: ExecutionState) -> Workflow:
        return self._descend(_around(at, sequence))[0] if sequence else self.workflows[self.identifier]

    def _add_begun(self, child: Activity, end: int) -> None:
        """A branch that had not ended by itself goes on from its innermost open place; where the workflow does not have
        that any more, it starts over."""
        then = Past(self.past.execution, self.past.entries, end - 1)
        place = then.places.get(child.path)
        inner = then.innermost(place) if place is not None else None
        if inner is None or inner is place or inner.again:
            return
        trial = _Plan(self.past, self.workflows, self.identifier)
        at = self.past.state_before(inner.entered)
        try:
            trial.add(
                _Target(inner.path, inner.state, _around(at, inner.parent)), at, inner.entered, child.path
            )
        except ResumePointInvalid:
            return
        self.kept |= trial.kept
        self.branches |= trial.branches
        for key, found in trial.results.items():
            mine = self.results.get(key)
            if mine is None or mine.result.order < found.result.order:
                self.results[key] = found

    def _carry(self, at: ExecutionState, block: Activity) -> None:
        """What an execution before this one had left, and this one has not come to yet."""
        for path, kept in at.kept.items():
            if is_below(path, block.path) and path not in self.kept:
                self.kept[path] = kept.fact
                for result in kept.results.values():
                    self.results[path, result.state] = _Result(result, "step", path)
                for branch in kept.branches:
                    self.branches[branch.path] = _Result(branch, "step", at.sequence_of(path), path)


def _state(workflow: Workflow, block: Activity) -> State:
    """The block in the workflow as it is now."""
    state = workflow.states.get(block.state)
    if state is None:
        raise ResumePointInvalid(
            f"from_step: '{block.state}' ('{block.path}') is not a state of workflow '{workflow.identifier}' any more; "
            f"resume from a state that it has"
        )
    if state.kind != block.kind:
        raise ResumePointInvalid(
            f"from_step: '{block.path}' was {_A[block.kind]} and is {_A.get(state.kind, state.kind)} now; "
            f"resume from '{block.path}' itself"
        )
    return state


_A = {
    "for_each": "a for_each loop",
    "while": "a while loop",
    "parallel": "a parallel block",
    "call_workflow": "a sub-workflow",
    "step": "a step",
    "agent": "an agent",
    "operation": "an operation",
    "approval": "an approval",
    "terminal": "a terminal",
}


def _check_member(state: State, block: Activity, name: str) -> None:
    """Does the block hold that state?"""
    if isinstance(state, LoopState):
        inside, what = state.body, "the body"
    elif isinstance(state, ParallelState):
        inside, what = state.branches, "a branch"
    else:
        return
    if name not in inside:
        raise ResumePointInvalid(
            f"from_step: '{name}' is not in {what} of '{block.path}'; there is {', '.join(inside)}"
            if what == "the body"
            else f"from_step: '{name}' is not {what} of '{block.path}'; there is {', '.join(inside)}"
        )


def _reused(number: int, item: _Result) -> StepReused:
    result = item.result
    return StepReused(
        step=number,
        state=result.state,
        path=result.path,
        attempt=result.attempt,
        exit_code=result.exit_code,
        output=result.output,
        stderr=result.stderr,
        started_at=result.started_at,
        completed_at=result.completed_at,
        response=result.response,
        json=result.json,
        session=result.session,
        usage=result.usage,
        provider=result.provider,
        turns=result.turns,
        status="failed" if result.failed else "completed",
        error=result.error,
        kind=item.kind,
        sequence=item.sequence,
        parent=item.parent,
    )
