"""Tables of the keys that a map of a workflow file may hold, each with its meaning and the JSON Schema of its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field

Schema: TypeAlias = dict[str, Any]


def word(*words: str) -> str:
    """A pattern for one of ``words`` in any case, as JSON Schema has patterns."""
    letters = (
        "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else re.escape(c) for c in text) for text in words
    )
    return f"^({'|'.join(letters)})$"


TEXT: Schema = {"type": ["string", "number", "boolean"]}
"""A scalar, taken as it is written: ``1.10`` stays ``1.10``."""
NAME: Schema = {"type": ["string", "number", "boolean"], "not": {"const": ""}}
TEMPLATE = TEXT
EXPRESSION: Schema = {"type": ["string", "boolean", "number"]}
FLAG: Schema = {
    "anyOf": [
        {"type": "boolean"},
        {"type": "string", "pattern": word("yes", "no", "on", "off", "true", "false")},
    ]
}
NUMBER: Schema = {"type": "number"}
DURATION: Schema = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*\+?([0-9]*\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+\s*$"},
        {"type": "string", "pattern": r"^\s*\+?[0-9]*\.?[0-9]*\s*$"},
    ]
}
"""``30s``, ``1m30s``, ``500ms``, or a number of seconds."""
TEMPLATED_DURATION: Schema = {"anyOf": [*DURATION["anyOf"], {"type": "string", "pattern": r"\{\{"}]}
TEXTS: Schema = {"type": "array", "items": TEXT}
BUDGET_CHOICES = ("ask", "fail")
VALUES: Schema = {"type": "object"}
"""A map of any values; texts in them, however deep, are templates."""
TEMPLATES: Schema = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}


def choice(*values: str) -> Schema:
    """One of ``values``, in any case."""
    return {"anyOf": [{"enum": list(values)}, {"type": "string", "pattern": word(*values)}]}


def whole(least: int, most: int | None = None) -> Schema:
    """A whole number within bounds."""
    return {"type": "integer", "minimum": least} | ({} if most is None else {"maximum": most})


def either(*schemas: Schema) -> Schema:
    """What suits one of ``schemas``."""
    return {"anyOf": list(schemas)}


def listed(schema: Schema) -> Schema:
    """A list of such values."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    """What the definition ``name`` of the schema says."""
    return {"$ref": f"#/$defs/{name}"}


class Key(Struct, frozen=True):
    """``meaning`` is for people; ``schema`` is that of the value where there is one (null counts as absent)."""

    meaning: str
    schema: Schema


class Keys(Struct, frozen=True):
    """What a map may hold: keys that are ``read``, and ``inert`` ones, accepted for the sake of old files though they
    have no effect there (warnings, which say what to do instead). All others are unknown (warnings as well).
    ``required`` is what it cannot do without; of ``one_of`` it needs exactly one, of ``any_of`` at least one.
    """

    read: Mapping[str, Key]
    inert: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()


BUDGET = {
    "max_tokens_total": Key(
        "How many tokens its agents may use, in and out.", {"type": "integer", "minimum": 1}
    ),
    "max_cost_usd": Key(
        "How many US dollars its agents may cost.", {"type": "number", "exclusiveMinimum": 0}
    ),
    "max_duration": Key("How long it may work; waiting for people does not count.", DURATION),
    "on_budget": Key(
        "What happens when one of these is used up: a person is asked, or the step fails.",
        choice(*BUDGET_CHOICES, ""),
    ),
}
"""The limits that states and workflows may have."""
