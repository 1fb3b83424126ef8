"""Where workflow files are looked for: the directories of a project, in the order in which they win."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from awf.domain.scope import AWF_FIELDS


class Source(Struct, frozen=True):
    """``name``: ``env``, ``local`` or ``global``."""

    name: str
    directory: Path


def project_root(start: Path) -> Path:
    """The nearest directory from ``start`` upwards that has ``.awf/``, else ``start`` itself; absolute."""
    start = start.absolute()
    return next((place for place in (start, *start.parents) if (place / ".awf").is_dir()), start)


def config_directory(environ: Mapping[str, str]) -> Path:
    """The user's configuration directory: ``$AWF_CONFIG_HOME``, else ``awf`` in ``$XDG_CONFIG_HOME`` or ``~/.config``."""
    if own := environ.get("AWF_CONFIG_HOME"):
        return _expanded(own, environ)
    shared = environ.get("XDG_CONFIG_HOME", "")
    return (Path(shared) if shared.startswith("/") else home(environ) / ".config") / "awf"


def data_directory(environ: Mapping[str, str]) -> Path:
    """The user's data directory: ``awf`` in ``$XDG_DATA_HOME`` or ``~/.local/share``."""
    shared = environ.get("XDG_DATA_HOME", "")
    return (Path(shared) if shared.startswith("/") else home(environ) / ".local" / "share") / "awf"


def sources(root: Path, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """The directories of the project at ``root``; whether they exist is not looked at."""
    listed = environ.get("AWF_WORKFLOWS_PATH", "").split(os.pathsep)
    return (
        *(Source("env", _expanded(entry, environ)) for entry in listed if entry),
        Source("local", root / ".awf" / "workflows"),
        Source("global", config_directory(environ) / "workflows"),
    )


def pack_directories(root: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where packs are installed, in the order in which they win; whether the directories exist is not looked at."""
    shared = environ.get("XDG_CONFIG_HOME", "")
    return (
        root / ".awf" / "workflow-packs",
        *((Path(shared) / ".awf" / "workflow-packs",) if shared.startswith("/") else ()),
        config_directory(environ) / "workflow-packs",
        data_directory(environ) / "workflow-packs",
        home(environ) / ".awf" / "workflow-packs",
    )


def own_directory(kind: str, environ: Mapping[str, str]) -> Path:
    """The directory that ``awf.KIND_dir`` names: the user's, for all projects."""
    if kind in {"data", "plugins"}:
        return data_directory(environ) / ("plugins" if kind == "plugins" else "")
    return config_directory(environ) / ("" if kind == "config" else kind)


def own_directories(environ: Mapping[str, str]) -> dict[str, str]:
    """The paths of the ``awf`` namespace, by name."""
    return {name: str(own_directory(name.removesuffix("_dir"), environ)) for name in AWF_FIELDS}


def home(environ: Mapping[str, str]) -> Path:
    """The directory of the user."""
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def _expanded(entry: str, environ: Mapping[str, str]) -> Path:
    if entry == "~" or entry.startswith("~/"):
        return home(environ) / entry[2:]
    return Path(entry).absolute()
