"""``inputs:`` of a workflow file, as a list or as a map, with their validation rules; defaults are checked here."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from awf.domain.declared import read_declared
from awf.domain.expressions.patterns import PatternInvalid
from awf.domain.fields import INVALID_VALUE, Fields
from awf.domain.inputs import INPUT_TYPES, broken_rules, coerce, compiled
from awf.domain.language import INPUT, RULES
from awf.domain.nodes import Entry, MapNode, Node, ScalarNode, kind_of, plain_value
from awf.domain.problems import Position
from awf.domain.workflow import Input, InputType, Rules

_STRING_RULES = frozenset({"pattern", "file_exists", "file_extension"})
_NUMBER_RULES = frozenset({"min", "max"})
_SHAPE = "a list of inputs, or a map of names to inputs"


def read_inputs(root: Fields) -> tuple[Input, ...]:
    """The declared inputs in the order of the file."""
    return read_declared(root, "input", _SHAPE, _named, _listed)


def _named(root: Fields, name: str, entry: Entry) -> Input | None:
    node = entry.value
    if isinstance(node, ScalarNode) and node.value is None:
        node = MapNode(entry.key)
    if not isinstance(node, MapNode):
        root.mismatch(node, f"input '{name}'", "a map")
        return None
    return _input(root, name, entry.key, node)


def _listed(root: Fields, number: int, node: Node) -> Input | None:
    if not isinstance(node, MapNode):
        root.mismatch(node, f"input {number}", "a map with a name")
        return None
    unnamed = Fields(node, node.position, f"input {number}: ", root.findings)
    if not unnamed.require("name"):
        return None
    name = unnamed.text("name")
    return _input(root, name, node.entries["name"].value.position, node)


def _input(root: Fields, name: str, place: Position, node: MapNode) -> Input | None:
    fields = Fields(node, place, f"input '{name}': ", root.findings)
    if not name.strip() or not name.isprintable():
        fields.error(place, INVALID_VALUE, "the name of an input must be printable and not empty")
        return None
    _check_keys(fields)
    kind = _type(fields)
    item = Input(
        name,
        kind,
        place,
        description=fields.text("description"),
        required=bool(fields.boolean("required")),
        secret=fields.boolean("secret"),
        rules=_rules(fields, kind),
    )
    return replace(item, default=_default(fields, item))


def _check_keys(fields: Fields) -> None:
    misplaced = dict.fromkeys(RULES.read, "it belongs under 'validation'")
    fields.check_keys(replace(INPUT, inert=misplaced))


def _type(fields: Fields) -> InputType:
    node = fields.scalar("type")
    if node is None or not node.text:
        return "string"
    names = ", ".join(INPUT_TYPES)
    kind = fields.choice("type", INPUT_TYPES, lambda given: f'unknown type "{given}", must be one of {names}')
    return next((known for known in INPUT_TYPES if known == kind), "string")


def _rules(fields: Fields, kind: InputType) -> Rules:
    node = fields.value("validation")
    if node is None:
        return Rules()
    if not isinstance(node, MapNode):
        fields.mismatch(node, "'validation'", "a map of rules")
        return Rules()
    rules = Fields(node, node.position, f"{fields.subject}validation: ", fields.findings)
    rules.check_keys(RULES)
    idle = _idle_rules(kind)
    for name in idle & node.entries.keys():
        message = f"'{name}' has no effect on an input of type '{kind}'"
        rules.warn(node.entries[name].key, INVALID_VALUE, message)
    used = Fields(
        MapNode(node.position, {name: entry for name, entry in node.entries.items() if name not in idle}),
        node.position,
        rules.subject,
        fields.findings,
    )
    minimum, maximum = used.number("min"), used.number("max")
    if minimum is not None and maximum is not None and minimum > maximum:
        used.error(node.entries["min"].value.position, INVALID_VALUE, "'min' is greater than 'max'")
    return Rules(
        pattern=_pattern(used),
        enum=_enum(used, kind),
        minimum=minimum,
        maximum=maximum,
        file_exists=bool(used.boolean("file_exists")),
        file_extension=used.texts("file_extension"),
    )


def _idle_rules(kind: InputType) -> frozenset[str]:
    if kind == "string":
        return _NUMBER_RULES
    if kind in {"integer", "number"}:
        return _STRING_RULES
    return _STRING_RULES | _NUMBER_RULES | ({"enum"} if kind in {"array", "object"} else frozenset())


def _pattern(rules: Fields) -> str | None:
    node = rules.scalar("pattern", "a regular expression")
    if node is None:
        return None
    try:
        compiled(node.text)
    except PatternInvalid as error:
        rules.invalid(node, f"invalid regex pattern: {error}")
        return None
    return node.text


def _enum(rules: Fields, kind: InputType) -> tuple[Any, ...]:
    found = []
    for node in rules.items("enum", "a list of values"):
        value = _coerced(rules, node, kind, "enum")
        if value is not None:
            found.append(value)
    return tuple(found)


def _default(fields: Fields, item: Input) -> Any:
    node = fields.value("default")
    if node is None:
        return None
    value = _coerced(fields, node, item.type, "default")
    if value is not None:
        for text in broken_rules(item, value, None):
            fields.invalid(node, f"default: {text}")
    return value


def _coerced(fields: Fields, node: Node, kind: InputType, name: str) -> Any:
    """A written value as ``kind``; a string is taken as it is written, so that ``1.10`` stays ``1.10``."""
    if kind == "string" and isinstance(node, ScalarNode):
        return node.text
    if name == "enum" and not isinstance(node, ScalarNode):
        fields.invalid(node, f"enum: a value must not be {kind_of(node)}")
        return None
    try:
        return coerce(kind, plain_value(node))
    except ValueError as error:
        fields.invalid(node, f"{name}: {error}")
    return None
