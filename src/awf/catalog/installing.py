"""Installing and removing packs: from a directory, an archive or a git repository, checked before anything is put in place.

What is installed is a copy. ``state.json`` in it says where it came from, and has a checksum of the files, by which later
changes show.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from awf.catalog.fetching import Fetched, fetch
from awf.catalog.manifest import Manifest, name_problem, read_manifest
from awf.catalog.reading import Unreadable, read
from awf.errors import PackInvalid, PackNotFound, RequestInvalid, SystemFault

STATE = "state.json"


class Installed(Struct, frozen=True):
    """An installed pack: where it lies, what it says of itself, where it came from (by the keys of ``state.json``), and
    whether its files are those that were installed; None where nobody knows."""

    name: str
    root: Path
    version: str
    source: dict[str, str]
    unchanged: bool | None


def install(
    source: str, directory: Path, *, ref: str = "", subdirectory: str = "", force: bool = False
) -> Installed:
    """Install the pack of a source into a directory of packs. ``ref``: a branch or tag of a git repository;
    ``subdirectory``: where in the source the pack lies. ``force`` replaces an installed one of its name.

    Raises RequestInvalid (no such source, or the name is taken), PackInvalid, SystemFault.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # On the file system of its place, so that it gets there by being renamed.
        with tempfile.TemporaryDirectory(prefix=".install-", dir=directory) as scratch:
            fetched = fetch(source, Path(scratch), ref, subdirectory)
            root = _pack_root(fetched.root)
            manifest, name = _manifest(root)
            target = directory / name
            if os.path.lexists(target) and not force:
                raise RequestInvalid(f"pack '{name}' is installed in {target} already; --force replaces it")
            (root / STATE).unlink(missing_ok=True)
            state = {"name": name, "enabled": True, "source_data": _source_data(fetched, manifest, root)}
            (root / STATE).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
            _put(root, target, Path(scratch))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise SystemFault(f"the pack cannot be installed: {place}{error.strerror}") from error
    return installed(target)


def installed(root: Path) -> Installed:
    """What is known of an installed pack."""
    state: Any = None
    with contextlib.suppress(OSError, ValueError):
        state = json.loads((root / STATE).read_bytes())
    data = state.get("source_data") if isinstance(state, dict) else None
    source = {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
    kept = source.get("checksum")
    version = ""
    with contextlib.suppress(Unreadable):
        version = read_manifest(read(str(root / "manifest.yaml"))[0], "manifest.yaml", root.name).version
    return Installed(root.name, root, version, source, None if kept is None else kept == checksum(root))


def remove(name: str, directory: Path) -> Path:
    """Remove an installed pack from a directory of packs; where it was. Raises PackNotFound, SystemFault."""
    target = directory / name
    if name_problem(name) is not None or not os.path.lexists(target):
        raise PackNotFound(name)
    try:
        if target.is_symlink():
            target.unlink()
        else:
            # It is gone for others at once.
            with tempfile.TemporaryDirectory(prefix=".remove-", dir=directory) as scratch:
                target.rename(Path(scratch) / name)
    except OSError as error:
        raise SystemFault(f"the pack cannot be removed: {error.filename}: {error.strerror}") from error
    return target


def checksum(root: Path) -> str:
    """Stands for the names and contents of a pack's files, and for whether they can be executed; not for its state."""
    found = hashlib.sha256()
    for path in files(root):
        relative = path.relative_to(root).as_posix()
        if relative == STATE:
            continue
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        executable = bool(path.stat().st_mode & stat.S_IXUSR)
        found.update(f"{relative}\0{executable:d}\0{content}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{found.hexdigest()}"


def files(root: Path) -> Iterator[Path]:
    """The regular files below a directory, in an order that depends on their names alone."""
    for place, directories, names in os.walk(root):
        directories.sort()
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _pack_root(fetched: Path) -> Path:
    """Where the manifest lies: on top, or in the one directory that an archive has on top."""
    entries = list(fetched.iterdir())
    if not (fetched / "manifest.yaml").exists() and len(entries) == 1 and entries[0].is_dir():
        fetched = entries[0]
    return fetched


def _manifest(root: Path) -> tuple[Manifest, str]:
    """The manifest of a pack that can be installed, and the pack's name. Raises PackInvalid."""
    path = root / "manifest.yaml"
    if not path.is_file():
        raise PackInvalid("the source is no pack: it has no manifest.yaml (--path names a directory in it)")
    try:
        text, _ = read(str(path))
    except Unreadable as error:
        raise PackInvalid(f"manifest.yaml: the file {error.reason}") from None
    # It is to be called as it calls itself: what differs from the directory it comes in is of no interest.
    unplaced = read_manifest(text, "manifest.yaml", "")
    name = unplaced.name
    if not name:
        reasons = "; ".join(str(each) for each in unplaced.problems if each.severity == "error")
        raise PackInvalid(f"the pack cannot be installed: {reasons or 'manifest.yaml: it says no name'}")
    problem = name_problem(name)
    if problem:
        raise PackInvalid(problem)
    manifest = read_manifest(text, "manifest.yaml", name)
    listed = manifest.workflows or ()
    errors = [
        *(str(each) for each in manifest.problems if each.severity == "error"),
        *(
            f"manifest.yaml: workflow '{each}' is listed and has no file in workflows/"
            for each in listed
            if not any((root / "workflows" / f"{each}{end}").is_file() for end in (".yaml", ".yml"))
        ),
    ]
    if errors:
        raise PackInvalid(f"pack '{name}' cannot be installed: {'; '.join(errors)}")
    return manifest, name


def _source_data(fetched: Fetched, manifest: Manifest, root: Path) -> dict[str, str]:
    found = {
        "repository": fetched.source,
        "kind": fetched.kind,
        "version": manifest.version,
        "ref": fetched.ref,
        "commit": fetched.commit,
        "checksum": checksum(root),
    }
    return {key: value for key, value in found.items() if value}


def _put(root: Path, target: Path, scratch: Path) -> None:
    """Put a pack in its place; one that is there is kept until the new one is."""
    if not os.path.lexists(target):
        root.rename(target)
        return
    old = scratch / ".old"
    target.rename(old)
    try:
        root.rename(target)
    except OSError:
        old.rename(target)
        raise
    if not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
