"""The pure heart: a stimulus comes in, facts come out.

:class:`Core` holds one execution's state and answers stimuli. Every fact it decides is applied to the state at once
and waits in ``take()`` to be appended; whoever drives the core appends first and acts on what was appended after.
Everything computed (rendered commands, chosen targets, timeouts) is in the facts, so that replay computes nothing.

Rules of routing, in order (workflow language, "Control flow"): transitions, ``continue_on_error``,
``on_success`` / ``on_failure``, else the execution fails naming the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awf.domain.expressions import ExpressionFailure, test
from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded
from awf.domain.scope import Scope
from awf.domain.sealing import Sealer
from awf.domain.templates import TemplateFailure, render
from awf.domain.workflow import InlineFailure, StepState, TerminalState, Workflow
from awf.engine.render import CannotStart, render_step, scope_of
from awf.engine.state import ExecutionState, StepResult, evolve
from awf.engine.stimuli import Cancel, Continue, OutputArrived, Release, StepFinished, Stimulus, World
from awf.journal.events import (
    AnyFact,
    CancelRequested,
    Entry,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    ShellCommand,
    StateEntered,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepStarted,
)

MAX_DEATHS = 3
"""So many engines may die with the same step in flight; then the execution fails."""

CANCELLED_EXIT = 143

LONGEST_COMPLAINT = 4096
"""Characters of stderr that become a step's error."""


