"""Files that templates read while an execution runs: relative to the workflow, regular, bounded.

What a template made of a file is in the fact of the step that it was rendered for, and so is not read again on replay or
by further attempts.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from awf.domain.files import MAX_BYTES
from awf.domain.templates import Text, Value
from awf.domain.workflow import Workflow

if TYPE_CHECKING:
    from awf.engine.flow import Flow


_PATH = re.compile(r"/[^\s'\"`$;&|<>()\\\\]+")


def read_beside(flow: Flow, workflow: Workflow, path: str) -> str:
    """The text at a path as a template has it: from the workflow's directory (``.awf/`` also from the project's), or
    from the user's for ``~/``. Raises OSError, ValueError."""
    if not path or "\0" in path:
        raise ValueError("not a path")
    root, world = flow.state.accepted.root, flow.world
    if path.startswith("~/"):
        return world.read_file(posixpath.join(world.environ.get("HOME", "/"), path[2:]))
    place = posixpath.join(root, posixpath.dirname(workflow.file), path)
    if path.startswith(".awf/") and not world.file_exists(place):
        place = posixpath.join(root, path)
    return world.read_file(place)


def local_first(flow: Flow, workflow: Workflow, parts: Sequence[Text | Value]) -> list[Text | Value]:
    """The parts of a command in which ``{{awf.scripts_dir}}/x`` and ``{{awf.prompts_dir}}/x`` mean the workflow's own
    ``scripts/x`` and ``prompts/x`` where those exist, in its directory or beside it."""
    own = {flow.state.accepted.awf.get(f"{kind}_dir"): kind for kind in ("scripts", "prompts")}
    found = list(parts)
    for index, (part, following) in enumerate(pairwise(parts)):
        kind = own.get(part.text) if isinstance(part, Value) else None
        suffix = _PATH.match(following.text) if isinstance(following, Text) else None
        if kind is not None and suffix is not None:
            beside = posixpath.join(flow.state.accepted.root, posixpath.dirname(workflow.file))
            for parent in (beside, posixpath.dirname(beside)):
                place = posixpath.join(parent, kind)
                if flow.world.file_exists(place + suffix[0]):
                    found[index] = Value(place, place)
                    break
    return found


def read_text(path: str) -> str:
    """The text of a regular file of at most 1 MiB, without ever waiting for it. Raises OSError, ValueError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("the file is larger than 1 MiB")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError("the file is not valid UTF-8") from None
