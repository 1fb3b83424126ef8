"""Spellings: the fields of the built-in namespaces in PascalCase, as scopes have them, and in snake_case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from awf.domain.scope import CONTEXT_FIELDS, ERROR_FIELDS, LOOP_FIELDS, WORKFLOW_FIELDS, Scope

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_PARENTS = 100


def _by_snake_case(fields: Iterable[str]) -> dict[str, str]:
    return {_HUMP.sub("_", field).lower(): field for field in fields}


_SPELLINGS = {
    "workflow": _by_snake_case(WORKFLOW_FIELDS),
    "loop": _by_snake_case(LOOP_FIELDS),
    "context": _by_snake_case(CONTEXT_FIELDS),
    "error": _by_snake_case(ERROR_FIELDS),
}


def canonical(path: tuple[str, ...]) -> tuple[str, ...]:
    """``path`` with the fields of ``workflow``, ``loop``, ``context`` and ``error`` in PascalCase, as scopes have
    them; names that are no such fields stay as they are."""
    spellings = _SPELLINGS.get(path[0]) if path else None
    if spellings is None:
        return path
    names = list(path)
    for place in range(1, len(names)):
        names[place] = spellings.get(names[place], names[place])
        if names[0] != "loop" or names[place] != "Parent":
            break
    return tuple(names)


def respelled(scope: Scope, container: Any, name: Any) -> str | None:
    """The key of ``container`` that the snake_case ``name`` stands for, where ``container`` is a built-in namespace
    of ``scope`` (or a parent of its loop) and has that key."""
    for namespace, spellings in _SPELLINGS.items():
        if name not in spellings:
            continue
        content = scope.get(namespace)
        for _ in range(_MAX_PARENTS):
            if not isinstance(content, Mapping):
                break
            if content is container:
                return spellings[name] if spellings[name] in content else None
            content = content.get("Parent") if namespace == "loop" else None
    return None
