"""One rendering in progress: what it sees, what it has written, and what it may still spend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from awf.domain.scope import Scope
from awf.domain.templates.faults import Refused
from awf.domain.templates.format import MAX_OUTPUT, NO_VALUE, Escaped, Raw, text_of

FileReader: TypeAlias = Callable[[str], str]
"""Reads a file for ``readFile``; OSError and ValueError become the template's failure."""

MAX_STEPS = 2_000_000
_READ_PER_STEP = 64
_WRITTEN_PER_STEP = 16


class Text(Struct, frozen=True):
    """Template text, or what ``raw`` gave: code."""

    text: str


class Value(Struct, frozen=True):
    """What an action printed: data. ``escaped``: it came out of ``escape`` and is quoted for a shell already."""

    text: str
    value: Any
    escaped: bool = False


class Run:
    """``texts`` is written where the text is all that is wanted, ``parts`` (if not None) where its origin counts."""

    __slots__ = ("depth", "files", "parts", "scope", "size", "steps", "texts")

    def __init__(self, scope: Scope, files: FileReader | None, parts: list[Text | Value] | None) -> None:
        self.scope = scope
        self.files = files
        self.parts = parts
        self.texts: list[str] = []
        self.size = 0
        self.steps = 0
        self.depth = 0

    def spend(self, steps: int) -> None:
        """Count ``steps``. Raises Refused beyond the limit."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise Refused(f"rendering takes more than {MAX_STEPS} steps")

    def spend_on_arguments(self, arguments: list[Any]) -> None:
        """Count a call: one step, and more for long texts, so that many passes over them are bounded as well."""
        steps = 1
        for argument in arguments:
            if isinstance(argument, str):
                steps += len(argument) // _READ_PER_STEP
        self.spend(steps)

    def spend_on_result(self, result: Any) -> None:
        """Count what a call or a printed value took to put together."""
        if isinstance(result, str):
            self.spend(len(result) // _WRITTEN_PER_STEP)

    def write(self, text: Text) -> None:
        """Write template text."""
        self._grow(text.text)
        if self.parts is None:
            self.texts.append(text.text)
        else:
            self.parts.append(text)

    def show(self, value: Any) -> None:
        """Print ``value``. Raises Refused for what cannot be printed."""
        if isinstance(value, str):
            text = value
        else:
            text = NO_VALUE if value is None else text_of(value)
            self.spend_on_result(text)
        self._grow(text)
        if self.parts is None:
            self.texts.append(text)
        elif isinstance(value, Raw):
            if text:
                self.parts.append(Text(str(text)))
        else:
            self.parts.append(Value(str(text), value, isinstance(value, Escaped)))

    def _grow(self, text: str) -> None:
        self.size += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if self.size > MAX_OUTPUT:
            raise Refused("the rendered text is larger than 10 MiB")


class Frame:
    """A template being executed: its dot and its variables, of which the first is ``$``."""

    __slots__ = ("dot", "run", "variables")

    def __init__(self, run: Run, data: Any, slots: int) -> None:
        self.run = run
        self.dot = data
        self.variables = [data, *[None] * (slots - 1)]
