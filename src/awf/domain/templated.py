"""Values of any shape in which texts are templates: inputs of calls and operations, options, items, variables."""

from __future__ import annotations

import re
from typing import Any

from awf.domain.fields import INVALID_VALUE, Fields
from awf.domain.nodes import ListNode, MapNode, Node, ScalarNode, plain_value
from awf.domain.templates import Template

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def templated(fields: Fields, node: Node, name: str) -> Any:
    """The node's value; in it, however deep, a Template for every text with actions, and other values as they are."""
    if isinstance(node, ListNode):
        return [templated(fields, item, name) for item in node.items]
    if isinstance(node, MapNode):
        return {key: templated(fields, entry.value, f"{name}.{key}") for key, entry in node.entries.items()}
    if not isinstance(node.value, str):
        return plain_value(node)
    if fields.as_scalar(node, name) is None:
        return node.text
    return fields.parsed_template(node) if "{{" in node.text else node.text


def read_values(fields: Fields, key: str) -> dict[str, Any]:
    """A map of names to values with templates; empty where absent."""
    node = fields.value(key)
    if node is None:
        return {}
    if not isinstance(node, MapNode):
        fields.mismatch(node, f"'{key}'", "a map of names to values")
        return {}
    return {name: templated(fields, entry.value, f"{key}.{name}") for name, entry in node.entries.items()}


def read_variables(fields: Fields, key: str) -> dict[str, Template]:
    """A map of environment variables to templates; empty where absent."""
    node = fields.value(key)
    if node is None:
        return {}
    if not isinstance(node, MapNode):
        fields.mismatch(node, f"'{key}'", "a map of names to values")
        return {}
    found: dict[str, Template] = {}
    for name, entry in node.entries.items():
        if not _VARIABLE.fullmatch(name):
            fields.error(entry.key, INVALID_VALUE, f"'{name}' is not a name for an environment variable")
            continue
        node = entry.value
        if isinstance(node, ScalarNode) and node.value is None:
            node = ScalarNode(node.position, "", "", node.position)
        value = fields.as_scalar(node, f"{key}.{name}")
        template = fields.parsed_template(value) if value else None
        if template is not None:
            found[name] = template
    return found


def texts_by_name(fields: Fields, key: str, wanted: str) -> dict[str, ScalarNode]:
    """A map of names to texts; empty where absent."""
    node = fields.value(key)
    if node is None:
        return {}
    if not isinstance(node, MapNode):
        fields.mismatch(node, f"'{key}'", wanted)
        return {}
    found = ((name, fields.as_scalar(entry.value, f"{key}.{name}")) for name, entry in node.entries.items())
    return {name: value for name, value in found if value is not None}
