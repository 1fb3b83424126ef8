"""What an execution, or one of its states, has spent of budgets; and what one that is resumed inherits of that. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from awf.domain.outcomes import Usage
from awf.engine.evolve import evolve, fold
from awf.engine.reentry import Reentry
from awf.engine.state import Activity, ExecutionState
from awf.journal.events import BlockKept, Entry, SpentBefore, StateEntered, StepCompleted, StepFailed


class Spending(Struct, frozen=True):
    """``usage`` of agents (None: nothing is known of any), and ``seconds`` of work."""

    usage: Usage | None
    seconds: float


def spent_by(spender: Activity | ExecutionState, state: ExecutionState, now: int) -> Spending:
    """What a state, or the execution itself, has spent by now, and before the execution was resumed."""
    if isinstance(spender, ExecutionState):
        before, seconds = state.before.get(""), state.worked(state.started_at, 0, now)
    else:
        before, seconds = spender.before, 0.0
        if spender.started is not None:
            seconds = state.worked(spender.first_started_at, spender.idle_before, now)
    if before is None:
        return Spending(spender.usage, seconds)
    usages = [usage for usage in (before.usage, spender.usage) if usage is not None]
    return Spending(sum(usages[1:], usages[0]) if usages else None, before.seconds + seconds)


def inherited(execution: str, entries: Sequence[Entry], entered: Reentry) -> tuple[SpentBefore, ...]:
    """What an execution that has been started had spent, and those before it, for one that resumes it: the whole, and each of
    the states that are entered again."""
    paths = _entered_again(entered)
    state = fold(execution, entries[:1])
    latest: dict[str, Activity] = {}
    ended: dict[str, SpentBefore] = {}
    for entry in entries[1:]:
        evolve(state, entry)
        match entry.fact:
            case StateEntered(path=path) if path in paths:
                latest[path] = state.activities[path]
                ended.pop(path, None)
            case StepCompleted(path=path) | StepFailed(path=path) if path in latest:
                ended[path] = _before(latest[path], state)
    of_states = [ended.get(path) or _before(activity, state) for path, activity in latest.items()]
    waiting = [before for path, before in state.before.items() if path in paths]
    found = [_before(state, state), *of_states, *waiting]
    return tuple(before for before in found if before != SpentBefore(path=before.path))


def _before(spender: Activity | ExecutionState, state: ExecutionState) -> SpentBefore:
    spent = spent_by(spender, state, state.at)
    return SpentBefore(
        path=spender.path if isinstance(spender, Activity) else "",
        usage=spent.usage,
        seconds=spent.seconds,
        raised=dict(spender.raised),
    )


def _entered_again(entered: Reentry) -> Collection[str]:
    """The state at which it is resumed, the blocks around it, and the branches beside it."""
    blocks = [fact for fact in entered.facts if isinstance(fact, BlockKept)]
    branches = {f"{block.path}/{name}" for block in blocks for name in block.branches}
    return {entered.path, *(block.path for block in blocks), *branches}
