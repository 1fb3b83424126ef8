"""``outputs:`` of a workflow: what a workflow that calls it gets."""

from __future__ import annotations

from awf.domain.declared import read_declared
from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, Fields
from awf.domain.language import OUTPUT
from awf.domain.nodes import Entry, MapNode, Node, ScalarNode
from awf.domain.problems import Position
from awf.domain.workflow import Output

_SHAPE = "a list of maps with name and from, or a map of names to expressions"


def read_outputs(root: Fields) -> tuple[Output, ...]:
    """The declared outputs in the order of the file."""
    return read_declared(root, "output", _SHAPE, _named, _listed)


def _listed(root: Fields, number: int, node: Node) -> Output | None:
    if not isinstance(node, MapNode):
        root.mismatch(node, f"output {number}", "a map with name and from")
        return None
    unnamed = Fields(node, node.position, f"output {number}: ", root.findings)
    name = unnamed.scalar("name") if unnamed.require("name") else None
    if name is None:
        return None
    return _output(root, name.text, name.position, node)


def _named(root: Fields, name: str, entry: Entry) -> Output | None:
    node = entry.value
    if isinstance(node, MapNode):
        return _output(root, name, entry.key, node)
    if isinstance(node, ScalarNode) and node.value is not None:
        return _output(root, name, entry.key, MapNode(entry.key, {"from": Entry(entry.key, node)}))
    root.mismatch(node, f"output '{name}'", "an expression, or a map with from")
    return None


def _output(root: Fields, name: str, place: Position, node: MapNode) -> Output | None:
    if not name.strip() or not name.isprintable():
        root.error(place, INVALID_VALUE, "the name of an output must be printable and not empty")
        return None
    fields = root.inner(node, f"output '{name}'", OUTPUT)
    key = "from" if fields.value("value") is None else "value"
    if not fields.given(key):
        fields.error(place, MISSING_FIELD, "required key 'from' is missing")
        return None
    source = fields.expression(key)
    return None if source is None else Output(name, source, place)
