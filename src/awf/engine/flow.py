"""How control moves: entering states, ending them, choosing what comes next. Pure.

:class:`Flow` holds one execution's state and emits facts. What a block does with its children (the next iteration, the
next branch) is the block's own affair, in ``loops.py``, ``parallel.py``, ``calls.py``: see :class:`Block`. The life of an
activity, each arrow a fact or several::

    entered ─► pre hooks ─► started ─► (output) ─► completed ─► post hooks ─► routed ─► the parent goes on
                              ▲                      failed ──┤
                              └── retrying (a delay) ◄────────┘

Rules of routing, in order (workflow language, "Control flow"): transitions, ``continue_on_error``,
``on_success`` / ``on_failure``, else the failure is the parent's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from awf.domain.sealing import Sealer
from awf.domain.workflow import TerminalState, Workflow
from awf.engine.blocks import Block, Ending, Leaf, Processless, Verdict
from awf.engine.budgets import Budgets
from awf.engine.closing import Closing
from awf.engine.evolve import evolve
from awf.engine.hooks import Hooks
from awf.engine.render import CannotStart, render_timeout
from awf.engine.retry import retry_delay
from awf.engine.route import verdict_of
from awf.engine.state import CANCELLED, PROCESSLESS, Activity, ExecutionState, Sequence
from awf.engine.talks import question_again
from awf.engine.view import View
from awf.journal.events import (
    AnyFact,
    BlockEnding,
    BlockKept,
    Entry,
    StateEntered,
    StepCompleted,
    StepFailed,
    StepRetrying,
    StepStarted,
    WorkflowClosing,
)

CANCELLED_EXIT = 143

LONGEST_WAIT = 86_400.0
"""Seconds for which a next attempt is put off at most, because a service wants it."""


class Flow(View):
    """Moves one execution."""

    def __init__(
        self,
        state: ExecutionState,
        workflows: Mapping[str, Workflow],
        inputs: Mapping[str, Any],
        sealer: Sealer,
        blocks: Mapping[str, Block],
        leaves: Mapping[str, Leaf],
        approval: Processless,
    ) -> None:
        super().__init__(state, workflows, inputs, sealer)
        self.blocks = blocks
        self.processless: Mapping[str, Processless] = {**blocks, "approval": approval}
        self.leaves = leaves
        self.decided: list[Entry] = []
        self._due: list[Activity] = []
        self.hooks = Hooks(self)
        self.closing = Closing(self)
        self.budgets = Budgets(self)

    def emit(self, fact: AnyFact) -> None:
        """Decide a fact: it holds from here on."""
        state = self.state
        entry = Entry(state.seq + 1, max(self.world.now, state.at), fact)
        evolve(state, entry)
        self.decided.append(entry)

    # Going on without recursion, however many states follow one another with no process between them

    def later(self, activity: Activity) -> None:
        """Go on with what has been started and has no process, or with what has ended, before ``settle_down`` returns. The last
        one first: what an activity sets off comes before what was to come after it."""
        self._due.append(activity)

    def settle_down(self) -> None:
        """Go on until only processes, hooks and delays can."""
        while self._due:
            activity = self._due.pop()
            state = self.state
            if (
                state.finished
                or state.cancel_requested
                or state.activities.get(activity.path) is not activity
            ):
                continue
            around = self.ending_around(activity.path)
            if around is not None:
                self.go_on_ending(around)
            elif self.is_over(activity):
                self.leave(activity)
            elif activity.flying and activity.ending is None:
                self.proceed(activity)

    # Entering and starting

    def enter(self, parent: str, path: str, name: str, via: str, *, counted: bool = False) -> None:
        """Enter a state. What cannot be entered fails the graph that it belongs to."""
        sequence = self._sequence_in(parent)
        limit = self.world.max_transitions
        if counted and self.state.transitions >= limit:
            error = (
                f"stopped after {limit} transitions, about to enter '{name}': the workflow goes round in circles, or "
                f"needs a higher max_transitions setting"
            )
            return self.closing.fail("", Verdict(failed=True, error=error, exit_code=1), self.state.current)
        known = self.workflow_of(sequence).states.get(name)
        if known is None:
            error = f"state '{name}' does not exist in the workflow"
            return self.closing.fail(sequence, Verdict(failed=True, error=error, exit_code=1), name)
        self.emit(
            StateEntered(state=name, path=path, kind=known.kind, via=via, parent=parent, counted=counted)
        )
        return self.arrive(self.state.activities[path])

    def _sequence_in(self, parent: str) -> str:
        if not parent:
            return ""
        block = self.state.activities[parent]
        return parent if block.kind == "call_workflow" else self.state.sequence_of(parent)

    def arrive(self, activity: Activity) -> None:
        """Begin what has been entered: a terminal takes effect, anything else runs its ``pre`` hooks and starts."""
        known = self.definition(activity)
        if isinstance(known, TerminalState):
            return self._terminate(activity, known)
        if self.hooks.run(activity.path, "pre", known.hooks.pre, activity.hooks_done):
            return self.start(activity)
        return None

    def start(self, activity: Activity, attempt: int = 1) -> None:
        """Start an attempt. What cannot be rendered starts as refused, and so fails."""
        before = activity.started
        number = before.step if before else self.state.next_step
        known = self.definition(activity)
        assert not isinstance(known, TerminalState)
        fact = StepStarted(
            step=number,
            state=activity.state,
            path=activity.path,
            attempt=attempt,
            attempt_id=attempt_id(self.state.execution, number, attempt),
            kind=activity.kind,
        )
        kept = self.state.kept.get(activity.path)
        if kept is not None:
            self.emit(as_kept(fact, kept.fact))
            return self.later(activity)
        planner = self.processless.get(activity.kind) or self.leaves[activity.kind]
        try:
            fact = planner.plan(self, activity, known, fact)
            fact = changed(
                fact, timeout=render_timeout(known.timeout, lambda timeout: self.text(timeout, activity.path))
            )
        except CannotStart as reason:
            fact = changed(fact, refused=self.sealer.mask(str(reason)))
        return self._launch(activity, fact)

    def _launch(self, activity: Activity, fact: StepStarted) -> None:
        """Start an attempt, unless a budget that it would spend of is used up."""
        if activity.kind not in PROCESSLESS and not fact.refused and not fact.asks:
            fact = self.budgets.checked(activity, fact)
        self.emit(fact)
        if activity.processless:
            self.later(activity)

    def repeat(self, activity: Activity, *, recovered: bool) -> None:
        """Start the next attempt of what was rendered before."""
        assert activity.started is not None
        self.next_attempt(activity, changed(activity.started, recovered=recovered))

    def next_attempt(self, activity: Activity, fact: StepStarted) -> None:
        """Start an attempt after the one that this fact started, otherwise as it says."""
        attempt = fact.attempt + 1
        name = attempt_id(self.state.execution, fact.step, attempt)
        self._launch(activity, changed(fact, attempt=attempt, attempt_id=name, held=None, talk=None))

    def proceed(self, activity: Activity) -> None:
        """Let what has been started and has no process go on."""
        started = activity.started
        assert started is not None
        if started.held is not None:
            self.budgets.judge(activity, started.held)
        elif started.talk is not None and started.asks:
            self.emit(question_again(activity, started.talk))
        elif started.refused:
            self.finish_block(
                activity, Ending(failed=True, error=started.refused, exit_code=126, permanent=True)
            )
        else:
            self.processless[activity.kind].proceed(self, activity, self.definition(activity))

    # Ending

    def finish_block(self, activity: Activity, ending: Ending) -> None:
        """A block has its outcome."""
        started = activity.started
        assert started is not None
        duration = max(0.0, (self.world.now - activity.attempt_at) / 1_000_000)
        if ending.failed:
            failed = StepFailed(
                step=started.step,
                state=started.state,
                path=started.path,
                attempt=started.attempt,
                exit_code=ending.exit_code,
                error=self.sealer.mask(ending.error),
                duration=duration,
                output=ending.output,
            )
            return self.failed(activity, failed, permanent=ending.permanent)
        self.emit(
            StepCompleted(
                step=started.step,
                state=started.state,
                path=started.path,
                attempt=started.attempt,
                duration=duration,
                output=self.sealer.mask(ending.output),
                response=ending.response,
                goto=ending.goto,
                note=ending.note,
            )
        )
        return self.settle(activity)

    def failed(
        self, activity: Activity, fact: StepFailed, wait: float | None = None, *, permanent: bool = False
    ) -> None:
        """An attempt failed: another one follows (after ``wait`` seconds at least), or the activity has failed;
        ``permanent``: in any case."""
        known = self.definition(activity)
        assert not isinstance(known, TerminalState)
        delay = retry_delay(known.retry, activity.tries + 1, fact.exit_code, self.world.chance)
        if delay is None or permanent or self.is_ending(activity):
            self.emit(fact)
            return self.settle(activity)
        return self.again(fact, max(delay, min(wait or 0.0, LONGEST_WAIT)))

    def again(self, fact: StepFailed, delay: float, *, held: bool = False, no_session: bool = False) -> None:
        """Another attempt follows the one that has ended so."""
        self.emit(
            StepRetrying(
                step=fact.step,
                state=fact.state,
                path=fact.path,
                attempt=fact.attempt,
                exit_code=fact.exit_code,
                error=fact.error,
                delay=delay,
                usage=fact.usage,
                provider=fact.provider,
                held=held,
                no_session=no_session,
            )
        )

    def ending_around(self, path: str) -> Activity | Sequence | None:
        """The outermost block around an activity that is being ended, or the graph that has its outcome already."""
        root = self.state.sequences[""]
        if root.closing is not None:
            return root
        found: Activity | Sequence | None = None
        for block in self.state.ancestors(path):
            sequence = self.state.sequences.get(block.path)
            if sequence is not None and sequence.closing is not None:
                found = sequence
            if block.ending is not None:
                found = block
        return found

    def is_ending(self, activity: Activity) -> bool:
        """Is this being ended, by a cancel or by something around it?"""
        return self.state.cancel_requested or self.ending_around(activity.path) is not None

    def settle(self, activity: Activity) -> None:
        """What has ended runs its ``post`` hooks, then is routed. Inside something that is being ended, neither."""
        if self.state.cancel_requested:
            return None
        around = self.ending_around(activity.path)
        if around is not None:
            return self.go_on_ending(around)
        known = self.definition(activity)
        assert not isinstance(known, TerminalState)
        if self.hooks.run(activity.path, "post", known.hooks.post, activity.hooks_done):
            self.later(activity)
        return None

    def go_on_ending(self, around: Activity | Sequence) -> None:
        """Something in what is being ended is over."""
        if isinstance(around, Activity):
            self.collapse(around)
        else:
            self.closing.go_on(around.path)

    def leave(self, activity: Activity) -> None:
        """Route what has ended, and let its parent go on."""
        verdict = verdict_of(self, activity)
        parent = self.state.activities.get(activity.parent)
        if verdict.final and (parent is None or parent.kind != "parallel"):
            return self.closing.fail(self.state.sequence_of(activity.path), verdict, activity.state)
        if parent is None or parent.kind == "call_workflow":
            return self._move(activity.parent, activity, verdict)
        return self.blocks[parent.kind].child_left(self, parent, self.definition(parent), activity, verdict)

    def end_block(self, activity: Activity, ending: Ending) -> None:
        """End a block that still has something running: end that first."""
        if activity.ending is None:
            self.emit(
                BlockEnding(
                    path=activity.path, failed=ending.failed, error=ending.error, exit_code=ending.exit_code
                )
            )
        self.collapse(activity)

    def collapse(self, block: Activity) -> None:
        """Finish a block that is being ended, once no process is left in it."""
        fact = block.ending
        path = block.path
        if fact is None or self.state.flying(path) or self.state.hooks_below(path):
            return
        self.cancel_blocks(path)
        ending = Ending(fact.failed, fact.error, fact.exit_code)
        if not fact.failed and block.kind == "parallel":
            ending = self.blocks[block.kind].outcome(self, block)
        self.finish_block(block, ending)

    def cancel_blocks(self, path: str) -> None:
        """Every started block and every waiting step below a path ends as cancelled, innermost first."""
        for activity in reversed(self.state.below(path)):
            if activity.started is not None and activity.result is None:
                self.emit(StepFailed(**activity.place, exit_code=CANCELLED_EXIT, error=CANCELLED))

    # Moving through a graph

    def _move(self, sequence: str, child: Activity, verdict: Verdict) -> None:
        """The next state of a graph."""
        if verdict.target:
            path = f"{sequence}/{verdict.target}" if sequence else verdict.target
            # A sub-workflow may be called in every iteration of a long loop: of its own moves, those in circles count.
            counted = not sequence or verdict.target in self.state.sequences[sequence].results
            self.enter(sequence, path, verdict.target, verdict.via, counted=counted)
        else:
            self.closing.fail(sequence, verdict, child.state)

    def begin_sequence(self, path: str) -> None:
        """Run the ``workflow_start`` hooks of a graph, then enter its first state."""
        sequence, workflow = self.state.sequences[path], self.workflow_of(path)
        if not sequence.start_error and not self.hooks.run(
            path, "workflow_start", workflow.hooks.start, sequence.hooks_done
        ):
            return None
        if sequence.start_error:
            error = f"workflow_start hook failed: {sequence.start_error}"
            return self.closing.fail(path, Verdict(failed=True, error=error, exit_code=1), self.state.current)
        resumed, kept = self.state.accepted.resumed, self.state.kept.get(path)
        name, via = workflow.initial, "initial"
        if path and kept is not None:
            name, via = kept.fact.enter, "resume"
        elif not path and resumed is not None:
            name, via = resumed.enter or resumed.from_path, "resume"
        return self.enter(path, f"{path}/{name}" if path else name, name, via)

    def _terminate(self, activity: Activity, terminal: TerminalState) -> None:
        parent = self.state.activities.get(activity.parent)
        if parent is not None and parent.kind == "parallel":
            return self.later(parent)
        sequence = self.state.sequence_of(activity.path)
        message = ""
        if terminal.message is not None:
            message = self.render_or_source(terminal.message, activity.path)
        failed = terminal.status == "failure"
        error = message or f"workflow reached terminal failure state: {terminal.name}"
        code = (1 if failed else 0) if terminal.exit_code is None else terminal.exit_code
        if failed:
            return self.closing.fail(
                sequence, Verdict(failed=True, error=error, exit_code=code), terminal.name
            )
        closing = WorkflowClosing(
            path=sequence,
            status="completed",
            state=terminal.name,
            exit_code=code,
            message=self.sealer.mask(message),
        )
        return self.closing.close(closing)


def attempt_id(execution: str, step: int, attempt: int) -> str:
    """The id of one attempt, exported to its processes as ``AWF_ATTEMPT_ID``; unique, and computed without chance."""
    return f"{execution}.{step}.{attempt}"


def execution_of(attempt: str) -> str:
    """The execution that an attempt's id belongs to."""
    return attempt.partition(".")[0]


def as_kept(fact: StepStarted, kept: BlockKept) -> StepStarted:
    """The start of a block that is entered again: what was decided for it holds."""
    return changed(
        fact,
        items=kept.items,
        limit=kept.limit,
        left_out=kept.left_out,
        branches=kept.branches,
        inputs=kept.inputs,
        timeout=kept.timeout,
    )


def changed(fact: StepStarted, **fields: Any) -> StepStarted:
    """The fact with other values."""
    return msgspec.structs.replace(fact, **fields)
