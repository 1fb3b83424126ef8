"""The tree of a parsed template. Every node knows its offset in the source, counted in characters from 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from awf.domain.templates.functions import Function


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal value."""

    offset: int
    value: Any


@dataclass(frozen=True, slots=True)
class Dot:
    """``.``: what the surrounding block, or the call, has set it to."""

    offset: int


@dataclass(frozen=True, slots=True)
class Variable:
    """``slot`` 0 is ``$``: what the template was called with."""

    offset: int
    name: str
    slot: int


@dataclass(frozen=True, slots=True)
class WholeScope:
    """What namespaces in the dotless form are read from: ``inputs.x`` is a chain on this."""

    offset: int


@dataclass(frozen=True, slots=True)
class Chain:
    """``base.name.name``; ``names`` is never empty."""

    offset: int
    base: Expression
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """In a later stage of a pipeline the value of the stage before is one more, last argument."""

    offset: int
    function: Function
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages after the first are calls."""

    offset: int
    first: Expression
    rest: tuple[Call, ...]

    def softness(self, soft: bool) -> tuple[bool, ...]:
        """For each stage whether a missing key is just false there: where the pipeline stands in a condition, or
        its value flows into ``and``, ``or``, ``not`` or ``default``."""
        result = [soft]
        for stage in reversed(self.rest):
            result.append(result[-1] or stage.function.soft)
        result.reverse()
        return tuple(result)


Expression: TypeAlias = Constant | Dot | Variable | WholeScope | Chain | Call | Pipeline


@dataclass(frozen=True, slots=True)
class Body:
    """``weight`` is what one pass costs of the step count."""

    offset: int
    nodes: tuple[Node, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Literally:
    """Text outside actions."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Print:
    """``{{pipeline}}``: its value is written."""

    offset: int
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Assign:
    """``$x := pipeline`` or ``$x = pipeline``."""

    slot: int
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Arm:
    """One condition with what it guards; ``slot`` takes the condition's value if there is one."""

    slot: int | None
    pipeline: Pipeline
    body: Body


@dataclass(frozen=True, slots=True)
class Branch:
    """``if`` or ``with`` with its ``else if`` or ``else with`` arms."""

    kind: Literal["if", "with"]
    arms: tuple[Arm, ...]
    otherwise: Body | None


@dataclass(frozen=True, slots=True)
class Range:
    """``range`` over a value; the slots take key and value where they are named."""

    offset: int
    key_slot: int | None
    value_slot: int | None
    pipeline: Pipeline
    body: Body
    otherwise: Body | None


@dataclass(frozen=True, slots=True)
class Include:
    """``template "name" pipeline``, and the place of a ``block``."""

    offset: int
    name: str
    pipeline: Pipeline | None


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``."""

    kind: Literal["break", "continue"]


Node: TypeAlias = Literally | Print | Assign | Branch | Range | Include | Jump


@dataclass(frozen=True, slots=True)
class Definition:
    """A template with its own variables. ``height`` is how deep blocks and parentheses nest in it."""

    body: Body
    slots: int
    height: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed source: the template itself, and those that it defines by name."""

    main: Definition
    definitions: Mapping[str, Definition]
