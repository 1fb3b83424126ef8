"""The state of an execution as a fold over its journal.

``evolve`` applies one entry. It evaluates nothing: no template, expression, clock, environment or chance, so the same
journal gives the same state under any version of the code and in any surroundings. The state is changed in place and
costs O(1) per entry, however long the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from awf.domain.outcomes import Usage
from awf.engine.state import (
    CONTINUE,
    Activity,
    ExecutionState,
    Kept,
    Question,
    Sequence,
    StepResult,
    is_below,
)
from awf.errors import ReplayDiverged
from awf.journal.events import (
    AgentMessage,
    AgentTurn,
    AnyFact,
    AttemptSpent,
    BlockEnding,
    BlockKept,
    CancelRequested,
    Entry,
    ExecutionAccepted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    HookFinished,
    HookStarted,
    InputReceived,
    InputRequired,
    LoopIterated,
    StateEntered,
    StepAdopted,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepRetrying,
    StepReused,
    StepStarted,
    WorkflowClosing,
)
from awf.journal.messages import Message, ToolResult, ToolUse, Turn
from awf.journal.text import whole_text

ANOTHER_SESSION = "the agent's session is gone: it has another one, and is told what was said before"


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
    if state.asking or state.idle_since is not None:
        _count_idle(state)


def _count_idle(state: ExecutionState) -> None:
    """The time in which everything waits for people is not spent."""
    idle = (
        bool(state.asking)
        and not state.hooks
        and not any(each.waits or each.runs for each in state.activities.values())
    )
    if idle and state.idle_since is None:
        state.idle_since = state.at
    elif not idle and state.idle_since is not None:
        state.idle += state.at - state.idle_since
        state.idle_since = None


def _apply(state: ExecutionState, entry: Entry, fact: AnyFact) -> None:
    match fact:
        case StateEntered():
            _enter(state, fact)
        case StepStarted():
            _start(state, entry, fact)
        case StepAdopted():
            # That engine died, but this attempt did not.
            adopted = _known(state, entry, fact)
            adopted.deaths = max(0, adopted.deaths - 1)
        case StepOutput():
            _write(state, entry, fact)
        case AgentMessage():
            _tell(_known(state, entry, fact), fact)
        case StepCompleted() | StepFailed():
            _end(state, entry, fact)
        case StepRetrying():
            _retry(state, entry, fact)
        case InputRequired():
            _ask(state, entry, fact)
        case InputReceived():
            _answer(state, entry, fact)
        case StepReused():
            _reuse(state, entry, fact)
        case BlockKept():
            state.taken += 1
            state.kept[fact.path] = Kept(fact)
        case LoopIterated():
            # What ended the iteration before is left with it, or a crash here would route it once more.
            _drop_below(state, fact.path)
            _activity(state, entry, fact.path).index = fact.index
        case BlockEnding():
            _activity(state, entry, fact.path).ending = fact
        case HookStarted():
            state.hooks[fact.path] = fact
        case HookFinished():
            _hook_finished(state, entry, fact)
        case WorkflowClosing():
            sequence = state.sequences[fact.path]
            sequence.closing, sequence.hooks_done = fact, 0
        case _:
            _apply_to_execution(state, entry, fact)


def _apply_to_execution(state: ExecutionState, entry: Entry, fact: AnyFact) -> None:
    match fact:
        case ExecutionStarted():
            state.status, state.started, state.released = "running", True, False
            state.started_at = entry.at
            state.before = {before.path: before for before in fact.before}
            state.raised = dict(state.before[""].raised) if "" in state.before else {}
            state.talk = fact.talk
        case ExecutionRecovered():
            if not fact.orderly:
                for activity in state.flying():
                    activity.deaths += 1
            state.status, state.released = "running", False
            _cut_short(state, fact.spent)
        case ExecutionReleased():
            state.status, state.released = "running" if fact.parked else "pending", True
            _cut_short(state, fact.spent)
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
        case _:
            raise ReplayDiverged(
                f"execution {state.execution}, entry {entry.seq}: {type(fact).__name__} has no effect"
            )


def _enter(state: ExecutionState, fact: StateEntered) -> None:
    parent = state.activities.get(fact.parent)
    if parent is None or parent.kind != "parallel":
        # A graph and a loop have one activity at a time: entering the next leaves the one before.
        for left in state.children(fact.parent):
            if left.result is not None:
                del state.activities[left.path]
    if parent is None or parent.kind == "call_workflow":
        state.sequences[fact.parent].entered = True
    state.transitions += fact.counted
    before = state.before.pop(fact.path, None)
    raised = {} if before is None else dict(before.raised)
    talk = None
    if state.talk is not None and state.talk.path == fact.path:
        talk, state.talk = state.talk, None
    state.activities[fact.path] = Activity(
        fact.path, fact.state, fact.kind, fact.parent, before=before, raised=raised, talk=talk
    )
    state.current = fact.path
    kept = state.kept.get(fact.parent)
    if kept is not None and kept.fact.enter == fact.state:
        del state.kept[fact.parent]


def _start(state: ExecutionState, entry: Entry, fact: StepStarted) -> None:
    activity = _activity(state, entry, fact.path)
    if activity.state != fact.state or (activity.started and activity.started.step != fact.step):
        raise _diverged(state, entry, activity, fact.step, fact.state)
    if activity.started is None:
        activity.first_started_at = entry.at
        state.next_step = max(state.next_step, fact.step + 1)
        if fact.talk is None:
            activity.turns, activity.talk = _continued(state, fact), None
            activity.opening = fact.agent.prompt if fact.agent is not None else ""
        else:
            talk = fact.talk
            activity.turns, activity.answers, activity.opening = talk.turns, talk.answers, talk.opening
            activity.turn = AgentTurn(
                output=talk.turns[-1].text, json=talk.json, session=talk.session, provider=talk.provider
            )
        activity.idle_before = state.idle
    activity.started, activity.flying, activity.retry_at = fact, True, None
    activity.question = activity.answer = None
    state.asking.discard(fact.path)
    activity.attempt_at, activity.began = entry.at, entry.seq
    activity.index, activity.ending, activity.hooks_done = -1, None, 0
    activity.written, activity.cut = {"stdout": [], "stderr": []}, set()
    activity.messages, activity.carried, activity.called = 0, activity.carried + activity.called, ()
    if fact.attempt > 1:
        _forget_kept(state, fact.path)
    kept = state.kept.get(fact.path)
    if fact.kind == "call_workflow":
        state.sequences[fact.path] = Sequence(fact.path, results=dict(kept.results) if kept else {})
    if fact.kind == "parallel" and kept is not None:
        del state.kept[fact.path]
        for branch in kept.branches:
            state.activities[branch.path] = Activity(
                branch.path, branch.state, "step", fact.path, result=branch
            )


def _write(state: ExecutionState, entry: Entry, fact: StepOutput) -> None:
    activity = _known(state, entry, fact)
    activity.written[fact.stream].append(fact.text)
    if fact.truncated:
        activity.cut.add(fact.stream)


def _tell(activity: Activity, fact: AgentMessage) -> None:
    """A tool keeps what it has called by itself; for an agent behind a service the engine does."""
    activity.messages += 1
    started = activity.started
    call = started.agent if started is not None else None
    if started is None or call is None or started.detach or call.tools is None:
        return
    if any(isinstance(block, ToolUse | ToolResult) for block in fact.blocks):
        activity.called += (Message(fact.role, fact.blocks),)


def _end(state: ExecutionState, entry: Entry, fact: StepCompleted | StepFailed) -> None:
    activity = _known(state, entry, fact)
    _drop_below(state, fact.path)
    _spend(state, activity, fact.usage)
    failed = isinstance(fact, StepFailed)
    output = fact.output or _written(activity, fact)
    result = StepResult(
        step=fact.step,
        state=fact.state,
        path=fact.path,
        status="failed" if failed else "completed",
        attempt=fact.attempt,
        exit_code=fact.exit_code,
        error=fact.error if isinstance(fact, StepFailed) else "",
        output=output,
        stderr=whole_text("".join(activity.written["stderr"]), fact.stderr_bytes, fact.stderr_tail),
        started_at=activity.first_started_at,
        completed_at=entry.at,
        began=activity.began,
        order=entry.seq,
        **_made(fact, activity.usage, activity.turn.session if activity.turn is not None else ""),
        **_talked(activity, fact, output),
        goto=fact.goto if isinstance(fact, StepCompleted) else "",
    )
    activity.result, activity.flying, activity.retry_at, activity.ending = result, False, None, None
    activity.hooks_done, activity.question, activity.answer = 0, None, None
    state.asking.discard(fact.path)
    state.sequences[state.sequence_of(fact.path)].results[fact.state] = result
    _forget_kept(state, fact.path)


def _spend(state: ExecutionState, activity: Activity, usage: Usage | None) -> None:
    """An attempt has cost something: so have the blocks around it, and the execution."""
    if usage is None:
        return
    spenders: list[Activity | ExecutionState] = [activity, *state.ancestors(activity.path), state]
    for spender in spenders:
        spender.usage = usage if spender.usage is None else spender.usage + usage


def _cut_short(state: ExecutionState, attempts: Iterable[AttemptSpent]) -> None:
    """What attempts had cost that were ended together with their engine."""
    for spent in attempts:
        activity = state.activities.get(spent.path)
        if activity is not None:
            _spend(state, activity, spent.usage)


def _made(
    fact: StepCompleted | StepFailed | StepReused, usage: Usage | None, before: str = ""
) -> dict[str, Any]:
    """What a step made besides its output; ``before`` is the session of a conversation that failed in the middle."""
    made = {"session": fact.session or before, "usage": usage}
    if not isinstance(fact, StepFailed):
        made["json"] = fact.json
    return {**made, "response": fact.response}


def _continued(state: ExecutionState, fact: StepStarted) -> tuple[Turn, ...]:
    """The conversation that an agent goes on with."""
    name = fact.agent.continue_from if fact.agent is not None else ""
    result = state.result_of(fact.path, name) if name else None
    return (result.turns if result is not None else None) or ()


def _talked(activity: Activity, fact: StepCompleted | StepFailed, output: str) -> dict[str, Any]:
    """The conversation that an agent leaves, also where its answer was not what it had to be."""
    call = activity.started.agent if activity.started is not None else None
    if call is None:
        return {}
    answered = isinstance(fact, StepCompleted) or fact.output or fact.session
    if call.conversation and answered and (activity.question is None or activity.runs):
        return {"provider": call.provider, "turns": _with_answer(activity, output)}
    return {"provider": call.provider, "turns": activity.turns if activity.answers else None}


def _retry(state: ExecutionState, entry: Entry, fact: StepRetrying) -> None:
    activity = _known(state, entry, fact)
    _drop_below(state, fact.path)
    _spend(state, activity, fact.usage)
    activity.flying, activity.tries = False, activity.tries + (not fact.held and not fact.no_session)
    if fact.no_session and activity.started is not None and activity.started.agent is not None:
        agent = replace(activity.started.agent, session="")
        warnings = (*activity.started.warnings, ANOTHER_SESSION)
        activity.started = replace(activity.started, agent=agent, warnings=warnings)
    activity.question = activity.answer = None
    state.asking.discard(fact.path)
    _forget_kept(state, fact.path)
    activity.retry_at = entry.at + round(fact.delay * 1_000_000)


def _ask(state: ExecutionState, entry: Entry, fact: InputRequired) -> None:
    activity = _known(state, entry, fact)
    activity.flying = fact.reached is not None
    activity.question, activity.answer = Question(entry.seq, fact), None
    state.asking.add(fact.path)
    if fact.turn is not None:
        _spend(state, activity, fact.turn.usage)
        output = fact.turn.output or _written(activity, fact.turn)
        activity.turns, activity.carried, activity.called = _with_answer(activity, output), (), ()
        activity.turn, activity.answers = fact.turn, activity.answers + 1
        activity.deaths = activity.tries = 0


def _written(activity: Activity, ended: AgentTurn | StepCompleted | StepFailed) -> str:
    """What an attempt wrote to its standard output."""
    return whole_text("".join(activity.written["stdout"]), ended.stdout_bytes, ended.stdout_tail)


def _with_answer(activity: Activity, output: str) -> tuple[Turn, ...]:
    """The conversation of an agent with what it was asked last, and its answer."""
    call = activity.started.agent if activity.started is not None else None
    asked = call.prompt if call is not None else ""
    return (
        *activity.turns,
        Turn("user", asked),
        Turn("assistant", output, activity.carried + activity.called),
    )


def _answer(state: ExecutionState, entry: Entry, fact: InputReceived) -> None:
    activity = _known(state, entry, fact)
    if not activity.asks:
        raise ReplayDiverged(
            f"execution {state.execution}, entry {entry.seq}: nothing waits for a person at {fact.path!r}"
        )
    activity.answer = fact
    state.asking.discard(fact.path)
    reached = activity.budget
    if reached is not None and fact.response == CONTINUE:
        scope = state.activities[reached.path] if reached.path else state
        limit = reached.spent + reached.limit if fact.limit is None else fact.limit
        scope.raised[f"{reached.level}.{reached.measure}"] = limit


def _reuse(state: ExecutionState, entry: Entry, fact: StepReused) -> None:
    result = StepResult(
        step=fact.step,
        state=fact.state,
        path=fact.path,
        status=fact.status,
        attempt=fact.attempt,
        exit_code=fact.exit_code,
        error=fact.error,
        output=fact.output,
        stderr=fact.stderr,
        started_at=fact.started_at,
        completed_at=fact.completed_at,
        began=entry.seq,
        order=entry.seq,
        **_made(fact, fact.usage),
        provider=fact.provider,
        turns=fact.turns,
        reused=True,
    )
    graph = state.kept[fact.sequence] if fact.sequence else state.sequences[""]
    graph.results[fact.state] = result
    if fact.parent:
        state.kept[fact.parent].branches.append(result)
    state.taken += 1
    state.next_step = max(state.next_step, fact.step + 1)


def _hook_finished(state: ExecutionState, entry: Entry, fact: HookFinished) -> None:
    state.hooks.pop(fact.path, None)
    if fact.hook in {"pre", "post"}:
        _activity(state, entry, fact.path).hooks_done = fact.index + 1
    else:
        sequence = state.sequences[fact.path]
        sequence.hooks_done = fact.index + 1
        if fact.hook == "workflow_start" and fact.error:
            sequence.start_error = fact.error


def _drop_below(state: ExecutionState, path: str) -> None:
    """A block that ended, or starts again, holds nothing any more."""
    for left in state.below(path):
        del state.activities[left.path]
        state.sequences.pop(left.path, None)
        state.asking.discard(left.path)
    state.sequences.pop(path, None)


def _forget_kept(state: ExecutionState, path: str) -> None:
    """A block that ended or starts over is not entered as it was left any more, nor what was in it."""
    for kept in [kept for kept in state.kept if kept == path or is_below(kept, path)]:
        del state.kept[kept]


def _activity(state: ExecutionState, entry: Entry, path: str) -> Activity:
    activity = state.activities.get(path)
    if activity is None:
        raise ReplayDiverged(f"execution {state.execution}, entry {entry.seq}: nothing is active at {path!r}")
    return activity


def _known(
    state: ExecutionState,
    entry: Entry,
    fact: StepAdopted
    | StepOutput
    | AgentMessage
    | StepCompleted
    | StepFailed
    | StepRetrying
    | InputRequired
    | InputReceived,
) -> Activity:
    """The open activity that a fact speaks of; checked by name, so that a wrong journal is found at its first lie."""
    activity = state.activities.get(fact.path)
    started = activity.started if activity is not None and activity.is_open else None
    if activity is None or started is None or started.step != fact.step or started.state != fact.state:
        raise _diverged(state, entry, activity, fact.step, fact.state, fact.path)
    return activity


def _diverged(
    state: ExecutionState, entry: Entry, activity: Activity | None, step: int, name: str, path: str = ""
) -> ReplayDiverged:
    started = activity.started if activity is not None and activity.is_open else None
    expected = "no step in flight" if started is None else f"step {started.step} ({started.state})"
    where = activity.path if activity is not None else path
    return ReplayDiverged(
        f"execution {state.execution}, entry {entry.seq}: expected {expected} at {where!r}, found step {step} ({name})"
    )
