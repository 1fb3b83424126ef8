"""What people and programs can ask of awf, apart from how they ask: the facade that HTTP and the command line share.

It appends nothing but ``execution.accepted`` and writes nothing else but intents; executions belong to engines.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from awf.domain.inputs import failure_text, resolve_inputs
from awf.domain.sealing import Sealer, inputs_shown
from awf.domain.secrets import secret_inputs
from awf.domain.suggest import did_you_mean
from awf.domain.variables import exported
from awf.domain.workflow import Workflow
from awf.engine.evolve import fold
from awf.engine.linking import Linked, link
from awf.engine.past import Past, before
from awf.engine.pinned import Definitions, Pins, pin_aside
from awf.engine.ports import Catalog, Clock, WorkflowFile
from awf.engine.resume import resume_point
from awf.engine.state import ExecutionState
from awf.errors import (
    AnswerInvalid,
    ErrorEntry,
    ExecutionNotFound,
    InputsInvalid,
    NotResumable,
    NotWaiting,
    StoreUnavailable,
)
from awf.journal.events import Entry, ExecutionAccepted
from awf.journal.store import Acceptance, ExecutionFilter, ExecutionRow, Store

MOST_RUNNING = 1000
"""Executions that are looked through for those whose engine has died; more never run at once."""


class Place(Struct, frozen=True):
    """Where executions of this service run: the project's root, the working directory and awf's own directories (by
    their names in templates), pinned per execution. ``inputs`` are the project's: they stand in for what a run does not
    give. ``secrets`` are the values of secret variables, by name."""

    root: str
    working_dir: str
    directories: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


class Signals(Struct, frozen=True):
    """How the service reaches engines. ``wake``: something is to be done. ``mark_cancel``: end this execution's
    processes although nothing can be written; False where that cannot be said. ``alive``: does this owner live?"""

    wake: Callable[[], None]
    mark_cancel: Callable[[str], bool]
    alive: Callable[[str], bool]


class Service:
    """One store, one catalog. Every method may be called concurrently."""

    def __init__(
        self, *, store: Store, catalog: Catalog, clock: Clock, signals: Signals, place: Place
    ) -> None:
        self.store = store
        self._catalog = catalog
        self._clock = clock
        self._signals = signals
        self._place = place
        self._sealer = Sealer(place.secrets)
        self._definitions = Definitions(store)

    # Workflows

    async def workflows(self) -> list[WorkflowFile]:
        """Every workflow, sorted by name; broken ones with their problems."""
        return await asyncio.to_thread(self._catalog.names)

    async def workflow(self, name: str) -> WorkflowFile:
        """One workflow, possibly with problems. Raises WorkflowNotFound."""
        known = self._catalog.known(name)
        return known if known is not None else await asyncio.to_thread(self._catalog.find, name)

    async def linked(self, file: WorkflowFile) -> Linked:
        """A workflow with those that it calls, and everything that is wrong with them."""
        if not file.loaded.calls:
            return link(file, self._catalog)
        return await asyncio.to_thread(link, file, self._catalog)

    # Executions

    async def run(self, name: str, inputs: dict[str, Any]) -> str:
        """Accept an execution; its id, once it is durable.

        Raises WorkflowNotFound, WorkflowInvalid, InputsInvalid, StoreUnavailable.
        """
        return await self.run_file(await self.workflow(name), inputs)

    async def run_file(self, file: WorkflowFile, inputs: dict[str, Any], *, owner: str | None = None) -> str:
        """Like ``run``, of a workflow that has been found. ``owner`` has the execution from the start."""
        linked = await self.linked(file)
        workflow = linked.runnable()
        place = self._place
        values, secrets, warnings = self.resolved_inputs(workflow, inputs, place.working_dir, place.inputs)
        shown, hidden = self._for_the_record(values, secrets)
        execution = str(uuid.uuid4())
        pins = await pin_aside(linked)
        fact = ExecutionAccepted(
            workflow=file.identifier,
            file=file.file,
            definition=pins.definition,
            files=pins.files,
            inputs=shown,
            secrets=secrets,
            initial=workflow.initial,
            root=place.root,
            working_dir=place.working_dir,
            awf=dict(place.directories),
            warnings=warnings,
        )
        await self._accept(
            Acceptance(
                id=execution,
                fact=fact,
                now=self._clock.now(),
                secrets=hidden,
                sources=pins.sources,
                owner=owner,
            )
        )
        return execution

    async def cancel(self, execution: str) -> None:
        """Ask for an execution to end. Unknown and finished ones are left alone. Raises StoreUnavailable only where
        the request can neither be written nor be passed on."""
        row = await self.store.execution(execution)
        if row is None or row.completed_at is not None:
            return
        try:
            if not await self.store.add_intent(execution, "cancel", None, self._clock.now()):
                return
        except StoreUnavailable:
            if not self._signals.mark_cancel(execution):
                raise
        self._signals.wake()

    async def respond(
        self, execution: str, response: str, *, comment: str = "", by: str = "", path: str | None = None
    ) -> None:
        """Answer what a step of an execution waits for; returns once the answer is durable. Of two answers to one
        question, one gets through. ``path`` says which step, where several wait; ``by`` who answers, for the record.

        Raises ExecutionNotFound, NotWaiting, AnswerInvalid (no choice, or several wait), StoreUnavailable.
        """
        row = await self.execution(execution)
        waiting = [each for each in row.waiting if path in {None, each.path}]
        paths = ", ".join(each.path for each in row.waiting)
        if not waiting:
            raise NotWaiting(execution, f"; what waits: {paths}" if paths else "")
        if len(waiting) > 1:
            raise AnswerInvalid(f"path: several steps of this execution wait, say which: {paths}")
        (asked,) = waiting
        if asked.choices and response not in asked.choices:
            choices = ", ".join(asked.choices)
            hint = did_you_mean(response, asked.choices)
            raise AnswerInvalid(f"response: must be one of {choices}{hint}")
        data = {"question": asked.question, "response": response, "comment": comment, "by": by}
        now = self._clock.now()
        if not await self.store.add_intent(execution, "respond", data, now, question=asked.question):
            raise NotWaiting(execution, ": it has been answered, or has ended")
        self._signals.wake()

    async def resume(
        self,
        execution: str,
        *,
        from_step: str | None,
        overrides: dict[str, Any],
        latest: bool = False,
        owner: str | None = None,
    ) -> str:
        """Accept a new execution that goes on where a failed or cancelled one ended; its id, once it is durable.

        ``latest`` runs the file as it is now instead of the pinned definition. ``owner`` has it from the start. Raises NotResumable (unknown, running
        or completed), ResumePointInvalid, InputsInvalid, WorkflowInvalid, WorkflowNotFound, StoreUnavailable.
        """
        row = await self.store.execution(execution)
        if row is None or row.status not in {"failed", "cancelled"}:
            raise NotResumable(execution)
        lineage = await self._lineage(execution)
        accepted = lineage[0].accepted
        workflows = await self._definitions.workflows(accepted) if not latest else {}
        pins, file_name = Pins(accepted.definition, accepted.files), accepted.file
        if latest:
            linked = await self.linked(await self.workflow(accepted.workflow))
            workflow, file_name = linked.runnable(), linked.file.file
            pins = await pin_aside(linked)
            workflows = linked.workflows()
        else:
            workflow = workflows[accepted.workflow]
        point = resume_point(lineage, workflows, from_step)
        known = {**accepted.inputs, **await self.store.secrets(execution)}
        values, secrets, warnings = self.resolved_inputs(
            workflow, {**known, **overrides}, accepted.working_dir
        )
        shown, hidden = self._for_the_record(values, secrets)
        fact = ExecutionAccepted(
            workflow=accepted.workflow,
            file=file_name,
            definition=pins.definition,
            files=pins.files,
            inputs=shown,
            secrets=secrets,
            initial=point.path,
            root=accepted.root,
            working_dir=accepted.working_dir,
            awf=accepted.awf,
            resumed=point.resumed(execution),
            warnings=warnings,
        )
        new = str(uuid.uuid4())
        await self._accept(
            Acceptance(
                id=new,
                fact=fact,
                now=self._clock.now(),
                secrets=hidden,
                sources=pins.sources,
                owner=owner,
            )
        )
        return new

    async def _lineage(self, execution: str) -> list[Past]:
        """An execution and those that it goes back on, newest first, as far as their records are kept."""
        found: list[Past] = []
        entries, upto = await journal_of(self.store, execution), 0
        while entries:
            found.append(Past(execution, entries, upto or len(entries)))
            resumed = before(found[-1].accepted)
            if resumed is None:
                break
            execution, upto = resumed.source, resumed.upto
            entries = await journal_of(self.store, execution)
        return found

    async def execution(self, execution: str) -> ExecutionRow:
        """One execution, never shown as running when nobody runs it. Raises ExecutionNotFound."""
        row = await self.store.execution(execution)
        if row is None:
            raise ExecutionNotFound(execution)
        dead = {row.owner} if row.owner is not None and not self._signals.alive(row.owner) else set()
        return _shown(row, dead)

    async def executions(self, query: ExecutionFilter) -> list[ExecutionRow]:
        """Executions, newest first; ``status`` filters by what is shown."""
        dead = {owner for owner in await self.store.owners() if not self._signals.alive(owner)}
        if not dead or query.status not in {"pending", "running"}:
            return [_shown(row, dead) for row in await self.store.executions(query)]
        everything = msgspec.structs.replace(query, limit=MOST_RUNNING)
        running = [
            _shown(row, dead)
            for row in await self.store.executions(msgspec.structs.replace(everything, status="running"))
        ]
        pending = await self.store.executions(msgspec.structs.replace(query, status="pending"))
        found = [row for row in (*running, *pending) if row.status == query.status]
        return sorted(found, key=lambda row: row.order, reverse=True)[: query.limit]

    async def _accept(self, acceptance: Acceptance) -> None:
        try:
            await self.store.accept(acceptance)
        except StoreUnavailable:
            # Its answer may have been lost: who is told that it failed asks for another, and both would run.
            if await self.store.execution(acceptance.id) is None:
                raise
        self._signals.wake()

    def _for_the_record(
        self, values: dict[str, Any], secrets: Collection[str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The inputs as the journal has them, and the real values of those where that is something else: of secrets, and
        of what has the text of one in it."""
        shown = inputs_shown(values, secrets, self._sealer)
        hidden = {name: value for name, value in values.items() if name in secrets or shown[name] != value}
        return shown, hidden

    @staticmethod
    def resolved_inputs(
        workflow: Workflow,
        given: Mapping[str, Any],
        working_dir: str,
        defaults: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
        """Coerced inputs, the names of the secret ones among them, and warnings. ``defaults`` that the workflow does not declare are
        usable and not worth a warning. Raises InputsInvalid with all failures."""
        missing = {name: value for name, value in (defaults or {}).items() if given.get(name) is None}
        declared = {item.name for item in workflow.inputs}
        supplied = {**given, **{name: value for name, value in missing.items() if name in declared}}
        resolved = resolve_inputs(
            workflow, supplied, file_exists=lambda path: Path(working_dir, path).exists()
        )
        for name in missing.keys() - declared:
            resolved.values[name] = missing[name]
        if resolved.errors:
            entries = [ErrorEntry(f"inputs.{name}", text) for name, text in resolved.errors]
            raise InputsInvalid(failure_text(resolved.errors), entries=entries)
        secrets = secret_inputs(workflow, resolved.values)
        left_out = exported(resolved.values, ()).left_out
        return dict(resolved.values), secrets, (*resolved.warnings, *left_out)


def _shown(row: ExecutionRow, dead: Collection[str | None]) -> ExecutionRow:
    """What nobody runs is shown as pending."""
    if row.status == "running" and row.owner in dead:
        return msgspec.structs.replace(row, status="pending")
    return row


async def journal_of(store: Store, execution: str) -> list[Entry]:
    """A whole journal, read in pages."""
    entries: list[Entry] = []
    while page := await store.journal(execution, after=entries[-1].seq if entries else 0, limit=1000):
        entries += page
    return entries


async def load_state(store: Store, execution: str) -> ExecutionState:
    """The state of an execution, folded from its journal. Raises ReplayDiverged."""
    return fold(execution, await journal_of(store, execution))
