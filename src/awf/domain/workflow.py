"""A workflow as loaded: frozen, checked, every value with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from awf.domain.expressions import Expression
from awf.domain.problems import Position
from awf.domain.templates import Template

InputType: TypeAlias = Literal["string", "integer", "boolean", "number", "array", "object"]


@dataclass(frozen=True, slots=True)
class Rules:
    """``validation:`` of an input. None and empty mean: no rule."""

    pattern: str | None = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    file_exists: bool = False
    file_extension: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """A declared input. ``default`` None means none; a default satisfies ``required``. ``secret`` None: by its name."""

    name: str
    type: InputType
    position: Position
    description: str = ""
    required: bool = False
    default: Any = None
    secret: bool | None = None
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True, slots=True)
class Transition:
    """``when`` None matches always."""

    goto: str
    when: Expression | None
    position: Position


@dataclass(frozen=True, slots=True)
class InlineFailure:
    """``on_failure: {message, status}``: ends the execution as failed with that exit code."""

    message: Template
    status: int
    position: Position


@dataclass(frozen=True, slots=True)
class Routing:
    """Where to go after a state, in the order of evaluation: transitions, ``continue_on_error``, then the targets."""

    on_success: str | None = None
    on_failure: str | InlineFailure | None = None
    transitions: tuple[Transition, ...] = ()
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class StepState:
    """``type: step`` (or ``command``). ``timeout`` in seconds, or a template that renders to a duration."""

    name: str
    position: Position
    command: Template
    description: str = ""
    dir: Template | None = None
    env: Mapping[str, Template] = field(default_factory=dict)
    timeout: float | Template | None = None
    routing: Routing = field(default_factory=Routing)
    kind: Literal["step"] = "step"


@dataclass(frozen=True, slots=True)
class TerminalState:
    """``type: terminal``. ``exit_code`` None: 0 for success, 1 for failure."""

    name: str
    position: Position
    status: Literal["success", "failure"] = "success"
    message: Template | None = None
    exit_code: int | None = None
    description: str = ""
    kind: Literal["terminal"] = "terminal"


State: TypeAlias = StepState | TerminalState


@dataclass(frozen=True, slots=True)
class Workflow:
    """``identifier`` is what people call it by (the file stem); ``name`` is the document's own. ``states`` keeps the
    order of the file."""

    identifier: str
    name: str
    file: str
    initial: str
    states: Mapping[str, State]
    inputs: tuple[Input, ...] = ()
    version: str = ""
    description: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
