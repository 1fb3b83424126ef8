"""Named crash points: the process ends as ``kill -9`` ends it, at the place that a test names.

``VERB.before`` and ``VERB.after`` for every verb of the store (``append.before``, ``accept.after``, ``claim.after`` …);
``start.before``, ``start.after`` and ``finish`` for the process of a step or hook; ``leftovers.before`` and
``leftovers.after`` for ending what a dead engine left. Then, each optional: ``:FACT`` (of an append: one with such a
fact), ``#N`` (the Nth time in a process, from 1), ``@WORKFLOW`` (of that workflow's executions). So
``append.before:step.started#3@build`` is before the third ``step.started`` of a ``build`` becomes durable.

A point fires once per storage directory, where it leaves a file in ``crashed/``: the next process goes on.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from awf.domain.outcomes import Outcome
from awf.engine.cancel import Cancel
from awf.engine.ports import Emit, StepContext, StepRunner
from awf.journal.events import StepStarted
from awf.journal.store import Claim, Store
from awf.runners.processes import Family
from awf.testing.intercept import intercepted

_POINT = re.compile(
    r"(?P<place>finish|[a-z_]+\.(?:before|after))"
    r"(?::(?P<fact>[a-z.]+))?(?:#(?P<number>[1-9][0-9]*))?(?:@(?P<workflow>[\w./-]+))?"
)


class Point(Struct, frozen=True):
    """One crash point; see the module."""

    place: str
    fact: str = ""
    number: int = 1
    workflow: str = ""

    @classmethod
    def parse(cls, text: str) -> Point:
        """From its text. Raises ValueError."""
        found = _POINT.fullmatch(text)
        if found is None:
            raise ValueError(f"no crash point: {text!r} (one reads append.before:step.started#3@workflow)")
        place, fact, number, workflow = found.groups(default="")
        return cls(place, fact, int(number or 1), workflow)

    @property
    def marker(self) -> str:
        """The name of the file that says that it has fired."""
        fact, workflow = self.fact and f":{self.fact}", self.workflow and f"@{self.workflow}"
        return f"{self.place}{fact}#{self.number}{workflow}".replace("/", "%")


class Crashes:
    """The crash points of one process over one storage directory. ``die`` ends the process."""

    def __init__(
        self, points: Sequence[Point], storage: Path, store: Store, die: Callable[[], None] | None = None
    ) -> None:
        self._markers = storage / "crashed"
        self._points = [point for point in points if not (self._markers / point.marker).exists()]
        self._store = store
        self._die = die or _die
        self._counts: Counter[Point] = Counter()
        self._names: dict[str, str] = {}

    def expects(self, place: str) -> bool:
        """Whether a point at that place is still to come."""
        return any(point.place == place for point in self._points)

    def knows(self, execution: str, workflow: str) -> None:
        """Of which workflow an execution is that the store may not have yet."""
        self._names[execution] = workflow

    async def reached(self, place: str, executions: Sequence[str] = (), facts: Sequence[str] = ()) -> None:
        """The process is at a place, on behalf of these executions, with these facts at hand."""
        for point in [point for point in self._points if point.place == place]:
            if point.workflow and point.workflow not in [await self._workflow(one) for one in executions]:
                continue
            times = facts.count(point.fact) if point.fact else 1
            self._counts[point] += times
            if self._counts[point] - times < point.number <= self._counts[point]:
                self._fire(point)

    def _fire(self, point: Point) -> None:
        self._points.remove(point)
        self._markers.mkdir(exist_ok=True)
        try:
            (self._markers / point.marker).touch(exist_ok=False)
        except FileExistsError:
            return
        self._die()

    async def _workflow(self, execution: str) -> str:
        if execution not in self._names:
            row = await self._store.execution(execution)
            self._names[execution] = row.workflow if row is not None else ""
        return self._names[execution]


def crashing_store(store: Store, crashes: Crashes) -> Store:
    """The store, with its crash points."""

    async def around(verb: str, arguments: tuple[Any, ...], call: Callable[[], Awaitable[Any]]) -> Any:
        executions, facts = _about(verb, arguments)
        if verb == "accept":
            crashes.knows(arguments[0].id, arguments[0].fact.workflow)
        await crashes.reached(f"{verb}.before", executions, facts)
        result = await call()
        if verb == "claim":
            if not result:
                return result
            executions = [claim.ownership.execution for claim in result if isinstance(claim, Claim)]
        await crashes.reached(f"{verb}.after", executions, facts)
        return result

    return intercepted(store, around)


class CrashingRunner:
    """A runner of steps, with its crash points."""

    def __init__(self, runner: StepRunner, crashes: Crashes) -> None:
        self._runner = runner
        self._crashes = crashes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    async def run(self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel) -> Outcome:
        """See ``awf.engine.ports.StepRunner``."""
        about = [context.execution]
        await self._crashes.reached("start.before", about)
        running = asyncio.ensure_future(self._runner.run(fact, context, emit, cancel))
        if self._crashes.expects("start.after"):
            while not running.done() and not Family([fact.attempt_id]).living():
                await asyncio.wait([running], timeout=0)
            await self._crashes.reached("start.after", about)
        outcome = await running
        await self._crashes.reached("finish", about)
        return outcome

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """See ``awf.engine.ports.StepRunner``."""
        about = sorted({attempt.partition(".")[0] for attempt in attempt_ids})
        await self._crashes.reached("leftovers.before", about)
        await self._runner.end_leftovers(attempt_ids)
        await self._crashes.reached("leftovers.after", about)


def _about(verb: str, arguments: tuple[Any, ...]) -> tuple[list[str], list[str]]:
    """The executions and the facts that a call is about, as far as its arguments tell."""
    match verb, arguments:
        case "append", (ownership, entries, *_):
            return [ownership.execution], [type(entry.fact).__struct_config__.tag for entry in entries]
        case "accept", (acceptance, *_):
            return [acceptance.id], ["execution.accepted"]
        case _, (str(execution), *_):
            return [execution], []
        case _:
            return [], []


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
