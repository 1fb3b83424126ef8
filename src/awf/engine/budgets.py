"""Budgets: what agents may use and cost, and how long something may work. Pure.

The limits of a state, of the blocks and sub-workflows around it, of the workflow and of the server are looked at before
every attempt and every turn of a conversation, those of tokens and cost before agents only. What was spent before an
execution was resumed counts. An attempt is then started as
``held``: it waits for a person, who grants as much again or stops it, or it fails. Where the time is used up while a step
runs, it is ended and fails; or a person is asked, and it runs on until they stop it. An agent whose tools are called here asks
between two rounds whether it may go on, and ends its attempt where it may not; the next one is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from awf.domain.outcomes import Usage
from awf.domain.timestamps import duration_text
from awf.domain.workflow import Budget, TerminalState
from awf.engine.spending import Spending, spent_by
from awf.engine.state import CONTINUE, STOP, Activity
from awf.journal.events import BudgetReached, InputReceived, InputRequired, StepFailed, StepStarted

if TYPE_CHECKING:
    from awf.engine.flow import Flow

SPENT_EXIT, TIMEOUT_EXIT = 1, 124

Level: TypeAlias = Literal["state", "workflow", "server"]
Measure: TypeAlias = Literal["tokens", "cost", "duration"]


class _Account(Struct, frozen=True):
    """A budget, what has been spent of it, and which of its limits people have raised."""

    level: Level
    path: str
    budget: Budget
    spent: Spending
    raised: Mapping[str, float]

    def limits(self, *, agent: bool) -> Iterator[tuple[Measure, float, float]]:
        """Each limit that counts for an attempt, as it was set, and what has been spent of it."""
        usage = self.spent.usage or Usage()
        if agent and self.budget.tokens is not None:
            yield "tokens", self.budget.tokens, usage.total
        if agent and self.budget.cost is not None:
            yield "cost", self.budget.cost, usage.cost or 0.0
        if self.budget.duration is not None:
            yield "duration", self.budget.duration, self.spent.seconds

    def raised_to(self, measure: Measure, limit: float) -> float:
        """A limit, as high as people have raised it."""
        return max(limit, self.raised.get(f"{self.level}.{measure}", 0.0))

    def affords(self, more: Usage) -> bool:
        """Is none of the limits of tokens and cost used up with this?"""
        added = {"tokens": more.total, "cost": more.cost or 0.0}
        return all(
            spent + added[measure] < self.raised_to(measure, limit)
            for measure, limit, spent in self.limits(agent=True)
            if measure in added
        )

    def left(self) -> float:
        """Seconds that remain of a limited time."""
        assert self.budget.duration is not None
        return self.raised_to("duration", self.budget.duration) - self.spent.seconds

    def is_of(self, reached: BudgetReached) -> bool:
        """Does this account belong to that budget?"""
        return (self.level, self.path) == (reached.level, reached.path)

    def reached(self, *, agent: bool) -> BudgetReached | None:
        """The first limit that is used up."""
        for measure, limit, spent in self.limits(agent=agent):
            if spent >= self.raised_to(measure, limit):
                return BudgetReached(
                    level=self.level,
                    path=self.path,
                    measure=measure,
                    limit=limit,
                    spent=spent,
                    fails=self.budget.fails,
                )
        return None


class Budgets:
    """The budgets of one execution."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._written = any(
            workflow.budget is not None
            or any(not isinstance(each, TerminalState) and each.budget for each in workflow.states.values())
            for workflow in flow.workflows.values()
        )

    def checked(self, activity: Activity, fact: StepStarted) -> StepStarted:
        """The start of an attempt: held where a budget is used up, and with the time that is left of one that fails."""
        if not self._written and self._flow.world.budget is None:
            return fact
        agent = activity.kind == "agent"
        for account in self._accounts(activity):
            reached = account.reached(agent=agent)
            if reached is not None:
                return replace(fact, held=reached)
            if account.budget.fails and account.budget.duration is not None:
                timeout = account.left() if fact.timeout is None else min(fact.timeout, account.left())
                fact = replace(fact, timeout=timeout)
        return fact

    def afford(self, activity: Activity, usage: Usage) -> bool:
        """May an agent's attempt that has cost this by now go on?"""
        if not self._written and self._flow.world.budget is None:
            return True
        more = priced(self._flow, activity, usage) or usage
        return all(account.affords(more) for account in self._accounts(activity))

    def ended(self, activity: Activity, exit_code: int) -> str:
        """Why an attempt has failed that was ended because of a budget, by a person or because the time is over; else
        nothing."""
        if self._flow.is_ending(activity):
            return ""
        if activity.stopped and activity.answer is not None:
            return stopped(activity.answer)
        for account in self._accounts(activity) if exit_code == TIMEOUT_EXIT else ():
            if account.budget.fails and account.budget.duration is not None and account.left() <= 0:
                reached = account.reached(agent=False)
                assert reached is not None
                return self._said(reached)
        return ""

    def due_in(self) -> float | None:
        """Seconds until a step that runs goes over a budget of time about which people are asked; None: none does."""
        left = [account.left() for activity in self._watched() for account in self._asking(activity)]
        return min(left, default=None)

    def ask(self) -> None:
        """Ask about what runs and has gone over a budget of time. It runs on."""
        for activity in self._watched():
            reached = next(
                (each.reached(agent=False) for each in self._asking(activity) if each.left() <= 0), None
            )
            if reached is not None:
                prompt = (
                    f"{self._said(reached)}. Meanwhile {_named(activity)} runs on: grant as much again (continue), or end "
                    f"it, so that it fails (stop)?"
                )
                self._flow.emit(
                    InputRequired(
                        **activity.place,
                        kind="budget",
                        prompt=prompt,
                        choices=(CONTINUE, STOP),
                        reached=reached,
                    )
                )

    def granted(self, activity: Activity) -> float | None:
        """What the budget is raised to about which an activity asks: by as much as it was, from here on."""
        asked = activity.budget
        for account in self._accounts(activity):
            for measure, limit, spent in account.limits(agent=True):
                if asked is not None and asked.measure == measure and account.is_of(asked):
                    return spent + limit
        return None

    def _watched(self) -> list[Activity]:
        """What runs and may have to be asked about."""
        if not self._written and self._flow.world.budget is None:
            return []
        running = self._flow.state.flying()
        return [each for each in running if not (each.asks or each.stopped or self._flow.is_ending(each))]

    def _asking(self, activity: Activity) -> Iterator[_Account]:
        for account in self._accounts(activity):
            if account.budget.duration is not None and not account.budget.fails:
                yield account

    def judge(self, activity: Activity, reached: BudgetReached) -> None:
        """What becomes of an attempt that is held."""
        flow = self._flow
        if reached.fails:
            flow.emit(StepFailed(**activity.place, exit_code=SPENT_EXIT, error=self._said(reached)))
            return flow.settle(activity)
        prompt = (
            f"{self._said(reached)}. Before {_named(activity)} goes on: grant as much again (continue), "
            f"or let the step fail (stop)?"
        )
        return flow.emit(
            InputRequired(**activity.place, kind="budget", prompt=prompt, choices=(CONTINUE, STOP))
        )

    def _accounts(self, activity: Activity) -> Iterator[_Account]:
        """Innermost first."""
        flow, state = self._flow, self._flow.state
        for each in (activity, *state.ancestors(activity.path)):
            known = flow.definition(each)
            own = None if isinstance(known, TerminalState) else known.budget
            called = flow.workflow_of(each.path).budget if each.kind == "call_workflow" else None
            if own is not None or called is not None:
                spent = spent_by(each, state, flow.world.now)
                if own is not None:
                    yield _Account("state", each.path, own, spent, each.raised)
                if called is not None:
                    yield _Account("workflow", each.path, called, spent, each.raised)
        outermost: tuple[tuple[Level, Budget | None], ...] = (
            ("workflow", flow.workflow_of("").budget),
            ("server", flow.world.budget),
        )
        for level, budget in outermost:
            if budget is not None:
                yield _Account(level, "", budget, spent_by(state, state, flow.world.now), state.raised)

    def _said(self, reached: BudgetReached) -> str:
        if reached.level == "server":
            whose = "that the server allows an execution"
        elif reached.level == "state":
            whose = f"of state '{self._flow.state.activities[reached.path].state}'"
        else:
            whose = f"of workflow '{self._flow.workflow_of(reached.path).identifier}'"
        limit, spent = _amount(reached.measure, reached.limit), _amount(reached.measure, reached.spent)
        state = self._flow.state
        before = state.activities[reached.path].before if reached.path else state.before.get("")
        resumed = "" if before is None else ", with what was spent before it was resumed"
        return f"the budget of {limit} {whose} is used up ({spent} so far{resumed})"