class Core:
    """One execution: its state, its pinned workflow, the real values of its inputs."""

    def __init__(
        self, state: ExecutionState, workflow: Workflow, inputs: Mapping[str, Any], sealer: Sealer
    ) -> None:
        self.state = state
        self.workflow = workflow
        self.inputs = inputs
        self._sealer = sealer
        self._decided: list[Entry] = []

    def take(self) -> list[Entry]:
        """The entries decided since the last call, to be appended in this order before anything acts on them."""
        decided, self._decided = self._decided, []
        return decided

    def decide(self, stimulus: Stimulus, world: World) -> None:
        """Answer one stimulus. After a final fact everything is ignored."""
        if self.state.finished:
            return
        match stimulus:
            case OutputArrived():
                self._output(stimulus, world)
            case StepFinished():
                self._finished(stimulus, world)
            case Continue():
                self._continue(stimulus, world)
            case Cancel():
                self._cancel(world)
            case Release():
                self._emit(ExecutionReleased(engine=world.engine), world)

    def _emit(self, fact: AnyFact, world: World) -> None:
        state = self.state
        entry = Entry(state.seq + 1, max(world.now, state.at), fact)
        evolve(state, entry)
        self._decided.append(entry)

    # Taking over

    def _continue(self, stimulus: Continue, world: World) -> None:
        state = self.state
        if state.started:
            self._emit(ExecutionRecovered(engine=world.engine, orderly=state.released), world)
        else:
            self._emit(ExecutionStarted(engine=world.engine), world)
        if state.cancel_requested:
            self._end_cancelled(world)
        elif state.in_flight:
            self._rerun(world)
        elif state.unrouted is not None:
            self._route(state.results[state.unrouted], world)
        elif state.unstarted is not None:
            self._arrive(state.unstarted.state, world)
        else:
            self._begin(stimulus, world)

    def _begin(self, stimulus: Continue, world: World) -> None:
        for fact in stimulus.reused:
            if fact.step not in self.state.reused:
                self._emit(fact, world)
        resumed = self.state.accepted.resumed
        if resumed is None:
            self._enter(self.workflow.initial, "initial", world)
        else:
            self._enter(resumed.from_path, "resume", world)

    def _rerun(self, world: World) -> None:
        for flying in list(self.state.in_flight.values()):
            before = flying.started
            if flying.deaths >= MAX_DEATHS:
                error = (
                    f"step '{before.state}' was running when its engine died, {flying.deaths} times in a row"
                )
                self._end_step(before, Failed(error, exit_code=1), world)
                self._emit(ExecutionFailed(error=error, state=before.state), world)
                return
            attempt = before.attempt + 1
            self._emit(
                StepStarted(
                    step=before.step,
                    state=before.state,
                    path=before.path,
                    attempt=attempt,
                    attempt_id=attempt_id(self.state.execution, before.step, attempt),
                    kind=before.kind,
                    recovered=True,
                    command=before.command,
                    dir=before.dir,
                    env=before.env,
                    timeout=before.timeout,
                    refused=before.refused,
                ),
                world,
            )

    # What running steps report

    def _output(self, stimulus: OutputArrived, world: World) -> None:
        flying = self.state.in_flight.get(stimulus.path)
        if flying is None:
            return
        started = flying.started
        self._emit(
            StepOutput(
                step=started.step,
                path=started.path,
                state=started.state,
                attempt=started.attempt,
                stream=stimulus.stream,
                text=stimulus.text,
                truncated=stimulus.truncated,
            ),
            world,
        )

    def _finished(self, stimulus: StepFinished, world: World) -> None:
        flying = self.state.in_flight.get(stimulus.path)
        if flying is None:
            return
        self._end_step(flying.started, stimulus.outcome, world)
        if self.state.cancel_requested:
            if not self.state.in_flight:
                self._emit(ExecutionCancelled(state=self.state.current), world)
        elif stimulus.hold:
            self._emit(ExecutionReleased(engine=world.engine), world)
        else:
            self._route(self.state.results[stimulus.path], world)

    def _end_step(self, started: StepStarted, outcome: Outcome, world: World) -> None:
        written = outcome.written
        where = {
            "step": started.step,
            "state": started.state,
            "path": started.path,
            "attempt": started.attempt,
            "exit_code": outcome.exit_code,
            "duration": outcome.duration,
            "stdout_bytes": written.stdout_bytes,
            "stderr_bytes": written.stderr_bytes,
            "stdout_tail": written.stdout_tail,
            "stderr_tail": written.stderr_tail,
        }
        match outcome:
            case Succeeded():
                self._emit(StepCompleted(**where), world)  # type: ignore[arg-type]
            case Failed(error=error):
                text = self._sealer.mask(error) or self._complaint(started.path, outcome.exit_code)
                self._emit(StepFailed(error=text, **where), world)  # type: ignore[arg-type]
            case Cancelled():
                self._emit(StepFailed(error="cancelled", **where), world)  # type: ignore[arg-type]

    def _complaint(self, path: str, exit_code: int) -> str:
        """The error of a step that failed by its exit code: the end of what it wrote to stderr, else the code."""
        written = "".join(self.state.in_flight[path].written["stderr"]).strip()
        return written[-LONGEST_COMPLAINT:] or f"exit code {exit_code}"

    # Cancelling

    def _cancel(self, world: World) -> None:
        if not self.state.cancel_requested:
            self._emit(CancelRequested(), world)
        if not self.state.in_flight:
            self._emit(ExecutionCancelled(state=self.state.current), world)

    def _end_cancelled(self, world: World) -> None:
        """The cancel had been asked for when the engine died, and the processes it left are gone by now."""
        for flying in list(self.state.in_flight.values()):
            self._end_step(flying.started, Cancelled(CANCELLED_EXIT), world)
        self._emit(ExecutionCancelled(state=self.state.current), world)

    # Moving through the graph

    def _scope(self, world: World) -> Scope:
        return scope_of(self.state, world, self.inputs)

    def _route(self, result: StepResult, world: World) -> None:
        step = self.workflow.states[result.state]
        assert isinstance(step, StepState)
        routing = step.routing
        failed = result.status == "failed"
        broken = ""
        for index, transition in enumerate(routing.transitions):
            try:
                if transition.when is None or test(transition.when, self._scope(world)):
                    return self._enter(transition.goto, f"transition[{index}]", world)
            except ExpressionFailure as failure:
                broken = f"step '{step.name}': transition {index + 1}: {failure.message}"
                break
        if (not failed or routing.continue_on_error) and not broken and routing.on_success is not None:
            return self._enter(routing.on_success, "on_success", world)
        if failed or broken:
            if isinstance(routing.on_failure, InlineFailure):
                return self._fail_inline(routing.on_failure, step.name, world)
            if routing.on_failure is not None:
                return self._enter(routing.on_failure, "on_failure", world)
            error = broken or f"step '{step.name}' failed: {result.error}"
            return self._fail(error, step.name, world, result.exit_code or 1)
        return self._fail(f"state '{step.name}' succeeded but names no next state", step.name, world, 1)

    def _enter(self, name: str, via: str, world: World) -> None:
        if self.state.transitions >= world.max_transitions:
            error = (
                f"stopped after {world.max_transitions} transitions, about to enter '{name}': the workflow goes round "
                f"in circles, or needs a higher max_transitions setting"
            )
            return self._fail(error, self.state.current, world, 1)
        state = self.workflow.states.get(name)
        if state is None:
            return self._fail(f"state '{name}' does not exist in the workflow", self.state.current, world, 1)
        self._emit(StateEntered(state=name, path=name, kind=state.kind, via=via), world)
        return self._arrive(name, world)

    def _arrive(self, name: str, world: World) -> None:
        state = self.workflow.states[name]
        if isinstance(state, TerminalState):
            self._terminate(state, world)
        else:
            self._start(state, world)

    def _start(self, step: StepState, world: World) -> None:
        number = self.state.next_step
        fact = StepStarted(
            step=number,
            state=step.name,
            path=step.name,
            attempt=1,
            attempt_id=attempt_id(self.state.execution, number, 1),
            kind=step.kind,
        )
        try:
            fact = self._seal(render_step(step, self._scope(world), fact))
        except CannotStart as reason:
            fact = _refused(fact, self._sealer.mask(str(reason)))
        self._emit(fact, world)

    def _seal(self, fact: StepStarted) -> StepStarted:
        """Keep secret values out of the journal: placeholders in what runs, ``***`` in what is shown."""
        seal, command = self._sealer, fact.command
        if not seal or command is None:
            return fact
        script = seal.seal(command.script)
        variables = tuple((name, seal.seal(value)) for name, value in command.variables)
        env = {name: seal.seal(value) for name, value in fact.env.items()}
        directory = seal.seal(fact.dir)
        sealed = script != command.script or variables != command.variables
        display = seal.mask(command.display or command.script) if sealed else command.display
        return StepStarted(
            step=fact.step,
            state=fact.state,
            path=fact.path,
            attempt=fact.attempt,
            attempt_id=fact.attempt_id,
            kind=fact.kind,
            command=ShellCommand(script=script, variables=variables, display=display),
            dir=directory,
            env=env,
            timeout=fact.timeout,
        )

    def _terminate(self, terminal: TerminalState, world: World) -> None:
        message = ""
        if terminal.message is not None:
            try:
                message = render(terminal.message, self._scope(world))
            except TemplateFailure:
                message = terminal.message.source
        if terminal.status == "success":
            code = terminal.exit_code or 0
            fact = ExecutionCompleted(state=terminal.name, exit_code=code, message=self._sealer.mask(message))
            return self._emit(fact, world)
        error = message or f"workflow reached terminal failure state: {terminal.name}"
        code = 1 if terminal.exit_code is None else terminal.exit_code
        return self._fail(error, terminal.name, world, code)

    def _fail_inline(self, failure: InlineFailure, state: str, world: World) -> None:
        try:
            message = render(failure.message, self._scope(world))
        except TemplateFailure:
            message = failure.message.source
        self._fail(message, state, world, failure.status)

    def _fail(self, error: str, state: str, world: World, code: int) -> None:
        self._emit(ExecutionFailed(error=self._sealer.mask(error), state=state, exit_code=code), world)


def attempt_id(execution: str, step: int, attempt: int) -> str:
    """The id of one attempt, exported to its processes as ``AWF_ATTEMPT_ID``; unique, and computed without chance."""
    return f"{execution}.{step}.{attempt}"


def _refused(fact: StepStarted, reason: str) -> StepStarted:
    return StepStarted(
        step=fact.step,
        state=fact.state,
        path=fact.path,
        attempt=fact.attempt,
        attempt_id=fact.attempt_id,
        kind=fact.kind,
        refused=reason,
    )
