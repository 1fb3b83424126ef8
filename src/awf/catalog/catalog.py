"""Workflow files of a project: found in their sources, loaded once per content."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from awf.catalog.files import Beside, unchanged
from awf.catalog.names import EXTENSIONS, identifier_of, is_identifier
from awf.catalog.reading import Unreadable, Version, read, version_of
from awf.catalog.sources import sources
from awf.domain.load import Loaded, load_workflow
from awf.domain.problems import Position, Problem
from awf.engine.ports import WorkflowFile
from awf.errors import WorkflowNotFound

READ_FAILED = "SYSTEM.IO.READ_FAILED"
_SETTLED = 100_000_000
"""Nanoseconds. A file modified less than this before it was read may change again within one tick of the file
system's clock and keep its time and size: what was loaded from it is not taken as current."""


@dataclass(frozen=True, slots=True)
class _Kept:
    version: Version
    seen: Mapping[str, Version | None]
    found: WorkflowFile


class Catalog:
    """The workflows that can be named in the project at ``root``; see :class:`awf.engine.ports.Catalog`.

    Safe to use from several threads.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = str(root.absolute())
        self._environ = environ
        self._sources = sources(root.absolute(), environ)
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def names(self) -> list[WorkflowFile]:
        """Every workflow of every source, sorted by identifier; the first source that has a name wins. Broken files are
        there with their problems. A file that has not changed is not read again."""
        found: dict[str, WorkflowFile] = {}
        paths: set[str] = set()
        for source in self._sources:
            for identifier, path, version in _entries(str(source.directory)):
                if identifier not in found:
                    found[identifier] = self._load(path, identifier, source.name, version)
                    paths.add(path)
        self._forget_all_but(paths)
        return [found[identifier] for identifier in sorted(found)]

    def find(self, identifier: str) -> WorkflowFile:
        """One workflow, by its file's name with or without the extension; a broken file with its problems.

        Raises WorkflowNotFound, for a name that cannot be a workflow's without a look at the file system.
        """
        place = self._place(identifier)
        if place is None:
            raise WorkflowNotFound(identifier)
        return self._load(*place)

    def known(self, identifier: str) -> WorkflowFile | None:
        """One workflow, if it has been read and its file has not changed since."""
        place = self._place(identifier)
        return None if place is None else self._unchanged(*place)

    def find_path(self, path: str | Path) -> WorkflowFile:
        """The workflow in a file anywhere (source ``path``). Raises WorkflowNotFound where there is no such file."""
        if not os.path.lexists(path):
            raise WorkflowNotFound(str(path))
        place = os.path.abspath(path)  # noqa: PTH100 - without `..` in it
        return self._read(place, Path(path).stem, "path", Beside(place, self._root, self._environ))[0]

    def _place(self, identifier: str) -> tuple[str, str, str, Version | None] | None:
        """Path, identifier, source and version of the file that an identifier names."""
        if not is_identifier(identifier):
            return None
        for name in (identifier, identifier_of(identifier)):
            for source in self._sources if name else ():
                for extension in EXTENSIONS:
                    path = os.path.join(source.directory, f"{name}{extension}")  # noqa: PTH118 - paths are strings here
                    if os.path.lexists(path):
                        return path, str(name), source.name, _version(path)
        return None

    def _unchanged(self, path: str, _: str, source: str, version: Version | None) -> WorkflowFile | None:
        with self._lock:
            kept = self._kept.get(path)
        if (
            kept is not None
            and kept.version == version
            and kept.found.source == source
            and unchanged(kept.seen)
        ):
            return kept.found
        return None

    def _load(self, path: str, identifier: str, source: str, version: Version | None) -> WorkflowFile:
        kept = self._unchanged(path, identifier, source, version)
        if kept is not None:
            return kept
        beside = Beside(path, self._root, self._environ)
        found, read_version = self._read(path, identifier, source, beside)
        now = time.time_ns()
        with self._lock:
            if read_version and abs(now - read_version.changed) > _SETTLED and beside.settled(now, _SETTLED):
                self._kept[path] = _Kept(read_version, beside.seen, found)
            else:
                self._kept.pop(path, None)
        return found

    def _read(
        self, path: str, identifier: str, source: str, beside: Beside
    ) -> tuple[WorkflowFile, Version | None]:
        shown = self._shown(path)
        try:
            data, version = read(path)
        except Unreadable as error:
            problem = Problem(Position(shown, 1, 1), READ_FAILED, f"the file {error.reason}")
            return WorkflowFile(identifier, shown, source, "", Loaded(None, (problem,))), None
        loaded = load_workflow(data, shown, identifier, beside)
        text = data.decode() if loaded.workflow is not None else data.decode(errors="replace")
        return WorkflowFile(identifier, shown, source, text, loaded), version

    def _shown(self, path: str) -> str:
        """The path as messages show it: from the project's root where it lies there."""
        inside = self._root.rstrip("/") + "/"
        return path.removeprefix(inside)

    def _forget_all_but(self, paths: set[str]) -> None:
        with self._lock:
            for path in self._kept.keys() - paths:
                del self._kept[path]


def _entries(directory: str) -> Iterator[tuple[str, str, Version | None]]:
    """The workflow files of a directory, ``.yaml`` before ``.yml``: identifier, path, and version where it has one."""
    try:
        with os.scandir(directory) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        identifier = identifier_of(entry.name)
        if identifier is not None:
            yield identifier, entry.path, _version(entry)


def _version(file: str | os.DirEntry[str]) -> Version | None:
    """The file's version; None where it has none, which no kept one equals."""
    try:
        return version_of(os.stat(file))  # noqa: PTH116 - of 1,000 files
    except OSError:
        return None
