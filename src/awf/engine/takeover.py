"""From an execution that has just been claimed to one that can be run: its state and texts are read, what a dead engine
left of its steps is ended, and what a resumption starts from is worked out. What cannot be run is failed, or let go."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Collection, Mapping

from awf.domain.outcomes import Usage
from awf.domain.sealing import Sealer
from awf.domain.workflow import Workflow
from awf.engine.clock import Passing
from awf.engine.complaints import Complaint
from awf.engine.decide import Core
from awf.engine.flow import execution_of
from awf.engine.intents import stimulus_of
from awf.engine.interpreter import Interpreter
from awf.engine.past import Past, before
from awf.engine.pinned import Definitions
from awf.engine.ports import Environment
from awf.engine.reentry import Reentry
from awf.engine.resume import resumed_reentry
from awf.engine.service import journal_of, load_state
from awf.engine.spending import inherited
from awf.engine.state import ExecutionState
from awf.engine.stimuli import Continue, Respond, Stimulus
from awf.engine.talks import left_off
from awf.errors import OwnershipLost, ReplayDiverged, ResumePointInvalid, StoreUnavailable, WorkflowError
from awf.journal.events import (
    AnyFact,
    BlockKept,
    Entry,
    ExecutionAccepted,
    ExecutionFailed,
    ExecutionReleased,
    ExecutionStarted,
    SpentBefore,
    StepReused,
    TalkKept,
)
from awf.journal.store import Claim, Intent

log = logging.getLogger("awf.engine")

MAX_FAILURES = 3
"""So many times an execution is let go because of an unexpected fault; then it fails."""

RETRY = 1.0
"""Seconds between tries to let an execution go while the store is unavailable."""


class Takeover:
    """How one engine takes over executions. ``secrets``: those of its environment, by the names under which they are
    sealed."""

    def __init__(
        self, environment: Environment, definitions: Definitions, secrets: Mapping[str, str], passing: Passing
    ) -> None:
        self._env = environment
        self._store = environment.store
        self._definitions = definitions
        self._secrets = secrets
        self._passing = passing
        self._failures: Counter[str] = Counter()

    async def prepare(self, claim: Claim, intent: Intent | None) -> tuple[Interpreter, list[Stimulus]] | None:
        """An interpreter and its first stimuli; None where the execution cannot be run and has been failed."""
        execution = claim.ownership.execution
        try:
            state = await load_state(self._store, execution)
            workflows = await self._definitions.workflows(state.accepted)
            prelude, spent_before, talk = await self._prelude(state, workflows)
        except (ReplayDiverged, WorkflowError, ResumePointInvalid) as error:
            failed = await self._next_entry(execution, claim.last_seq, ExecutionFailed(error=error.message))
            await self._store.append(claim.ownership, [failed])
            self._env.appended()
            return None
        hidden = await self._store.secrets(execution)
        secrets = {f"inputs.{name}": hidden[name] for name in state.accepted.secrets if name in hidden}
        sealer = Sealer({**secrets, **self._secrets})
        core = Core(state, workflows, {**state.accepted.inputs, **hidden}, sealer)
        adoptable = frozenset[str]()
        spent: Mapping[str, Usage] = {}
        if state.started:
            if intent is None or intent.kind != "cancel":
                adoptable = frozenset(filter(self._env.attempts.adoptable, core.adoptable()))
            spent = await self._end_leftovers(state, adoptable)
        interpreter = Interpreter(core, claim.ownership, self._env, sealer)
        first: list[Stimulus] = [Continue(prelude, adoptable, spent, self._passing.now(), spent_before, talk)]
        if intent is not None:
            interpreter.folds(intent.id)
            stimulus = stimulus_of(intent)
            first.insert(len(first) if isinstance(stimulus, Respond) else 0, stimulus)
        return interpreter, first

    async def give_up(self, claim: Claim, error: Exception) -> None:
        """A bug, or a store that cannot be read, stands in the way: let the execution go, so that it is tried again; at
        the third time, fail it. It never stays ours with nobody running it."""
        execution = claim.ownership.execution
        self._failures[execution] += 1
        reference = uuid.uuid4().hex[:12]
        log.error("execution %s cannot go on (reference %s)", execution, reference, exc_info=error)
        fact: AnyFact = ExecutionReleased(engine=claim.ownership.owner)
        if self._failures[execution] >= MAX_FAILURES:
            reason = error.message if isinstance(error, StoreUnavailable) else "internal error of the engine"
            fact = ExecutionFailed(error=f"{reason} (reference {reference}; the engine's log says more)")
        complaint = Complaint(log, f"execution {execution} waits to be let go")
        while True:
            try:
                head = (await self._store.heads([execution])).get(execution)
                if head is not None and not head.finished:
                    if isinstance(fact, ExecutionFailed):
                        await self._end_leftovers(await load_state(self._store, execution), frozenset())
                    entry = await self._next_entry(execution, head.last_seq, fact)
                    await self._store.append(claim.ownership, [entry])
                    self._env.appended()
            except StoreUnavailable as unavailable:
                complaint.about(unavailable)
                await asyncio.sleep(RETRY)
            except (OwnershipLost, ReplayDiverged):
                return
            else:
                return

    async def _next_entry(self, execution: str, last_seq: int, fact: AnyFact) -> Entry:
        """A fact as the next entry of a journal that cannot be gone on with; its time does not go back either."""
        row = await self._store.execution(execution)
        return Entry(last_seq + 1, max(self._env.clock.now(), 0 if row is None else row.updated_at), fact)

    async def _end_leftovers(self, state: ExecutionState, adoptable: Collection[str]) -> Mapping[str, Usage]:
        """End what a dead engine left of the steps and hooks in flight, but for what is adopted. Returns what of it is known
        to have cost something, by path."""
        leftovers: dict[str, list[str]] = {}
        spent: dict[str, Usage] = {}
        for activity in state.flying():
            if activity.started is not None and activity.started.attempt_id not in adoptable:
                leftovers.setdefault(activity.kind, []).append(activity.started.attempt_id)
        for hook in state.hooks.values():
            leftovers.setdefault("step", []).append(hook.attempt_id)
        for kind, attempts in leftovers.items():
            if kind in self._env.runners:
                await self._env.runners[kind].end_leftovers(attempts)
        for activity in state.flying():
            fact = activity.started
            if fact is None or fact.agent is None or fact.attempt_id in adoptable:
                continue
            usage = await self._env.runners[fact.kind].spent(fact) if fact.kind in self._env.runners else None
            if usage is not None:
                spent[fact.path] = usage
        ours = [attempt for attempt in self._env.attempts.kept() if execution_of(attempt) == state.execution]
        self._env.attempts.forget([attempt for attempt in ours if attempt not in adoptable])
        return spent

    async def _prelude(
        self, state: ExecutionState, workflows: Mapping[str, Workflow]
    ) -> tuple[tuple[BlockKept | StepReused, ...], tuple[SpentBefore, ...], TalkKept | None]:
        """What is taken over of the execution that this one resumes, if it does, what had been spent before, and the
        conversation with which it goes on."""
        resumed = before(state.accepted)
        if resumed is None or state.begun or state.taken:
            return (), (), None
        entries = await journal_of(self._store, resumed.source)
        if not entries:
            raise ReplayDiverged(f"the record of execution {resumed.source}, which this one resumes, is gone")
        past = Past(resumed.source, entries, resumed.upto or len(entries))
        entered = resumed_reentry(past, resumed, workflows, state.accepted.workflow)
        talk = left_off(resumed.source, entries, entered.path) if resumed.goes_on else None
        return entered.facts, await self._inherited(state.accepted, entered), talk

    async def _inherited(self, accepted: ExecutionAccepted, entered: Reentry) -> tuple[SpentBefore, ...]:
        """What the last execution before that was started had spent, and those before that."""
        while accepted.resumed is not None:
            execution = accepted.resumed.execution
            entries = await journal_of(self._store, execution)
            if not entries:
                break
            if len(entries) > 1 and isinstance(entries[1].fact, ExecutionStarted):
                return inherited(execution, entries, entered)
            first = entries[0].fact
            assert isinstance(first, ExecutionAccepted)
            accepted = first
        return ()
