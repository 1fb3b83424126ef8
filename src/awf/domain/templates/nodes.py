"""The tree of a parsed template. Every node knows its offset in the source, counted in characters from 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from awf.domain.templates.functions import Function


class Constant(Struct, frozen=True):
    """A literal value."""

    offset: int
    value: Any


class Dot(Struct, frozen=True):
    """``.``: what the surrounding block, or the call, has set it to."""

    offset: int


class Variable(Struct, frozen=True):
    """``slot`` 0 is ``$``: what the template was called with."""

    offset: int
    name: str
    slot: int


class WholeScope(Struct, frozen=True):
    """What namespaces in the dotless form are read from: ``inputs.x`` is a chain on this."""

    offset: int


class Chain(Struct, frozen=True):
    """``base.name.name``; ``names`` is never empty."""

    offset: int
    base: Expression
    names: tuple[str, ...]


class Call(Struct, frozen=True):
    """In a later stage of a pipeline the value of the stage before is one more, last argument."""

    offset: int
    function: Function
    arguments: tuple[Expression, ...]


class Pipeline(Struct, frozen=True):
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


class Body(Struct, frozen=True):
    """``weight`` is what one pass costs of the step count."""

    offset: int
    nodes: tuple[Node, ...]
    weight: int


class Literally(Struct, frozen=True):
    """Text outside actions."""

    offset: int
    text: str


class Print(Struct, frozen=True):
    """``{{pipeline}}``: its value is written."""

    offset: int
    pipeline: Pipeline


class Assign(Struct, frozen=True):
    """``$x := pipeline`` or ``$x = pipeline``."""

    slot: int
    pipeline: Pipeline


class Arm(Struct, frozen=True):
    """One condition with what it guards; ``slot`` takes the condition's value if there is one."""

    slot: int | None
    pipeline: Pipeline
    body: Body


class Branch(Struct, frozen=True):
    """``if`` or ``with`` with its ``else if`` or ``else with`` arms."""

    kind: Literal["if", "with"]
    arms: tuple[Arm, ...]
    otherwise: Body | None


class Range(Struct, frozen=True):
    """``range`` over a value; the slots take key and value where they are named."""

    offset: int
    key_slot: int | None
    value_slot: int | None
    pipeline: Pipeline
    body: Body
    otherwise: Body | None


class Include(Struct, frozen=True):
    """``template "name" pipeline``, and the place of a ``block``."""

    offset: int
    name: str
    pipeline: Pipeline | None


class Jump(Struct, frozen=True):
    """``break`` or ``continue``."""

    kind: Literal["break", "continue"]


Node: TypeAlias = Literally | Print | Assign | Branch | Range | Include | Jump


class Definition(Struct, frozen=True):
    """A template with its own variables. ``height`` is how deep blocks and parentheses nest in it."""

    body: Body
    slots: int
    height: int


class Tree(Struct, frozen=True):
    """A parsed source: the template itself, and those that it defines by name."""

    main: Definition
    definitions: Mapping[str, Definition]
