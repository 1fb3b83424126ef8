"""Where a failed or cancelled execution can be resumed. Pure.

``from_step`` (HTTP API decisions, "Run, executions, cancel, resume"): absent or ``current`` is the last failed step, else
the last one entered, else where it was to begin; ``previous`` is the last completed one. Both look inside blocks: of a
loop, a parallel block or a sub-workflow it is the innermost step, so that nothing completed around it runs again. Anything
else is the name of a top-level state, or the path of what was reached inside one (``loop[3]/step``; ``loop[3]`` is the
first step of that iteration).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from awf.domain.suggest import did_you_mean
from awf.domain.workflow import TerminalState, Workflow
from awf.engine.past import Past, before, last
from awf.engine.reentry import Reentry, reentry
from awf.engine.state import BLOCKS
from awf.errors import ResumePointInvalid
from awf.journal.events import ResumedFrom

MOST_NAMED = 10
"""Paths that a refusal lists."""


class ResumePoint(Struct, frozen=True):
    """Where to enter: ``path``, after the entry ``upto`` of a journal (0: of nothing), beginning at the top with the
    state ``enter``. ``goes_on``: nobody has named it."""

    execution: str
    path: str
    upto: int
    enter: str
    goes_on: bool = False

    def resumed(self, original: str) -> ResumedFrom:
        """The same as a fact's part, for an execution that resumes ``original``."""
        return ResumedFrom(
            execution=original,
            from_path=self.path,
            upto=self.upto,
            source="" if self.execution == original else self.execution,
            enter="" if self.enter == self.path else self.enter,
            goes_on=self.goes_on,
        )


def resume_point(
    lineage: Sequence[Past], workflows: Mapping[str, Workflow], from_step: str | None
) -> ResumePoint:
    """Resolve ``from_step`` against an execution and those that it goes back on, newest first, and the workflows that
    the new one will run.

    Raises ResumePointInvalid where it names no step, one that was never reached, or one that the workflows do not have.
    """
    identifier = lineage[0].accepted.workflow
    began = [past for past in lineage if past.begun] or [lineage[-1]]
    past, seq, path = _entry(lineage, began, workflows[identifier], from_step)
    entered = reentry(past, seq, path, workflows, identifier)
    goes_on = from_step in {None, "current"}
    return ResumePoint(past.execution, entered.path, seq - 1, entered.enter, goes_on)


def resumed_reentry(
    past: Past, resumed: ResumedFrom, workflows: Mapping[str, Workflow], identifier: str
) -> Reentry:
    """What an accepted execution takes over of the journal that it goes back on."""
    return reentry(past, resumed.upto + 1, resumed.from_path, workflows, identifier)


def _entry(
    lineage: Sequence[Past], began: Sequence[Past], workflow: Workflow, from_step: str | None
) -> tuple[Past, int, str]:
    """The journal, the number of the entry that began it there, and its path."""
    newest = began[0]
    if from_step is None or from_step == "current":
        unbegun = before(lineage[0].accepted)
        if newest is not lineage[0] and unbegun is not None:
            return newest, unbegun.upto + 1, unbegun.from_path
        top = last([place for place in newest.places.values() if not place.parent])
        if top is None:
            return newest, newest.upto + 1, workflow.initial
        place = newest.innermost(top)
        if place.again:
            # It was being entered again as it had been left: nothing has changed since.
            source = before(newest.accepted)
            older = next((past for past in began[1:] if source and past.execution == source.source), None)
            if source is not None and older is not None:
                return older, source.upto + 1, source.from_path
        return newest, place.entered, place.path
    if from_step == "previous":
        for past in began:
            for path, entered in reversed(past.completed):
                if past.places[path].kind not in BLOCKS:
                    return past, entered, path
        raise ResumePointInvalid("from_step: no completed step to resume from; leave it out to start over")
    return _named(lineage[0].execution, began, workflow, from_step)


def _named(execution: str, began: Sequence[Past], workflow: Workflow, path: str) -> tuple[Past, int, str]:
    for past in began:
        if path in past.starts:
            return past, past.starts[path], path
    target = workflow.states.get(path)
    if isinstance(target, TerminalState):
        raise ResumePointInvalid(f"from_step: '{path}' is a terminal of '{workflow.identifier}', not a step")
    if target is not None:
        return began[0], began[0].upto + 1, path
    names = [name for name, known in workflow.states.items() if not isinstance(known, TerminalState)]
    reached = [found for past in began for found in past.starts if found not in workflow.states]
    guess = did_you_mean(path, [*names, *reversed(reached)])
    inside = [found for found in reached if path.startswith(_top(found, names))][-MOST_NAMED:]
    if any(path.startswith((f"{name}[", f"{name}/")) for name in names):
        there = f"; it reached {', '.join(inside)}" if inside else ""
        raise ResumePointInvalid(
            f"from_step: '{path}' is nothing that execution {execution} reached{guess}{there}"
        )
    raise ResumePointInvalid(
        f"from_step: '{path}' is not a step of workflow '{workflow.identifier}'{guess}; "
        f"its steps are {', '.join(names)}"
    )


def _top(path: str, names: Sequence[str]) -> str:
    return next((name for name in names if path.startswith((f"{name}[", f"{name}/"))), path)
