"""Prompt files of a project: what ``@prompts/REL`` means on a command line, and ``awf list prompts`` shows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from awf.catalog.sources import Source, config_directory
from awf.errors import RequestInvalid

LARGEST = 1024 * 1024
"""Bytes of a prompt."""


class PromptFile(Struct, frozen=True):
    """A prompt: ``name`` is its path below the directory of its ``source`` (``env``, ``local``, ``global``)."""

    name: str
    source: str
    path: Path


def prompt_sources(root: Path, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """The directories of the project at ``root``, in the order in which they win; they need not exist."""
    named = environ.get("AWF_PROMPTS_PATH")
    return (
        *((Source("env", Path(named).expanduser().absolute()),) if named else ()),
        Source("local", root / ".awf" / "prompts"),
        Source("global", config_directory(environ) / "prompts"),
    )


def prompt_files(root: Path, environ: Mapping[str, str]) -> list[PromptFile]:
    """Every prompt by name; the first source that has a name wins."""
    found: dict[str, PromptFile] = {}
    for source in prompt_sources(root, environ):
        for path in _below(source.directory):
            name = path.relative_to(source.directory).as_posix()
            found.setdefault(name, PromptFile(name, source.name, path))
    return [found[name] for name in sorted(found)]


def read_prompt(name: str, root: Path, environ: Mapping[str, str]) -> str:
    """The text of a prompt without white space around it. Raises RequestInvalid."""
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\0" in name:
        raise RequestInvalid("invalid prompt path: path traversal not allowed")
    sources = prompt_sources(root, environ)
    for source in sources:
        path = source.directory / relative
        if not path.resolve().is_relative_to(source.directory.resolve()):
            raise RequestInvalid("invalid prompt path: path traversal not allowed")
        if path.is_dir():
            raise RequestInvalid(f"prompt {name}: {path} is a directory")
        if path.is_file():
            return _text(path, name)
    searched = ", ".join(str(source.directory) for source in sources)
    raise RequestInvalid(f"prompt not found: {name} (searched in {searched}); `awf list prompts` shows all")


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise RequestInvalid(f"prompt {name}: {path} has more than {LARGEST} bytes")
        return data.decode().strip()
    except OSError as error:
        raise RequestInvalid(f"prompt {name}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RequestInvalid(f"prompt {name}: {path} is not UTF-8 text") from None


def _below(directory: Path) -> Iterator[Path]:
    """The files below a directory; what is hidden, or cannot be looked at, is left out."""
    for place, directories, files in os.walk(directory):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(place, name)
