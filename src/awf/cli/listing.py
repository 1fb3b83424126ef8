"""The workflows of a project as ``awf list`` shows them. Loads nothing that only running them needs: it must feel instant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from awf.cli.show import note

if TYPE_CHECKING:
    from awf.engine.ports import WorkflowFile
    from awf.settings import Settings


class Listed(Struct, frozen=True):
    """A workflow as the list shows it. ``source`` says where it was found, where that is known (see ``WorkflowFile``);
    ``error`` is set where it cannot be run, with everything that is wrong with it."""

    name: str
    version: str
    description: str
    source: str = ""
    error: str = ""


def list_workflows(settings: Settings) -> list[Listed]:
    """Every workflow, sorted by name; what is wrong with packs is noted."""
    from awf.catalog import Catalog

    catalog = Catalog(settings.root, os.environ, settings.storage)
    found = catalog.names()
    for pack in catalog.packs():
        for problem in pack.problems:
            note(f"{problem.position}: {problem.severity}: {problem.message}")
    return [_listed(file) for file in found]


def _listed(file: WorkflowFile) -> Listed:
    workflow, document = file.loaded.workflow, file.loaded.document or {}
    if workflow is not None:
        return Listed(file.identifier, workflow.version, workflow.description, file.source)
    version, description = (str(document.get(key, "")) for key in ("version", "description"))
    why = "; ".join(str(problem) for problem in file.loaded.errors) or "it cannot be loaded"
    return Listed(file.identifier, version, description, file.source, why)
