"""Files beside a workflow that belong to it: scripts, prompts, templates. Reading them is for others to do."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection
from typing import TypeAlias

Files: TypeAlias = Callable[[str], str]
"""Gives the text of a file. The path is as a workflow file has it: relative ones are meant from the workflow's
directory (``.awf/…`` also from the project's), ``~/`` is the user's, and ``{{awf.scripts_dir}}/x`` begins with one of
awf's directories, spelled exactly so (here also ``storage_dir``); those of roles and skills stand for all places that
there are for them. Raises FileRefused."""

MAX_BYTES = 1024 * 1024
"""The largest file that may belong to a workflow."""

_OWN_DIRECTORY = re.compile(r"\{\{-?\s*\.?awf\.(\w+_dir)\s*-?\}\}(/[^{}]*)")


class FileRefused(Exception):
    """The text says why there is no such text, with the path: ``file not found: x.sh``."""


class FileMissing(FileRefused):
    """There is none at that path. ``names``: what there is where it was looked for, of roles and skills."""

    def __init__(self, path: str, names: Collection[str] = ()) -> None:
        super().__init__(f"file not found: {path}")
        self.names = names


def no_files(path: str) -> str:
    """The files of a workflow that has none."""
    raise FileMissing(path)


def fixed_path(text: str) -> str | None:
    """The path that can be known without running anything, as ``Files`` takes it; None for any other template."""
    if "{{" not in text:
        return text
    found = _OWN_DIRECTORY.fullmatch(text.strip())
    return f"{{{{awf.{found[1]}}}}}{found[2]}" if found else None


def shown_path(workflow_file: str, path: str) -> str:
    """A file's path as messages show it."""
    if path.startswith(("~", ".awf/", "{{")):
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(workflow_file), path))
