"""Which names can be those of workflows: checked before any of them touches the file system."""

from __future__ import annotations

import os

LONGEST = 200
"""Characters; file systems stop at 255 bytes with the extension."""

EXTENSIONS = (".yaml", ".yml")
"""In the order in which they win."""


def is_identifier(name: str) -> bool:
    """Whether ``name`` can be a workflow's: one plain file name, printable, not hidden."""
    return (
        0 < len(name) <= LONGEST
        and not name.startswith(".")
        and name.isprintable()
        and "/" not in name
        and os.sep not in name
        and "\\" not in name
        and ".." not in name
    )


def identifier_of(file_name: str) -> str | None:
    """The identifier of a workflow file's name; None where it is not the name of a workflow file."""
    stem, extension = os.path.splitext(file_name)  # noqa: PTH122 - names of a directory with 1,000 entries
    return stem if extension in EXTENSIONS and is_identifier(stem) else None
