"""The pure heart: a stimulus comes in, facts come out.

:class:`Core` answers stimuli for one execution. Every fact it decides holds at once and waits in ``take()`` to be
appended; whoever drives the core appends first and acts on what was appended after. Everything computed (rendered
commands, chosen targets, loop items, delays) is in the facts, so that replay computes nothing.

Where an execution goes on follows from its journal, at every prefix of it:

======================================  ==========================================================
the journal so far                      what comes next
======================================  ==========================================================
nothing entered yet                     ``workflow_start`` hooks, then the first state
a state entered, not started            its ``pre`` hooks, then its start; a terminal takes effect
an attempt in flight                    its outcome; after a crash, itself where it lives, or what ``on_crash`` says
a hook in flight                        its end; after a crash, the hook again
a failed attempt, another to follow     the next attempt when its delay is over
a question to a person                  the answer, or its deadline; then what the answer says
an activity ended                       its ``post`` hooks, then the next state
a block with nothing in it              the next iteration, branch, or state of its graph
a block being ended                     the end of what is in it, then its own
a cancel requested                      the end of everything, then ``execution.cancelled``
a graph with an outcome                 its closing hooks, then the outcome takes effect
======================================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec.structs import replace

from awf.domain.outcomes import Cancelled, Failed, Outcome, Usage
from awf.domain.sealing import Sealer
from awf.domain.timestamps import duration_text
from awf.domain.workflow import Workflow
from awf.engine import conversations, waiting
from awf.engine.agents import AgentStep, masked_block
from awf.engine.approvals import Approval
from awf.engine.blocks import Block, Ending, Leaf
from awf.engine.budgets import SPENT_EXIT, TIMEOUT_EXIT, priced
from awf.engine.calls import Call
from awf.engine.crashes import after_crash
from awf.engine.endings import ended_fact
from awf.engine.flow import Flow
from awf.engine.loops import Loop
from awf.engine.parallel import Parallel
from awf.engine.render import OperationStep, ShellStep
from awf.engine.state import BLOCKS, Activity, ExecutionState
from awf.engine.stimuli import (
    Cancel,
    Continue,
    HookEnded,
    Idle,
    Leave,
    LimitDue,
    MessageArrived,
    OutputArrived,
    Release,
    Respond,
    StepFinished,
    Stimulus,
    TimerFired,
    World,
)
from awf.journal.events import (
    AgentMessage,
    AttemptSpent,
    CancelRequested,
    Entry,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    StepAdopted,
    StepCompleted,
    StepFailed,
    StepOutput,
)

_LEAVES: Mapping[str, Leaf] = {"step": ShellStep(), "agent": AgentStep(), "operation": OperationStep()}


class Core:
    """One execution: its state, its pinned workflows by identifier, the real values of its inputs."""

    def __init__(
        self,
        state: ExecutionState,
        workflows: Mapping[str, Workflow],
        inputs: Mapping[str, Any],
        sealer: Sealer,
    ) -> None:
        loop = Loop()
        blocks: dict[str, Block] = {
            "for_each": loop,
            "while": loop,
            "parallel": Parallel(),
            "call_workflow": Call(),
        }
        self._flow = Flow(state, workflows, inputs, sealer, blocks, _LEAVES, Approval())
        self.state = state
        self.inputs = inputs

    def identity(self, path: str) -> tuple[str, Mapping[str, Any]]:
        """The workflow that an activity at a path (or a sequence) belongs to, and the real values of its inputs."""
        return self._flow.identity(path)

    def take(self) -> list[Entry]:
        """The entries decided since the last call, to be appended in this order before anything acts on them."""
        decided, self._flow.decided = self._flow.decided, []
        return decided

    def decide(self, stimulus: Stimulus, world: World) -> None:
        """Answer one stimulus. After a final fact everything is ignored; what has been let go only continues. Where the
        clock has been set back, no time has passed since the last entry."""
        self._flow.world = world if world.now >= self.state.at else replace(world, now=self.state.at)
        if self.state.finished or (
            self.state.released and not isinstance(stimulus, Continue | Cancel | Respond)
        ):
            return
        match stimulus:
            case OutputArrived():
                self._output(stimulus)
            case MessageArrived():
                self._message(stimulus)
            case StepFinished():
                self._finished(stimulus)
            case HookEnded():
                self._hook_ended(stimulus)
            case TimerFired():
                self._timer(stimulus)
            case Continue():
                self._continue(stimulus)
            case LimitDue():
                self._flow.budgets.ask()
            case Respond():
                waiting.respond(self._flow, stimulus)
            case Idle():
                waiting.park(self._flow)
            case Cancel():
                self._cancel()
            case Leave():
                self._leave()
            case Release(spent=spent):
                self._flow.emit(ExecutionReleased(engine=world.engine, spent=self._cut_short(spent)))
        self._flow.settle_down()

    # Taking over

    def _continue(self, stimulus: Continue) -> None:
        state, flow = self.state, self._flow
        engine, orderly = flow.world.engine, state.released
        if orderly and state.asking and stimulus.passed > flow.world.now:
            flow.world = replace(flow.world, now=stimulus.passed)
        if state.started:
            spent = self._cut_short(stimulus.spent)
            flow.emit(ExecutionRecovered(engine=engine, orderly=orderly, spent=spent))
        else:
            flow.emit(ExecutionStarted(engine=engine, before=stimulus.before, talk=stimulus.talk))
        if not state.begun:
            for fact in stimulus.prelude[state.taken :]:
                flow.emit(fact)
        if state.cancel_requested:
            for activity in state.flying():
                self._end_step(activity, Cancelled())
            for hook in list(state.hooks.values()):
                if hook.hook == "workflow_cancel":
                    flow.hooks.repeat(hook)
                else:
                    flow.hooks.ended(hook.path, Cancelled(), "")
            return flow.closing.cancel_rest()
        for hook in list(state.hooks.values()):
            around = flow.ending_around(hook.path)
            if around is None or around is state.sequences.get(hook.path):
                flow.hooks.repeat(hook)
            else:
                flow.hooks.ended(hook.path, Cancelled(), "")
        for activity in state.flying():
            if self._adopt(activity, stimulus.adoptable):
                continue
            if after_crash(flow, activity, orderly=orderly):
                return None
        return self._go_on()

    def _cut_short(self, spent: Mapping[str, Usage]) -> tuple[AttemptSpent, ...]:
        """What attempts in flight had cost that were ended together with their engine."""
        found = []
        for path, usage in spent.items():
            activity = self.state.activities.get(path)
            cost = None if activity is None else priced(self._flow, activity, usage)
            if activity is not None and activity.started is not None and cost is not None:
                found.append(AttemptSpent(step=activity.started.step, path=path, usage=cost))
        return tuple(found)

    def adoptable(self) -> list[str]:
        """The ids of the attempts in flight that are to be taken over where they still can be."""
        return [
            activity.started.attempt_id
            for activity in self.state.flying()
            if activity.started is not None
            and _is_detached(activity)
            and not activity.stopped
            and not self._flow.is_ending(activity)
        ]

    def _adopt(self, activity: Activity, adoptable: Collection[str]) -> bool:
        """Go on with the attempt that was in flight, if it can be; this comes before what ``on_crash`` says."""
        started = activity.started
        assert started is not None
        if started.attempt_id not in adoptable or self._flow.is_ending(activity):
            return False
        self._flow.emit(
            StepAdopted(
                step=started.step,
                state=started.state,
                path=started.path,
                attempt=started.attempt,
                attempt_id=started.attempt_id,
                engine=self._flow.world.engine,
            )
        )
        return True

    def _go_on(self) -> None:
        """Whatever the journal's end left undone, innermost first. Waiting steps and running ones are left alone."""
        state, flow = self.state, self._flow
        for activity in reversed(list(state.activities.values())):
            if state.finished or state.activities.get(activity.path) is not activity or self._busy(activity):
                continue
            around = flow.ending_around(activity.path)
            if around is not None:
                flow.go_on_ending(around)
            elif activity.result is not None:
                if not self._was_left(activity):
                    flow.settle(activity)
            elif activity.answer is not None:
                waiting.act(flow, activity)
            elif activity.ending is not None:
                flow.collapse(activity)
            elif activity.started is None:
                flow.arrive(activity)
            elif activity.processless and activity.flying:
                flow.proceed(activity)
            flow.settle_down()
        root = state.sequences[""]
        if not state.finished and not state.hooks:
            if root.closing is not None:
                flow.closing.go_on("")
            elif not root.entered:
                flow.begin_sequence("")

    def _busy(self, activity: Activity) -> bool:
        """Does something else move this: a process, a hook, a delay, a person?"""
        if activity.path in self.state.hooks or activity.waits or activity.asks:
            return True
        return activity.flying and not activity.processless

    def _was_left(self, activity: Activity) -> bool:
        """A branch that ended stays until its block ends; nothing more is to be done for it while others run."""
        parent = self.state.activities.get(activity.parent)
        return parent is not None and parent.kind == "parallel" and self._flow.is_over(activity)

    # What running steps report

    def _output(self, stimulus: OutputArrived) -> None:
        activity = self.state.activities.get(stimulus.path)
        if activity is None or not activity.flying or activity.started is None:
            return
        started = activity.started
        self._flow.emit(
            StepOutput(
                step=started.step,
                path=started.path,
                state=started.state,
                attempt=started.attempt,
                stream=stimulus.stream,
                text=stimulus.text,
                truncated=stimulus.truncated,
            )
        )

    def _message(self, stimulus: MessageArrived) -> None:
        activity = self.state.activities.get(stimulus.path)
        if activity is None or not activity.flying or activity.started is None:
            return
        started = activity.started
        self._flow.emit(
            AgentMessage(
                step=started.step,
                path=started.path,
                state=started.state,
                attempt=started.attempt,
                role=stimulus.role,
                blocks=tuple(masked_block(block, self._flow.sealer) for block in stimulus.blocks),
            )
        )

    def _finished(self, stimulus: StepFinished) -> None:
        state, flow = self.state, self._flow
        activity = state.activities.get(stimulus.path)
        if activity is None or not activity.flying or activity.processless:
            return
        fact = ended_fact(flow, activity, stimulus.outcome)
        failed = stimulus.outcome if isinstance(stimulus.outcome, Failed) else Failed("")
        if isinstance(fact, StepFailed) and (why := flow.budgets.ended(activity, fact.exit_code)):
            fact = replace(fact, error=why, exit_code=SPENT_EXIT)
            failed = Failed(why, permanent=True)
        if state.cancel_requested:
            flow.emit(fact)
            flow.closing.cancel_rest()
        elif isinstance(fact, StepFailed) and self._is_held(activity, failed):
            flow.again(fact, 0.0, held=True)
            if stimulus.hold:
                self._leave()
        elif isinstance(fact, StepFailed) and failed.no_session and not flow.is_ending(activity):
            flow.again(fact, 0.0, no_session=True)
            if stimulus.hold:
                self._leave()
        elif isinstance(fact, StepCompleted) and conversations.goes_on(flow, activity):
            conversations.turned(flow, activity, fact)
            if stimulus.hold:
                self._leave()
        elif stimulus.hold:
            flow.emit(fact)
            self._leave()
        elif isinstance(fact, StepFailed):
            flow.failed(activity, fact, failed.retry_after, permanent=failed.permanent)
        else:
            flow.emit(fact)
            flow.settle(activity)

    def afford(self, path: str, usage: Usage) -> bool:
        """May an agent's attempt in flight that has cost this by now go on?"""
        activity = self.state.activities.get(path)
        return activity is None or self._flow.budgets.afford(activity, usage)

    def _is_held(self, activity: Activity, failed: Failed) -> bool:
        """Has it ended its attempt because of a budget that will hold the next one?"""
        usage = failed.product.usage if failed.product is not None else None
        if not failed.held or usage is None:
            return False
        return not self._flow.is_ending(activity) and not self._flow.budgets.afford(activity, usage)

    def due_in(self, world: World) -> float | None:
        """Seconds until LimitDue; None: never, as it is now."""
        self._flow.world = world if world.now >= self.state.at else replace(world, now=self.state.at)
        return self._flow.budgets.due_in()

    def _leave(self) -> None:
        """Let the execution go, unless something runs that the engine would take along."""
        flying = [activity for activity in self.state.flying() if not _is_detached(activity)]
        if not flying and not self.state.hooks and not self.state.cancel_requested:
            self._flow.emit(ExecutionReleased(engine=self._flow.world.engine))

    def _end_step(self, activity: Activity, outcome: Outcome) -> None:
        self._flow.emit(ended_fact(self._flow, activity, outcome))

    def _hook_ended(self, stimulus: HookEnded) -> None:
        state, flow = self.state, self._flow
        fact = flow.hooks.ended(stimulus.path, stimulus.outcome, stimulus.output)
        if fact is None:
            return None
        if state.cancel_requested:
            return flow.closing.cancel_rest()
        around = flow.ending_around(fact.path)
        if around is not None:
            return flow.go_on_ending(around)
        block = state.activities.get(fact.path)
        if block is not None and block.ending is not None:
            return flow.collapse(block)
        if fact.hook == "workflow_start":
            return flow.begin_sequence(fact.path)
        if fact.hook in {"pre", "post"}:
            activity = state.activities[fact.path]
            return flow.arrive(activity) if fact.hook == "pre" else flow.settle(activity)
        return flow.closing.go_on(fact.path)

    def _timer(self, stimulus: TimerFired) -> None:
        activity = self.state.activities.get(stimulus.path)
        started = activity.started if activity is not None else None
        if activity is None or started is None:
            return
        if (started.step, started.attempt) != (stimulus.step, stimulus.attempt):
            return
        if self.state.cancel_requested or self._flow.is_ending(activity):
            return
        if activity.asks:
            waiting.expire(self._flow, activity)
        elif activity.waits:
            self._flow.repeat(activity, recovered=False)
        elif activity.kind in BLOCKS and activity.flying and activity.ending is None:
            error = f"timeout exceeded ({duration_text(started.timeout or 0)})"
            self._flow.end_block(activity, Ending(failed=True, error=error, exit_code=TIMEOUT_EXIT))

    # Cancelling

    def _cancel(self) -> None:
        if not self.state.cancel_requested:
            self._flow.emit(CancelRequested())
            self._flow.closing.cancel_rest()


def _is_detached(activity: Activity) -> bool:
    """Does the attempt in flight go on when its engine ends?"""
    return activity.started is not None and activity.started.detach
