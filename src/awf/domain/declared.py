"""What is declared by name, as a list of maps or as a map of names: ``inputs:`` and ``outputs:``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from awf.domain.fields import INVALID_VALUE, Fields
from awf.domain.nodes import Entry, ListNode, MapNode, Node
from awf.domain.workflow import Input, Output

D = TypeVar("D", Input, Output)


def read_declared(
    root: Fields,
    noun: str,
    shape: str,
    named: Callable[[Fields, str, Entry], D | None],
    listed: Callable[[Fields, int, Node], D | None],
) -> tuple[D, ...]:
    """What the key ``noun`` + "s" declares, in the order of the file; a name that comes again is reported and left out.

    ``named`` reads an entry of a map, ``listed`` an element of a list, by its number from 1; None where it cannot.
    """
    key = f"{noun}s"
    node = root.value(key)
    if node is None:
        return ()
    if isinstance(node, MapNode):
        declared = [named(root, name, entry) for name, entry in node.entries.items()]
    elif isinstance(node, ListNode):
        declared = [listed(root, number, item) for number, item in enumerate(node.items, 1)]
    else:
        root.mismatch(node, f"'{key}'", shape)
        return ()
    found: dict[str, D] = {}
    for item in declared:
        if item is None:
            continue
        if item.name in found:
            root.error(item.position, INVALID_VALUE, f"{noun} '{item.name}' is declared twice")
        found.setdefault(item.name, item)
    return tuple(found.values())
