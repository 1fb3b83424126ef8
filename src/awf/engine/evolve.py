"""The state of an execution as a fold over its journal.

``evolve`` applies one entry. It evaluates nothing: no template, expression, clock, environment or chance, so the same
journal gives the same state under any version of the code and in any surroundings. The state is changed in place and
costs O(1) per entry, however long the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from awf.domain.outcomes import Usage
from awf.engine import turns
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
from awf.journal.text import whole_text


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
            turns.told(_known(state, entry, fact), fact)
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
        turns.begin(state, activity, fact)
        activity.idle_before = state.idle
    activity.started, activity.flying, activity.retry_at = fact, True, None
    activity.question = activity.answer = None
    state.asking.discard(fact.path)
    activity.attempt_at, activity.began = entry.at, entry.seq
    activity.index, activity.ending, activity.hooks_done = -1, None, 0
    activity.written, activity.cut = {"stdout": [], "stderr": []}, set()
    turns.carry(activity)
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
        **turns.left(activity, fact, output),
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


def _retry(state: ExecutionState, entry: Entry, fact: StepRetrying) -> None:
    activity = _known(state, entry, fact)
    _drop_below(state, fact.path)
    _spend(state, activity, fact.usage)
    activity.flying, activity.tries = False, activity.tries + (not fact.held and not fact.no_session)
    if fact.no_session:
        turns.in_another_session(activity)
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
        turns.answered(activity, fact.turn, fact.turn.output or _written(activity, fact.turn))


def _written(activity: Activity, ended: AgentTurn | StepCompleted | StepFailed) -> str:
    """What an attempt wrote to its standard output."""
    return whole_text("".join(activity.written["stdout"]), ended.stdout_bytes, ended.stdout_tail)


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
