"""From the options of a command to settings: the project's root is the nearest ancestor with ``.awf/``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from awf.catalog import Catalog, project_root
from awf.cli.options import current
from awf.domain.suggest import did_you_mean
from awf.engine.ports import WorkflowFile
from awf.errors import WorkflowNotFound
from awf.settings import Settings, load_settings


def settings_of(**arguments: Any) -> Settings:
    """Settings for the project that the current directory belongs to, with the storage directory that the options of the
    command name. Raises SettingsInvalid."""
    chosen = {"storage": current().storage, **arguments}
    return load_settings(project_root(Path.cwd()), os.environ, chosen)


def named_workflow(argument: str) -> WorkflowFile:
    """The workflow of this project that an argument means, by name or by path. Raises WorkflowNotFound."""
    settings = settings_of()
    return workflow_file(Catalog(settings.root, os.environ, settings.storage), argument)


def workflow_file(catalog: Catalog, argument: str) -> WorkflowFile:
    """The workflow that an argument means, by name or by path. Raises WorkflowNotFound."""
    if _is_path(argument):
        return catalog.find_path(argument)
    try:
        return catalog.find(argument)
    except WorkflowNotFound as error:
        if hint := did_you_mean(argument, catalog.identifiers()):
            raise WorkflowNotFound(argument, error.message + hint) from None
        raise


def _is_path(argument: str) -> bool:
    """Whether an argument means a file, not a name: it has an extension, or more directories than a pack."""
    return (
        argument.endswith((".yaml", ".yml"))
        or argument.count(os.sep) > 1
        or argument[:1] in {".", "~", os.sep}
    )
