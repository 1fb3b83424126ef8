"""Files that templates read while an execution runs: relative to the workflow, regular, bounded.

What a template made of a file is in the fact of the step that it was rendered for, and so is not read again on replay or
by further attempts.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from awf.domain.files import MAX_BYTES
from awf.domain.packs import pack_of
from awf.domain.templates import Text, Value
from awf.domain.workflow import Workflow

if TYPE_CHECKING:
    from awf.engine.view import View


_PATH = re.compile(r"/[^\s'\"`$;&|<>()\\\\]+")


def read_beside(flow: View, workflow: Workflow, path: str) -> str:
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


def local_first(flow: View, workflow: Workflow, parts: Sequence[Text | Value]) -> list[Text | Value]:
    """The parts of a command in which ``{{awf.scripts_dir}}/x`` and ``{{awf.prompts_dir}}/x`` mean the workflow's own
    ``scripts/x`` and ``prompts/x`` where those exist, in its directory or beside it; in a pack, first of all those that
    the project has for the pack."""
    own = {flow.state.accepted.awf.get(f"{kind}_dir"): kind for kind in ("scripts", "prompts")}
    found = list(parts)
    for index, (part, following) in enumerate(pairwise(parts)):
        kind = own.get(part.text) if isinstance(part, Value) else None
        suffix = _PATH.match(following.text) if isinstance(following, Text) else None
        if kind is not None and suffix is not None:
            for place in _nearer(flow.state.accepted.root, workflow, kind):
                if flow.world.file_exists(place + suffix[0]):
                    found[index] = Value(place, place)
                    break
    return found


def nearest(flow: View, workflow: Workflow, path: str) -> str:
    """A rendered path, moved from the user's scripts or prompts to the workflow's own where the file exists there."""
    for kind in ("scripts", "prompts"):
        own = flow.state.accepted.awf.get(f"{kind}_dir")
        if own and path.startswith(f"{own}/"):
            for place in _nearer(flow.state.accepted.root, workflow, kind):
                if flow.world.file_exists(place + path[len(own) :]):
                    return place + path[len(own) :]
    return path


def _nearer(root: str, workflow: Workflow, kind: str) -> Iterator[str]:
    """Directories that win over the user's for all projects: the project's own for a pack, then the workflow's."""
    pack = pack_of(workflow.identifier)
    if pack is not None:
        yield posixpath.join(root, ".awf", kind, pack)
    beside = posixpath.join(root, posixpath.dirname(workflow.file))
    yield posixpath.join(beside, kind)
    yield posixpath.join(posixpath.dirname(beside), kind)


def holders(place: str, file: str) -> list[str]:
    """The names of the directories in a place that have a file of that name; none where it cannot be looked at."""
    return sorted(found.parent.name for found in Path(place).glob(f"*/{file}"))


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
