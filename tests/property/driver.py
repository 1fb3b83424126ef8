"""Drives the pure core through a scripted world, without processes: the journal is a list.

What runs side by side ends in a fixed order: first what is being ended, then delays, then the lowest path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded
from awf.domain.sealing import Sealer
from awf.domain.workflow import Workflow
from awf.engine.decide import Core
from awf.engine.evolve import fold
from awf.engine.state import Activity, is_below
from awf.engine.stimuli import (
    Cancel,
    Continue,
    HookEnded,
    Idle,
    OutputArrived,
    Respond,
    StepFinished,
    Stimulus,
    TimerFired,
    World,
)
from awf.journal.events import (
    FINAL,
    Entry,
    ExecutionAccepted,
    HookFinished,
    StateEntered,
    StepCompleted,
    StepFailed,
)
from property.generator import MAIN
from property.world import Place, Script

MAX_TRANSITIONS = 60
MOST_STIMULI = 20_000
MOST_PARKED = 10
"""How often an execution is let go at most: each time its whole journal is folded again."""
WORLD = World(now=1_000_000, engine="engine-1", max_transitions=MAX_TRANSITIONS)


class Drive:
    """One execution: a core, its whole journal, and the world that answers it."""

    def __init__(
        self,
        workflows: Mapping[str, Workflow],
        script: Script,
        journal: Sequence[Entry] = (),
        world: World = WORLD,
    ) -> None:
        self.workflows = workflows
        self.script = script
        self.world = world
        accepted = ExecutionAccepted(
            workflow=MAIN, file="main.yaml", definition={}, inputs={}, initial="", root="/", working_dir="/"
        )
        self.journal = list(journal) or [Entry(1, 500, accepted)]
        self.visits: Counter[str] = Counter()
        self.parked = 0
        self._see(self.journal)
        self.core = Core(fold("exec", self.journal), workflows, {}, Sealer({}))
        self.state = self.core.state

    def run(self, watch: Callable[[Drive], None] | None = None) -> Drive:
        """From the beginning, or after a crash, to the end; ``watch`` is called after every decision."""
        return self.begin().go_on(watch)

    def go_on(self, watch: Callable[[Drive], None] | None = None) -> Drive:
        """To the end."""
        count = 0
        while not self.is_over():
            if watch is not None:
                watch(self)
            if not self.is_over():
                self.step()
            count += 1
            assert count < MOST_STIMULI, "does not end"
        return self

    def is_over(self) -> bool:
        """Has it ended?"""
        return self.state.finished

    def begin(self) -> Drive:
        """An engine takes it."""
        self.decide(Continue())
        return self

    def running(self) -> list[str]:
        """Where something runs or waits, sorted."""
        state = self.state
        active = [each.path for each in state.activities.values() if each.waits or each in state.flying()]
        return sorted([*active, *state.hooks, *state.asking])

    def decide(self, stimulus: Stimulus) -> None:
        self.core.decide(stimulus, self.world)
        entries = self.core.take()
        self.journal += entries
        self._see(entries)

    def step(self) -> None:
        """Let the next thing happen."""
        running = self.running()
        assert running, "nothing runs, and nothing is decided"
        waiting = [path for path in running if self._waits(path)]
        ended = [path for path in running if path not in waiting and self.is_ended(path)]
        processes = [path for path in ended if path not in self.state.asking]
        if processes:
            self.finish(processes[0], Cancelled())
        else:
            self.finish((waiting or [path for path in running if path not in ended])[0])

    def cancel(self) -> None:
        self.decide(Cancel())

    def is_ended(self, path: str) -> bool:
        """Would the interpreter have been told to end what runs here?"""
        state = self.state
        hook = state.hooks.get(path)
        if hook is not None and hook.hook not in {"pre", "post", "workflow_start"}:
            closing_of_main = not path and hook.hook == "workflow_cancel"
            return (state.cancel_requested and not closing_of_main) or self._around_ends(path)
        return state.cancel_requested or self._around_ends(path)

    def _around_ends(self, path: str) -> bool:
        state = self.state
        inner = state.hooks[path].path if path in state.hooks else path
        for block, activity in state.activities.items():
            if activity.ending is not None and is_below(inner, block):
                return True
        for block, sequence in state.sequences.items():
            if sequence.closing is not None and inner != block and (not block or is_below(inner, block)):
                return True
        return False

    def _waits(self, path: str) -> bool:
        activity = self.state.activities.get(path)
        return activity is not None and activity.waits

    def finish(self, path: str, outcome: Outcome | None = None) -> None:
        """What runs or waits at a path ends, as the world has it or with an outcome."""
        hook = self.state.hooks.get(path)
        if hook is not None:
            ended = self.script.hook(self._place(path), hook.hook, hook.index)
            self.decide(HookEnded(path, outcome or _outcome(ended.exit_code), ended.output))
            return
        activity = self.state.activities[path]
        if activity.asks:
            self._answer(activity)
            return
        started = activity.started
        assert started is not None
        if self._waits(path):
            self.decide(TimerFired(path, started.step, started.attempt))
            return
        ended = self.script.step(self._place(path))
        if outcome is None and ended.output:
            self.decide(OutputArrived(path, "stdout", ended.output))
        self.decide(StepFinished(path, outcome or _outcome(ended.exit_code)))

    def _answer(self, activity: Activity) -> None:
        """A person says what the script has, or wants a step to be run again; an execution that has been let go is taken
        before."""
        question, started = activity.question, activity.started
        assert question is not None
        assert started is not None
        said = "rerun" if question.fact.kind == "crash" else self.script.answer(self._place(activity.path))
        if self.parked < MOST_PARKED:
            self.decide(Idle())
        if self.state.released:
            self.parked += 1
            self.core = Core(fold("exec", self.journal), self.workflows, {}, Sealer({}))
            self.state = self.core.state
            self.begin()
        if said == "timeout":
            self.decide(TimerFired(activity.path, started.step, started.attempt))
        else:
            self.decide(Respond(question.number, said))

    def _place(self, path: str) -> Place:
        activity = self.state.activities.get(path)
        return path, self.visits[path], activity.tries if activity is not None else 0

    def _see(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.fact, StateEntered):
                self.visits[entry.fact.path] += 1

    # What there is to compare

    def results(self, *, attempts: bool = True) -> Counter[tuple[object, ...]]:
        """(path, status, attempt, exit code, error) of every step that ended."""
        found: Counter[tuple[object, ...]] = Counter()
        for entry in self.journal:
            match entry.fact:
                case StepCompleted() as fact:
                    found[fact.path, "completed", fact.attempt * attempts, 0, ""] += 1
                case StepFailed() as fact:
                    found[fact.path, "failed", fact.attempt * attempts, fact.exit_code, fact.error] += 1
        return found

    def hooks(self) -> Counter[tuple[object, ...]]:
        """(path, hook, index, error) of every hook that ended."""
        return Counter(
            (entry.fact.path, entry.fact.hook, entry.fact.index, entry.fact.error)
            for entry in self.journal
            if isinstance(entry.fact, HookFinished)
        )

    def end(self) -> tuple[object, ...]:
        """(status, error, exit code) of the execution."""
        final = self.journal[-1].fact
        assert isinstance(final, FINAL)
        return self.state.status, getattr(final, "error", ""), getattr(final, "exit_code", 0)


def _outcome(exit_code: int) -> Outcome:
    return Failed("", exit_code) if exit_code else Succeeded()
