"""Values as text: what an action prints, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from awf.domain.templates.faults import Refused

MAX_OUTPUT = 10 * 1024 * 1024
"""What one rendering, or one value in it, may come to, in bytes."""

NO_VALUE = "<no value>"
"""What an action prints for nil."""

_MAX_DEPTH = 1000
_WHOLE_BELOW = 1e21

_quoted = json.JSONEncoder(ensure_ascii=False).encode


class Raw(str):
    """Text that is code by the author's word."""

    __slots__ = ()


class Escaped(str):
    """Text that is quoted for a shell already."""

    __slots__ = ()


def text_of(value: Any) -> str:
    """``value`` as text: text as it is, ``true`` and ``false``, whole numbers whole, lists and maps as compact JSON with
    sorted keys, and nothing at all for nil (of which an action prints ``NO_VALUE``).

    Raises Refused for what has no text.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return json_text(value)
    return _number_or_boolean(value)


def json_text(value: Any) -> str:
    """``value`` as compact JSON: keys sorted, whole numbers whole, characters as they are.

    Raises Refused for what JSON cannot hold, for a nesting deeper than 1,000 and for more than 10 MiB.
    """
    pieces: list[str] = []
    size = 0
    open_containers: list[tuple[str, Iterator[tuple[str, Any]]]] = [("", iter([("", value)]))]
    while open_containers:
        closing, members = open_containers[-1]
        member = next(members, None)
        if member is None:
            piece = closing
            open_containers.pop()
        else:
            prefix, item = member
            if isinstance(item, Mapping):
                piece = prefix + "{"
                open_containers.append(("}", _map_members(item)))
            elif isinstance(item, list | tuple):
                piece = prefix + "["
                open_containers.append(("]", _list_members(item)))
            else:
                piece = prefix + _json_scalar(item)
        pieces.append(piece)
        size += len(piece)
        if size > MAX_OUTPUT:
            raise Refused("the value is larger than 10 MiB")
        if len(open_containers) > _MAX_DEPTH:
            raise Refused(f"the value is nested deeper than {_MAX_DEPTH}")
    return "".join(pieces)


def kind_of(value: Any) -> str:
    """What ``value`` is, for messages."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    return f"a {type(value).__name__}"


def whole(value: Any) -> int | None:
    """``value`` as an integer if it is a whole number (5 and 5.0 are, True and "5" are not)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def _map_members(container: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    separator = ""
    for key in sorted(container, key=str):
        yield f"{separator}{_quoted(str(key))}:", container[key]
        separator = ","


def _list_members(container: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    separator = ""
    for item in container:
        yield separator, item
        separator = ","


def _json_scalar(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(str(value))
    if value is None:
        return "null"
    if isinstance(value, float) and value - value != 0:
        raise Refused("JSON has no infinite numbers")
    return _number_or_boolean(value)


def _number_or_boolean(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        try:
            return str(int(value))
        except ValueError:
            raise Refused("the number is too large to print") from None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE_BELOW else repr(float(value))
    raise Refused(f"{kind_of(value)} cannot be printed")
