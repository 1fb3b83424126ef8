"""Pinned definitions: what an execution runs is the text it was accepted with, whatever happened to the file."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from awf.domain.load import load_workflow
from awf.domain.workflow import Workflow
from awf.errors import ReplayDiverged, WorkflowInvalid
from awf.journal.events import ExecutionAccepted
from awf.journal.store import Store

MAIN = "workflow"
"""The role of the main file in ``ExecutionAccepted.definition``."""

_KEEP = 128


def digest(text: str) -> str:
    """The name under which a source text is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


class Definitions:
    """Loads pinned workflows; the latest 128 are kept parsed, shared by all executions of the same text."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: OrderedDict[tuple[str, str, str], Workflow] = OrderedDict()

    async def workflow(self, accepted: ExecutionAccepted) -> Workflow:
        """The workflow of an execution. Raises ReplayDiverged where its text is gone, WorkflowInvalid where this
        version of awf cannot load it any more."""
        name = accepted.definition.get(MAIN, "")
        key = name, accepted.file, accepted.workflow
        known = self._parsed.get(key)
        if known is None:
            known = self._parsed[key] = await self._load(name, accepted)
            while len(self._parsed) > _KEEP:
                self._parsed.popitem(last=False)
        self._parsed.move_to_end(key)
        return known

    async def _load(self, name: str, accepted: ExecutionAccepted) -> Workflow:
        text = (await self._store.sources([name])).get(name)
        if text is None:
            raise ReplayDiverged(f"the pinned text of workflow '{accepted.workflow}' is not in the store")
        loaded = load_workflow(text, accepted.file, accepted.workflow)
        if loaded.workflow is None or loaded.errors:
            found = "; ".join(str(problem) for problem in loaded.errors)
            raise WorkflowInvalid(f"this version of awf cannot run the pinned workflow: {found}")
        return loaded.workflow
