"""Workflow files of a project: found in their sources, loaded once per content."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from awf.catalog.files import Beside, settled, unchanged
from awf.catalog.names import EXTENSIONS, identifier_of, is_identifier
from awf.catalog.packs import Pack, Packs
from awf.catalog.reading import SETTLED, Unreadable, Version, read, version_of
from awf.catalog.sources import Source, sources
from awf.domain.load import Loaded, load_workflow
from awf.domain.packs import SCOPES, pack_of, split
from awf.domain.problems import Position, Problem
from awf.engine.ports import WorkflowFile
from awf.errors import PackNotFound, WorkflowNotFound
from awf.extensions import installed

READ_FAILED = "SYSTEM.IO.READ_FAILED"
_SETTLED = SETTLED


class _Kept(Struct, frozen=True):
    """A loaded file, and the versions of everything that was read for it."""

    version: Version
    seen: Mapping[str, Version | None]
    found: WorkflowFile


class _Place(Struct, frozen=True):
    """Where an identifier leads to. ``version`` is the file's, where it has one."""

    path: str
    identifier: str
    source: str
    version: Version | None
    pack: Pack | None = None


class Catalog:
    """The workflows that can be named in the project at ``root``; see :class:`awf.engine.ports.Catalog`.

    ``storage`` is the storage directory, where it is not the project's usual one. Safe to use from several threads.
    """

    def __init__(self, root: Path, environ: Mapping[str, str], storage: Path | None = None) -> None:
        self._root = str(root.absolute())
        self._environ = environ
        self._storage = storage
        self._sources = sources(root.absolute(), environ)
        self._packs = Packs(self._root, environ)
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def names(self) -> list[WorkflowFile]:
        """Every workflow of every source and of every enabled pack, sorted by identifier; the first source that has a
        name wins. Broken files are there with their problems. A file that has not changed is not read again."""
        found: dict[str, WorkflowFile] = {}
        paths: set[str] = set()
        for source in self._sources:
            for identifier, path, version in _entries(str(source.directory)):
                if identifier not in found:
                    found[identifier] = self._load(_Place(path, identifier, source.name, version))
                    paths.add(path)
        for pack in self._packs.installed():
            for name in pack.listed() if pack.enabled else ():
                place = self._in_pack(pack, name)
                file = self._load(place) if place else self._absent(pack, name)
                if file is not None:
                    found[file.identifier] = file
                paths.update((place.path,) if place else ())
        self._forget_all_but(paths)
        return [found[identifier] for identifier in sorted(found)]

    def identifiers(self) -> list[str]:
        """The names of all workflows; none of their files is read."""
        found = {name for source in self._sources for name, _, _ in _entries(str(source.directory))}
        for pack in self._packs.installed():
            found.update(f"{pack.name}/{name}" for name in (pack.listed() if pack.enabled else ()))
        return sorted(found)

    def packs(self) -> list[Pack]:
        """Every installed pack, by name; broken ones with their problems."""
        return self._packs.installed()

    def find(self, identifier: str) -> WorkflowFile:
        """One workflow, by its file's name with or without the extension, as ``pack/workflow``, or as ``local/workflow``
        of one source; a broken file with its problems.

        Raises WorkflowNotFound, for a name that cannot be a workflow's without a look at the file system.
        """
        place = self._place(identifier)
        return self._load(place) if place else self._not_there(identifier)

    def known(self, identifier: str) -> WorkflowFile | None:
        """One workflow, if it has been read and its file has not changed since."""
        place = self._place(identifier)
        return None if place is None else self._unchanged(place)

    def find_path(self, path: str | Path) -> WorkflowFile:
        """The workflow in a file anywhere (source ``path``). Raises WorkflowNotFound where there is no such file."""
        if not os.path.lexists(path):
            raise WorkflowNotFound(str(path))
        place = os.path.abspath(path)  # noqa: PTH100 - without `..` in it
        pack, stem = self._packs.around(place), Path(path).stem
        identifier = f"{pack.name}/{stem}" if pack else stem
        return self._read(_Place(place, identifier, "path", None, pack))[0]

    def _place(self, identifier: str) -> _Place | None:
        """The file that an identifier names, if there is one."""
        halves = split(identifier)
        if halves is None:
            return self._in_sources(identifier, self._sources)
        scope, name = halves
        if scope not in SCOPES:
            pack = self._packs.find(scope)
            return None if pack is None else self._in_pack(pack, name)
        place = self._in_sources(name, [source for source in self._sources if source.name == scope])
        if place is None or place == self._in_sources(name, self._sources):
            return place
        return replace(place, identifier=f"{scope}/{place.identifier}")

    def _in_sources(self, identifier: str, among: Iterable[Source]) -> _Place | None:
        if not is_identifier(identifier):
            return None
        for name in (identifier, identifier_of(identifier)):
            for source in among if name else ():
                for extension in EXTENSIONS:
                    path = os.path.join(source.directory, f"{name}{extension}")  # noqa: PTH118 - paths are strings here
                    if os.path.lexists(path):
                        return _Place(path, str(name), source.name, _version(path))
        return None

    @staticmethod
    def _in_pack(pack: Pack, name: str) -> _Place | None:
        path = pack.path(name)
        return _Place(path, f"{pack.name}/{name}", "pack", _version(path), pack) if path else None

    def _not_there(self, identifier: str) -> WorkflowFile:
        """Raises WorkflowNotFound, but for a workflow that a pack promises and does not have."""
        name = pack_of(identifier)
        if name is None:
            raise WorkflowNotFound(identifier)
        pack, workflow = self._packs.find(name), identifier.partition("/")[2]
        if pack is None:
            raise PackNotFound(identifier)
        absent = self._absent(pack, workflow)
        if absent is None:
            raise WorkflowNotFound(identifier, f'workflow "{workflow}" not found in pack "{name}"')
        return absent

    @staticmethod
    def _absent(pack: Pack, name: str) -> WorkflowFile | None:
        """A workflow that the manifest lists and that has no file."""
        problem = pack.missing(name)
        if problem is None:
            return None
        loaded = Loaded(None, (problem,))
        return WorkflowFile(f"{pack.name}/{name}", problem.position.file, "pack", "", loaded)

    def _unchanged(self, place: _Place) -> WorkflowFile | None:
        with self._lock:
            kept = self._kept.get(place.path)
        if (
            kept is not None
            and kept.version == place.version
            and (kept.found.source, kept.found.identifier) == (place.source, place.identifier)
            and unchanged(kept.seen)
        ):
            return kept.found
        return None

    def _load(self, place: _Place) -> WorkflowFile:
        kept = self._unchanged(place)
        if kept is not None:
            return kept
        found, version, seen = self._read(place)
        now = time.time_ns()
        with self._lock:
            if version and abs(now - version.changed) > _SETTLED and settled(seen, now, _SETTLED):
                self._kept[place.path] = _Kept(version, seen, found)
            else:
                self._kept.pop(place.path, None)
        return found

    def _read(self, place: _Place) -> tuple[WorkflowFile, Version | None, Mapping[str, Version | None]]:
        """The workflow, its file's version, and those of the files that belong to it."""
        shown, pack = self._shown(place.path), place.pack
        try:
            data, version = read(place.path)
        except Unreadable as error:
            problem = Problem(Position(shown, 1, 1), READ_FAILED, f"the file {error.reason}")
            broken = Loaded(None, (problem,))
            return WorkflowFile(place.identifier, shown, place.source, "", broken), None, {}
        beside = Beside(place.path, self._root, self._environ, pack.name if pack else None, self._storage)
        loaded = load_workflow(data, shown, place.identifier, beside, installed())
        text = data.decode() if loaded.workflow is not None else data.decode(errors="replace")
        if pack is not None:
            noted = tuple(replace(problem, severity="warning") for problem in pack.problems)
            loaded = replace(loaded, problems=(*loaded.problems, *noted))
            beside.seen.update(pack.seen)
        return WorkflowFile(place.identifier, shown, place.source, text, loaded), version, beside.seen

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
