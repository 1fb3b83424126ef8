"""Names of packs, and of the workflows in them: ``pack/workflow``."""

from __future__ import annotations

import re

SCOPES = ("env", "local", "global")
"""Names of the other sources: ``global/x`` is the workflow ``x`` of that source. No pack has such a name."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,199}", re.ASCII)


def is_pack_name(name: str) -> bool:
    """Whether a pack, or a workflow of one, can have this name: no separator, no dot, nothing to be careful with."""
    return _NAME.fullmatch(name) is not None


def split(identifier: str) -> tuple[str, str] | None:
    """Pack (or scope) and workflow of an identifier; None for a bare name, and where a half is not a name."""
    scope, separator, name = identifier.partition("/")
    if not separator or not is_pack_name(scope):
        return None
    return (scope, name) if scope in SCOPES or is_pack_name(name) else None


def pack_of(identifier: str) -> str | None:
    """The pack that a workflow belongs to."""
    halves = split(identifier)
    return None if halves is None or halves[0] in SCOPES else halves[0]


def callees(caller: str, name: str) -> tuple[str, ...]:
    """The identifiers that the name of a sub-workflow can mean, the first that there is wins: in a pack, a bare name is
    looked for in the pack first."""
    pack = pack_of(caller)
    return (f"{pack}/{name}", name) if pack is not None and is_pack_name(name) else (name,)
