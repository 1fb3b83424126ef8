"""Pinned definitions: what an execution runs is the text it was accepted with, whatever happened to the file."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict

from msgspec import Struct, field

from awf.domain.files import FileMissing
from awf.domain.load import load_workflow
from awf.domain.workflow import Workflow
from awf.engine.linking import Linked
from awf.engine.ports import WorkflowFile
from awf.errors import ReplayDiverged, WorkflowInvalid
from awf.extensions import installed
from awf.journal.events import ExecutionAccepted
from awf.journal.store import Store

MAIN = "workflow"
"""The role of the main file in ``ExecutionAccepted.definition``."""

CHILD = "workflow:"
"""Before a sub-workflow's name: its role."""

BESIDE = "file:"
"""Before a workflow's name, a colon and a path: the role of a file that belongs to that workflow, a script say."""

_KEEP = 128

QUICK = 256 * 1024
"""Characters that are hashed in less time (0.2 ms) than it takes to hand them to a busy thread."""


def digest(text: str) -> str:
    """The name under which a source text is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


class Pins(Struct):
    """What an execution pins: ``definition`` and ``files`` as in ``ExecutionAccepted``, and the texts by digest."""

    definition: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def add(self, role: str, file: WorkflowFile) -> None:
        """Pin one workflow with the files that belong to it."""
        self._keep(role, file.text)
        if role != MAIN:
            self.files[role] = file.file
        name = file.identifier if role == MAIN else role.removeprefix(CHILD)
        for path, text in file.loaded.files.items():
            self._keep(f"{BESIDE}{name}:{path}", text)

    def _keep(self, role: str, text: str) -> None:
        name = digest(text)
        self.definition[role] = name
        self.sources[name] = text


async def pin_aside(linked: Linked) -> Pins:
    """As ``pin``; what takes a while to hash does not hold up the event loop."""
    files = [linked.file, *linked.children.values()]
    size = sum(len(text) for file in files for text in (file.text, *file.loaded.files.values()))
    return pin(linked) if size <= QUICK else await asyncio.to_thread(pin, linked)


def pin(linked: Linked) -> Pins:
    """Pin a workflow and every sub-workflow that it may call."""
    pins = Pins()
    pins.add(MAIN, linked.file)
    for name, child in linked.children.items():
        pins.add(CHILD + name, child)
    return pins


class Definitions:
    """Loads pinned workflows; the latest 128 are kept parsed, shared by all executions of the same text."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: OrderedDict[_Pinned, Workflow] = OrderedDict()

    async def workflows(self, accepted: ExecutionAccepted) -> dict[str, Workflow]:
        """The workflows of an execution by identifier: its own, and its sub-workflows.

        Raises ReplayDiverged where a text is gone, WorkflowInvalid where this version of awf cannot load one any more.
        """
        found = {}
        for role, name in accepted.definition.items():
            if not role.startswith(BESIDE):
                identifier = accepted.workflow if role == MAIN else role.removeprefix(CHILD)
                file = accepted.files.get(role, accepted.file)
                found[identifier] = await self._one(
                    _Pinned(name, file, identifier, _beside(accepted, identifier))
                )
        return found

    async def workflow(self, accepted: ExecutionAccepted) -> Workflow:
        """The execution's own workflow."""
        return (await self.workflows(accepted))[accepted.workflow]

    async def _one(self, pinned: _Pinned) -> Workflow:
        known = self._parsed.get(pinned)
        if known is None:
            known = self._parsed[pinned] = await self._load(pinned)
            while len(self._parsed) > _KEEP:
                self._parsed.popitem(last=False)
        self._parsed.move_to_end(pinned)
        return known

    async def _load(self, pinned: _Pinned) -> Workflow:
        names = [pinned.text, *(name for _, name in pinned.beside)]
        texts = await self._store.sources(names)
        if any(name not in texts for name in names):
            raise ReplayDiverged(f"the pinned text of workflow '{pinned.identifier}' is not in the store")
        beside = {path: texts[name] for path, name in pinned.beside}

        def files(path: str) -> str:
            if path not in beside:
                raise FileMissing(path)
            return beside[path]

        loaded = load_workflow(texts[pinned.text], pinned.file, pinned.identifier, files, installed())
        if loaded.workflow is None or loaded.errors:
            found = "; ".join(str(problem) for problem in loaded.errors)
            raise WorkflowInvalid(f"this version of awf cannot run the pinned workflow: {found}")
        return loaded.workflow


class _Pinned(Struct, frozen=True):
    """One workflow as it was pinned: the digests of its text and, by their paths, of the files that belong to it."""

    text: str
    file: str
    identifier: str
    beside: tuple[tuple[str, str], ...]


def _beside(accepted: ExecutionAccepted, identifier: str) -> tuple[tuple[str, str], ...]:
    prefix = f"{BESIDE}{identifier}:"
    return tuple(
        (role.removeprefix(prefix), name)
        for role, name in accepted.definition.items()
        if role.startswith(prefix)
    )
