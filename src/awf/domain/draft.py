"""A workflow while it is being read: what the reader of one part leaves for the checks of the whole."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from awf.domain.extensions import NO_EXTENSIONS, Extensions
from awf.domain.files import FileRefused, Files
from awf.domain.nodes import ScalarNode
from awf.domain.problems import Position
from awf.domain.templates import nodes
from awf.domain.workflow import State

MOST_TEXT = 16 * 1024 * 1024
"""Characters of all files that may belong to one workflow."""


class Target(Struct, frozen=True):
    """That ``state`` names the state ``name``, and where. ``continues``: it goes on with its conversation."""

    state: str
    name: str
    position: Position
    continues: bool = False


class CallSite(Struct, frozen=True):
    """That ``state`` calls the workflow ``name``, and where it says so; the inputs that it gives and the outputs that it
    takes, each with its place."""

    state: str
    name: str
    position: Position
    inputs: Mapping[str, Position]
    outputs: Mapping[str, Position]


class Command(Struct, frozen=True):
    """A shell command with values in it. ``subject`` begins messages about it; ``escaping`` False: values are code."""

    subject: str
    node: ScalarNode
    tree: nodes.Tree
    escaping: bool


class Draft(Struct):
    """``places`` has every name under ``states:``, also of states that could not be read. ``held`` are the names
    of states that others hold (``all_held``: all of them are known); only those may be ``stuck``: steps that name no
    state to go on with. ``calls`` are the workflows that states call. ``read`` is every file that was read, by its path,
    ``size`` what was read of them.
    """

    file: str
    files: Files
    extensions: Extensions = NO_EXTENSIONS
    escaping: bool = True
    initial: str = ""
    initial_place: Position | None = None
    states: dict[str, State] = field(default_factory=dict)
    places: dict[str, Position] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    calls: list[CallSite] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    all_held: bool = True
    stuck: dict[str, Position] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    size: int = 0

    def text_of(self, path: str) -> str:
        """A file's text, read once. Raises FileRefused."""
        if path not in self.read:
            text = self.files(path)
            self.size += len(text)
            if self.size > MOST_TEXT:
                raise FileRefused(f"the files of the workflow are larger than 16 MiB together: {path}")
            self.read[path] = text
        return self.read[path]
