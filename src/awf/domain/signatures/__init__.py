"""What an operation takes: declared inputs, coerced and checked with all errors at once. The signatures of awf's own
operations are in the modules beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from awf.domain.inputs import coerce
from awf.domain.suggest import did_you_mean
from awf.domain.templates import Template
from awf.domain.workflow import InputType

ParameterType: TypeAlias = InputType | Literal["any"]

Fault: TypeAlias = tuple[str, str]
"""A parameter's name, and what is wrong with it: a whole message."""

_LONGEST_SHOWN = 100


class Parameter(Struct, frozen=True):
    """One input of an operation.

    ``type`` ``any`` takes every JSON value as it is. ``items``: the type of the elements of an array; ``separated``: it may
    be given as a text with commas between them. ``choices`` are all
    that it may be, after coercion, texts in any case (the operation gets the spelling of the choice); empty: anything.
    ``pattern``: a regular expression that a text begins with. ``minimum``: the least number.

    ``demand`` is what a missing value is told, behind the name. ``refusal`` is what a value is told that is none of the
    choices or does not begin with the pattern; ``{value}`` in it stands for the value.
    """

    name: str
    type: ParameterType = "string"
    description: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()
    items: InputType | None = None
    separated: bool = False
    pattern: str = ""
    minimum: float | None = None
    demand: str = "is required"
    refusal: str = ""

    def value(self, given: Any) -> Any:
        """A given value as the operation gets it. Raises ValueError with a whole message."""
        try:
            if self.separated and isinstance(given, str) and not given.lstrip().startswith("["):
                given = [part.strip() for part in given.split(",") if part.strip()]
            coerced = given if self.type == "any" else _coerced(self.type, given)
            if self.items is not None:
                coerced = [_coerced(self.items, part) for part in coerced]
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        if self.required and coerced in ("", []) and self.type != "any":
            raise ValueError(f"{self.name} {self.demand}")
        if self.choices:
            return self._chosen(coerced)
        if self.pattern and isinstance(coerced, str) and not re.match(self.pattern, coerced):
            raise ValueError(self._refused(coerced, f"{self.name} must begin with {self.pattern}"))
        if self.minimum is not None and isinstance(coerced, (int, float)) and coerced < self.minimum:
            raise ValueError(f"{self.name} must be at least {self.minimum:g}, not {coerced:g}")
        return coerced

    def _chosen(self, value: Any) -> Any:
        for choice in self.choices:
            if value == choice or (
                isinstance(value, str) and isinstance(choice, str) and value.casefold() == choice.casefold()
            ):
                return choice
        allowed = ", ".join(str(choice) for choice in self.choices)
        raise ValueError(self._refused(value, f"{self.name} must be one of: {allowed}"))

    def _refused(self, value: Any, otherwise: str) -> str:
        return self.refusal.replace("{value}", str(value)) if self.refusal else otherwise


class Signature(Struct, frozen=True):
    """An operation: its name, what it does, its inputs, and its outputs with their meanings."""

    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)

    def bind(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The given inputs with their declared types, defaults filled in, and everything that is wrong with them. An
        input that is given as null, or as an empty text where another type is declared, is not given."""
        values: dict[str, Any] = {}
        faults = [message for _, message in self._bind(given, values.__setitem__)]
        return values, faults

    def faults(self, given: Mapping[str, Any]) -> list[Fault]:
        """What can be said of inputs before their templates are rendered: what is missing or unknown, and values without
        templates that cannot be."""
        faults = list(self._bind(given, lambda _name, _value: None))
        for parameter in self.parameters:
            value = given.get(parameter.name)
            if parameter.type == "string" and isinstance(value, (dict, list)) and not _is_templated(value):
                faults.append((parameter.name, f"{parameter.name} must be a text"))
        return faults

    def _bind(self, given: Mapping[str, Any], take: Callable[[str, Any], None]) -> Iterator[Fault]:
        for parameter in self.parameters:
            value = given.get(parameter.name)
            if _is_templated(value):
                continue
            if value is None or (value == "" and parameter.type not in {"string", "any"}):
                if parameter.required:
                    yield parameter.name, f"{parameter.name} {parameter.demand}"
                elif parameter.default is not None:
                    take(parameter.name, parameter.default)
                continue
            try:
                take(parameter.name, parameter.value(value))
            except ValueError as error:
                yield parameter.name, str(error)
        known = [parameter.name for parameter in self.parameters]
        for name in given:
            if name not in known:
                yield name, f"unknown input '{name}'{did_you_mean(name, known)}"


def _coerced(kind: InputType, value: Any) -> Any:
    # A long value would be shown in part, and a part of a secret is not found when secrets are masked.
    return coerce(kind, value, hide=isinstance(value, str) and len(value) > _LONGEST_SHOWN)


def _is_templated(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_templated(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return any(_is_templated(part) for part in value)
    return isinstance(value, Template)