def answered(flow: Flow, activity: Activity, answer: InputReceived) -> None:
    """A person has decided; what they grant holds for everything that waits for the same."""
    reached = activity.budget
    assert reached is not None
    if activity.stopped:
        return None  # it fails when it has ended
    if answer.response == STOP:
        return flow.emit(StepFailed(**activity.place, exit_code=SPENT_EXIT, error=stopped(answer)))
    if not activity.runs:
        flow.repeat(activity, recovered=False)
    for path in sorted(flow.state.asking):
        other = flow.state.activities[path]
        theirs = other.budget
        if theirs is not None and _same(theirs, reached) and not flow.is_ending(other):
            place = {name: value for name, value in other.place.items() if name != "attempt"}
            flow.emit(
                InputReceived(
                    **place, response=CONTINUE, comment=answer.comment, by=answer.by, limit=answer.limit
                )
            )
            if not other.runs:
                flow.repeat(other, recovered=False)
    return None


def stopped(answer: InputReceived) -> str:
    """The error of a step that a person has stopped."""
    said = f": {answer.comment}" if answer.comment else ""
    return f"stopped by a person, because a budget is used up{said}"


def priced(flow: Flow, activity: Activity, usage: Usage | None) -> Usage | None:
    """What an attempt used, with its cost: the provider's own, else by the price of the model, or of the provider."""
    call = activity.started.agent if activity.started is not None else None
    if usage is None or usage.cost is not None or call is None:
        return usage
    prices = flow.world.prices
    price = prices.get(str(call.options.get("model") or "")) or prices.get(call.provider)
    return usage if price is None else replace(usage, cost=price.of(usage))


def _same(one: BudgetReached, other: BudgetReached) -> bool:
    return (one.level, one.path, one.measure) == (other.level, other.path, other.measure)


def _named(activity: Activity) -> str:
    return f"step '{activity.state}'" + (f" ({activity.path})" if activity.path != activity.state else "")


def _amount(measure: str, value: float) -> str:
    if measure == "tokens":
        return f"{value:.0f} tokens"
    return f"${value:.4g}" if measure == "cost" else duration_text(round(value, 3))
