"""What an operation takes: declared inputs, coerced and checked with all errors at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awf.domain.inputs import coerce
from awf.domain.suggest import did_you_mean
from awf.domain.workflow import InputType


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of an operation. ``choices`` are all that it may be, after coercion; empty: anything."""

    name: str
    type: InputType = "string"
    description: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """An operation: its name, what it does, its inputs, and its outputs with their meanings."""

    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)

    def bind(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The given inputs with their declared types, defaults filled in, and everything that is wrong with them. An
        input that is given as null, or as an empty text where another type is declared, is not given."""
        values: dict[str, Any] = {}
        errors: list[str] = []
        for parameter in self.parameters:
            value = given.get(parameter.name)
            if value is None or (value == "" and parameter.type != "string"):
                if parameter.required:
                    errors.append(f"{parameter.name} is required")
                elif parameter.default is not None:
                    values[parameter.name] = parameter.default
                continue
            try:
                coerced = coerce(parameter.type, value)
            except ValueError as error:
                errors.append(f"{parameter.name}: {error}")
                continue
            if parameter.required and coerced == "":
                errors.append(f"{parameter.name} is required and must be a non-empty string")
            elif parameter.choices and coerced not in parameter.choices:
                allowed = ", ".join(str(choice) for choice in parameter.choices)
                errors.append(f"{parameter.name} must be one of: {allowed}")
            else:
                values[parameter.name] = coerced
        known = [parameter.name for parameter in self.parameters]
        errors += [
            f"unknown input '{name}'{did_you_mean(name, known)}" for name in given if name not in known
        ]
        return values, errors
