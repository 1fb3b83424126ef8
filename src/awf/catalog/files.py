"""The files that belong to a workflow: scripts, prompts, templates; found by the paths that it has for them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from awf.catalog.reading import Unreadable, Version, read, version_of
from awf.catalog.sources import home, own_directory
from awf.domain.files import MAX_BYTES, FileMissing, FileRefused
from awf.domain.instructions import FILES, places

_OWN = re.compile(r"\{\{awf\.(\w+)_dir\}\}/?(.*)", re.DOTALL)
_LOCAL = frozenset({"scripts", "prompts"})


class Beside:
    """Reads files for one workflow; see ``awf.domain.files.Files``. ``seen`` has every path that was looked at, with
    the file's version then, None where there was none: what was loaded holds as long as these do. For a workflow of a
    ``pack``, the user's own scripts and prompts in ``.awf/scripts/PACK`` win over the pack's."""

    def __init__(
        self,
        workflow: str,
        root: str,
        environ: Mapping[str, str],
        pack: str | None = None,
        storage: Path | None = None,
    ) -> None:
        self._directory = Path(workflow).parent
        self._root = Path(root)
        self._environ = environ
        self._pack = pack
        self._storage = storage or self._root / ".awf" / "storage"
        self.seen: dict[str, Version | None] = {}

    def __call__(self, path: str) -> str:
        """The text at a path. Raises FileRefused."""
        if not path or "\0" in path:
            raise FileRefused(f"not a path: {path!r}")
        for place in self._places(path):
            name = os.path.abspath(place)  # noqa: PTH100 - without `..` in it
            if os.path.lexists(name):
                return self._text(name, path)
            self.seen[name] = None
        raise FileMissing(path, self._known(path))

    def _places(self, path: str) -> Iterator[Path]:
        """Where the file may be, in the order in which they win: of awf's own directories, the local ones first."""
        own = _OWN.fullmatch(path)
        if own is not None:
            kind, rest = own[1], own[2]
            if kind in _LOCAL:
                if self._pack is not None:
                    yield self._root / ".awf" / kind / self._pack / rest
                yield self._directory / kind / rest
                yield self._directory.parent / kind / rest
            if kind in FILES:
                yield from (place / rest for place in self._instructions(kind))
                return
            yield (self._storage if kind == "storage" else own_directory(kind, self._environ)) / rest
        elif path == "~" or path.startswith("~/"):
            yield home(self._environ) / path[2:]
        else:
            yield self._directory / path
            if path.startswith(".awf/"):
                yield self._root / path

    def _instructions(self, kind: str) -> Iterator[Path]:
        """The directories of roles or skills; in a pack, first the pack's own."""
        if self._pack is not None:
            yield self._directory.parent / kind
        own = str(own_directory(kind, self._environ))
        for place in places("roles" if kind == "roles" else "skills", str(self._root), own, self._environ):
            yield Path(place)

    def _known(self, path: str) -> list[str]:
        """The names of the roles or skills that there are, where the path is that of one."""
        own = _OWN.fullmatch(path)
        if own is None or own[1] not in FILES:
            return []
        files = (place.glob(f"*/{FILES[own[1]]}") for place in self._instructions(own[1]))
        return sorted({file.parent.name for found in files for file in found})

    def _text(self, name: str, path: str) -> str:
        self.seen[name] = None
        try:
            data, self.seen[name] = read(name)
        except Unreadable as error:
            raise FileRefused(f"the file {error.reason}: {path}") from None
        if len(data) > MAX_BYTES:
            raise FileRefused(f"the file is larger than 1 MiB: {path}")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise FileRefused(f"the file is not valid UTF-8: {path}") from None


def settled(seen: Mapping[str, Version | None], now: int, span: int) -> bool:
    """Whether every file that was read was last changed more than ``span`` nanoseconds before ``now``."""
    return all(version is None or abs(now - version.changed) > span for version in seen.values())


def unchanged(seen: Mapping[str, Version | None]) -> bool:
    """Whether the files at these paths are what they were."""
    return all(_version(path) == version for path, version in seen.items())


def _version(path: str) -> Version | None:
    try:
        return version_of(os.stat(path))  # noqa: PTH116 - for every workflow that is listed
    except OSError:
        return None
