"""Loops: ``for_each`` and ``while`` (workflow language, "Loops"). Pure.

A body step's own routing is honoured: another body step jumps, a state outside leaves the loop, the loop's own name goes
on with the next body step. An unrouted failure fails the loop; ``break_when`` never hides one.
"""

from __future__ import annotations

import json
from typing import Any

from awf.domain.arithmetic import ArithmeticFailure, whole_number
from awf.domain.expressions import ExpressionFailure
from awf.domain.json_text import parse_json
from awf.domain.templates import Template, TemplateFailure
from awf.domain.workflow import ForEachState, LoopState, WhileState
from awf.engine.blocks import Ending, Verdict
from awf.engine.flow import Flow, changed
from awf.engine.render import CannotStart
from awf.engine.state import Activity
from awf.journal.events import LoopIterated, StepStarted, WorkflowClosing

ITEM_LIMIT = 10_000
"""Iterations of a ``for_each`` without ``max_iterations``, and the most that any loop may have."""

WHILE_LIMIT = 100
"""Iterations of a ``while`` without ``max_iterations``."""


class Loop:
    """Both kinds of loops; see ``awf.engine.flow.Block``."""

    def plan(self, flow: Flow, activity: Activity, state: LoopState, fact: StepStarted) -> StepStarted:
        """Fix the items and the limit."""
        limit = self._limit(flow, activity, state)
        if isinstance(state, ForEachState):
            items = _items(flow, activity, state)
            return changed(
                fact,
                items=flow.sealer.sealed(items[:limit]),
                limit=limit,
                left_out=max(0, len(items) - limit),
            )
        return changed(fact, limit=limit)

    def proceed(self, flow: Flow, activity: Activity, state: LoopState) -> None:
        """Begin the first iteration, or enter the body step that is missing from the present one."""
        kept = flow.state.kept.get(activity.path)
        if kept is not None:
            if activity.index < 0:
                flow.emit(LoopIterated(path=activity.path, index=kept.fact.index))
            self._enter(flow, activity, kept.fact.enter, "resume")
        elif activity.index < 0:
            self._iterate(flow, activity, state, 0)
        elif not flow.state.children(activity.path):
            self._enter(flow, activity, state.body[0], "body")

    def child_left(
        self, flow: Flow, activity: Activity, state: LoopState, child: Activity, verdict: Verdict
    ) -> None:
        """See the module's docstring."""
        target = verdict.target
        if verdict.failed:
            flow.finish_block(activity, Ending(failed=True, error=verdict.error, exit_code=verdict.exit_code))
        elif not target or target == activity.state:
            following = state.body.index(child.state) + 1
            if following < len(state.body):
                self._enter(flow, activity, state.body[following], "body")
            else:
                self._after(flow, activity, state)
        elif target in state.body:
            back = state.body.index(target) <= state.body.index(child.state)
            self._enter(flow, activity, target, "jump", counted=back)
        else:
            flow.finish_block(
                activity, Ending(output=_summary(activity.index + 1), goto=target, note=_left_out(activity))
            )

    def outcome(self, flow: Flow, activity: Activity, closing: WorkflowClosing | None = None) -> Ending:  # noqa: ARG002
        """A success with what has been done so far."""
        return Ending(output=_summary(activity.index + 1))

    def _enter(self, flow: Flow, activity: Activity, name: str, via: str, *, counted: bool = False) -> None:
        flow.enter(activity.path, f"{activity.path}[{activity.index}]/{name}", name, via, counted=counted)

    def _after(self, flow: Flow, activity: Activity, state: LoopState) -> None:
        """An iteration is over."""
        if state.break_when is not None:
            try:
                if flow.test(state.break_when, flow.state.children(activity.path)[0].path):
                    return flow.finish_block(
                        activity, Ending(output=_summary(activity.index + 1), note=_left_out(activity))
                    )
            except ExpressionFailure as failure:
                return self._broken(flow, activity, "break_when", failure)
        return self._iterate(flow, activity, state, activity.index + 1)

    def _iterate(self, flow: Flow, activity: Activity, state: LoopState, index: int) -> None:
        started = activity.started
        assert started is not None
        assert started.limit is not None
        if isinstance(state, WhileState):
            if index >= started.limit:
                note = f"reached its limit of {started.limit} iterations"
                return flow.finish_block(activity, Ending(output=_summary(index), note=note))
            try:
                if not flow.test_in_loop(state.condition, activity, index):
                    return flow.finish_block(activity, Ending(output=_summary(index)))
            except ExpressionFailure as failure:
                return self._broken(flow, activity, "while", failure)
        elif index >= len(started.items or ()):
            return flow.finish_block(activity, Ending(output=_summary(index), note=_left_out(activity)))
        flow.emit(LoopIterated(path=activity.path, index=index))
        return self._enter(flow, activity, state.body[0], "body")

    def _broken(self, flow: Flow, activity: Activity, key: str, failure: ExpressionFailure) -> None:
        flow.finish_block(activity, Ending(failed=True, error=f"{key}: {failure.message}", exit_code=1))

    def _limit(self, flow: Flow, activity: Activity, state: LoopState) -> int:
        if not isinstance(state.limit, Template):
            return state.limit or (ITEM_LIMIT if isinstance(state, ForEachState) else WHILE_LIMIT)
        try:
            text = flow.text(state.limit, activity.path)
            limit = whole_number(text)
        except (TemplateFailure, ArithmeticFailure) as failure:
            raise CannotStart(f"max_iterations: {failure}") from failure
        if limit < 1:
            raise CannotStart(f"max_iterations: value {limit} must be at least 1")
        if limit > ITEM_LIMIT:
            raise CannotStart(f"max_iterations: value {limit} exceeds maximum allowed limit of {ITEM_LIMIT}")
        return limit


def _items(flow: Flow, activity: Activity, state: ForEachState) -> list[Any]:
    try:
        if isinstance(state.items, tuple):
            return [_rendered(flow, activity, item) for item in state.items]
        value = flow.value(state.items, activity.path)
    except TemplateFailure as failure:
        raise CannotStart(failure.message) from failure
    if isinstance(value, list) or value is None:
        return value or []
    return split_items(value if isinstance(value, str) else json.dumps(value))


def _rendered(flow: Flow, activity: Activity, item: Any) -> Any:
    if isinstance(item, Template):
        return flow.text(item, activity.path)
    if isinstance(item, (list, tuple)):
        return [_rendered(flow, activity, part) for part in item]
    if isinstance(item, dict):
        return {name: _rendered(flow, activity, part) for name, part in item.items()}
    return item


def split_items(text: str) -> list[Any]:
    """Items from text: a JSON array; else pieces between commas; empty text is no items. Raises CannotStart where text
    that looks like JSON is not an array."""
    text = text.strip()
    if text[:1] in {"[", "{"}:
        try:
            found = parse_json(text)
        except ValueError as error:
            raise CannotStart(f"items: looks like JSON and is not: {error}") from error
        if not isinstance(found, list):
            raise CannotStart("items: a JSON object is not a list; give an array")
        return found
    return [piece.strip() for piece in text.split(",")] if text else []


def _summary(iterations: int) -> str:
    return f"completed {iterations} iterations"


def _left_out(activity: Activity) -> str:
    """What the record says of items beyond the limit."""
    left_out = activity.started.left_out if activity.started else 0
    if not left_out:
        return ""
    items = (
        "1 item beyond max_iterations was"
        if left_out == 1
        else f"{left_out} items beyond max_iterations were"
    )
    return f"{items} left out"
