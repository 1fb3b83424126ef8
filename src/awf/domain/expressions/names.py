"""The names that an expression can see: namespaces, their fixed properties, and how a value is read from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from awf.domain.expressions.operators import scalar_text
from awf.domain.expressions.run import ExpressionFailure
from awf.domain.expressions.values import coerce, kind
from awf.domain.problems import Position
from awf.domain.scope import CONTEXT_FIELDS, ERROR_FIELDS, LOOP_FIELDS, STATE_FIELDS, WORKFLOW_FIELDS

_FIELDS = {
    "state": STATE_FIELDS,
    "workflow": WORKFLOW_FIELDS,
    "context": CONTEXT_FIELDS,
    "loop": LOOP_FIELDS,
    "error": ERROR_FIELDS,
}
_COERCED = ("inputs", "env")
_LINES = ("Output", "Stderr")


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


_SPELLINGS = {
    space: {spelling: field for field in fields for spelling in (field, _snake_case(field))}
    for space, fields in _FIELDS.items()
}


def fields(space: str) -> tuple[str, ...] | None:
    """The properties that a member of this space can have, or None where any name can stand.

    A space says what a value is on the way from a root name: the root's own name, ``state`` for one of ``states``,
    empty for a plain value.
    """
    return _FIELDS.get(space)


def canonical(space: str, name: str) -> str | None:
    """The PascalCase spelling of a fixed property; None where there is no such property."""
    spellings = _SPELLINGS.get(space)
    return name if spellings is None else spellings.get(name)


def space_of(space: str, name: str | None) -> str:
    """The space of a member; ``name`` None for one that is computed."""
    if space == "states":
        return "state"
    return "loop" if (space, name) == ("loop", "Parent") else ""


def read(space: str, holder: Any, key: Any, position: Position, *, as_text: bool = False) -> Any:
    """A member of a value: nil where the value is nil or has no such member.

    Text of ``inputs`` and ``env`` is coerced unless ``as_text``; ``Output`` and ``Stderr`` come without trailing line
    breaks. Raises ExpressionFailure for an index outside a list, and for members of what has none.
    """
    if holder is None or key is None:
        return None
    if isinstance(holder, Mapping):
        name = canonical(space, scalar_text(key, position, "the key of a map"))
        value = None if name is None else holder.get(name)
        if not isinstance(value, str):
            return value
        if space in _COERCED and not as_text:
            return coerce(value)
        return value.rstrip("\r\n") if space == "state" and name in _LINES else value
    if isinstance(key, int) and not isinstance(key, bool) and isinstance(holder, list | str):
        if not -len(holder) <= key < len(holder):
            raise ExpressionFailure(f"index {key} is out of range: the length is {len(holder)}", position)
        return holder[key]
    if isinstance(holder, list):
        raise ExpressionFailure(f"a list is indexed by whole numbers, not by {kind(key)}", position)
    what = repr(key) if isinstance(key, str) else kind(key)
    raise ExpressionFailure(f"{kind(holder)} has no member {what}", position)
