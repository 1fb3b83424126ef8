"""Installed packs: directories with a manifest, workflows, and what belongs to these."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from awf.catalog.files import settled, unchanged
from awf.catalog.manifest import Manifest, name_problem, read_manifest
from awf.catalog.names import EXTENSIONS, identifier_of
from awf.catalog.reading import SETTLED, Unreadable, Version, read
from awf.catalog.sources import pack_directories
from awf.domain.packs import is_pack_name
from awf.domain.problems import Position, Problem

UNREADABLE = "SYSTEM.IO.READ_FAILED"
NAME = "WORKFLOW.PACK.NAME"
STATE = "WORKFLOW.PACK.STATE"
NO_MANIFEST = "WORKFLOW.PACK.NO_MANIFEST"
MISSING = "WORKFLOW.PARSE.PACK_WITHOUT_FILE"


class Pack(Struct, frozen=True):
    """An installed pack. ``root`` is its directory; ``enabled``: its workflows are listed. ``problems`` are those of
    its own files; ``seen`` has these files' versions (None: there is none): the pack is the same while they are."""

    name: str
    root: str
    manifest: Manifest = field(default_factory=Manifest)
    enabled: bool = True
    problems: tuple[Problem, ...] = ()
    seen: Mapping[str, Version | None] = field(default_factory=dict)

    def path(self, workflow: str) -> str | None:
        """The file of a workflow, whose name has been checked."""
        for extension in EXTENSIONS:
            path = os.path.join(self.root, "workflows", workflow + extension)  # noqa: PTH118 - paths are strings here
            if os.path.lexists(path):
                return path
        return None

    def listed(self) -> list[str]:
        """The workflows to show: those of the manifest, or all that there are where it does not say."""
        if self.manifest.workflows is not None:
            return sorted(self.manifest.workflows)
        try:
            names = os.listdir(os.path.join(self.root, "workflows"))  # noqa: PTH118
        except OSError:
            return []
        return sorted({stem for name in names if (stem := identifier_of(name)) and is_pack_name(stem)})

    def missing(self, workflow: str) -> Problem | None:
        """That the manifest lists a workflow without a file; None where it does not list it."""
        place = (self.manifest.workflows or {}).get(workflow)
        if place is None:
            return None
        message = f"workflow '{workflow}' is listed, and there is no workflows/{workflow}.yaml"
        return Problem(place, MISSING, message)


class Packs:
    """The packs that can be seen from the project at ``root``. Safe to use from several threads."""

    def __init__(self, root: str, environ: Mapping[str, str]) -> None:
        self._root = root.rstrip("/") + "/"
        self._directories = [str(place) for place in pack_directories(Path(root), environ)]
        self._kept: dict[str, Pack] = {}
        self._lock = threading.Lock()

    def installed(self) -> list[Pack]:
        """Every pack by name; the first directory that has a name wins. Broken ones with their problems."""
        found: dict[str, Pack] = {}
        for directory in self._directories:
            for name in _entries(directory):
                if name not in found:
                    found[name] = self._pack(directory, name)
        return [found[name] for name in sorted(found)]

    def find(self, name: str) -> Pack | None:
        """One pack, enabled or not. The name is looked at before the file system is."""
        if name_problem(name) is not None:
            return None
        for directory in self._directories:
            if _is_pack(os.path.join(directory, name)):  # noqa: PTH118
                return self._pack(directory, name)
        return None

    def around(self, workflow: str) -> Pack | None:
        """The pack that a workflow file lies in, installed or not."""
        path = Path(workflow)
        root = path.parent.parent
        inside = (
            path.parent.name == "workflows" and is_pack_name(path.stem) and name_problem(root.name) is None
        )
        return (
            self._pack(str(root.parent), root.name) if inside and (root / "manifest.yaml").exists() else None
        )

    def _pack(self, directory: str, name: str) -> Pack:
        root = os.path.join(directory, name)  # noqa: PTH118
        with self._lock:
            kept = self._kept.get(root)
        if kept is not None and unchanged(kept.seen):
            return kept
        pack = self._read(root, name)
        with self._lock:
            if settled(pack.seen, time.time_ns(), SETTLED):
                self._kept[root] = pack
            else:
                self._kept.pop(root, None)
        return pack

    def _read(self, root: str, name: str) -> Pack:
        problem = name_problem(name)
        if problem is not None:
            return Pack(name, root, enabled=False, problems=(Problem(self._place(root), NAME, problem),))
        seen: dict[str, Version | None] = {}
        manifest = self._manifest(f"{root}/manifest.yaml", name, seen)
        enabled, wrong = self._state(f"{root}/state.json", seen)
        return Pack(name, root, manifest, enabled, (*manifest.problems, *wrong), seen)

    def _manifest(self, path: str, name: str, seen: dict[str, Version | None]) -> Manifest:
        place = self._place(path)
        seen[path] = None
        if not os.path.lexists(path):
            return Manifest(problems=(Problem(place, NO_MANIFEST, "the pack has no manifest.yaml"),))
        try:
            text, seen[path] = read(path)
        except Unreadable as error:
            return Manifest(problems=(Problem(place, UNREADABLE, f"the file {error.reason}"),))
        return read_manifest(text, place.file, name)

    def _state(self, path: str, seen: dict[str, Version | None]) -> tuple[bool, tuple[Problem, ...]]:
        """Whether the pack is enabled: where the file does not say otherwise, it is."""
        place = self._place(path)
        seen[path] = None
        if not os.path.lexists(path):
            return True, ()
        try:
            text, seen[path] = read(path)
            state = json.loads(text)
        except Unreadable as error:
            return True, (Problem(place, UNREADABLE, f"the file {error.reason}"),)
        except (ValueError, RecursionError) as error:
            return True, (Problem(place, STATE, f"the file is not JSON: {error}"),)
        enabled = state.get("enabled", True) if isinstance(state, dict) else None
        if not isinstance(enabled, bool):
            return True, (Problem(place, STATE, "'enabled' must be true or false"),)
        return enabled, ()

    def _place(self, path: str) -> Position:
        return Position(path.removeprefix(self._root), 1, 1)


def _entries(directory: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        if not name.startswith(".") and _is_pack(os.path.join(directory, name)):  # noqa: PTH118
            yield name


def _is_pack(root: str) -> bool:
    """A directory with neither a manifest nor workflows is something else, and hides no pack of its name."""
    return os.path.lexists(f"{root}/manifest.yaml") or os.path.isdir(f"{root}/workflows")  # noqa: PTH112
