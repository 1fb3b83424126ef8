"""What a YAML document is made of, every key and value with its place."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct, field

from awf.domain.problems import Position

ScalarValue: TypeAlias = str | int | float | bool | None


class ScalarNode(Struct, frozen=True):
    """``text`` is the scalar without its quotes, ``value`` what it means. ``content`` is where the text begins (for
    block scalars on the line after the header), ``indent`` how many columns of its further lines are not text.
    """

    position: Position
    text: str
    value: ScalarValue
    content: Position
    indent: int = 0


class ListNode(Struct, frozen=True):
    """A list, in the order of the file."""

    position: Position
    items: list[Node] = field(default_factory=list)


class Entry(NamedTuple):
    """A key's place and its value."""

    key: Position
    value: Node


class MapNode(Struct, frozen=True):
    """Entries in the order of the file; keys are the texts of scalars (``1:`` is the key ``"1"``)."""

    position: Position
    entries: dict[str, Entry] = field(default_factory=dict)


Node: TypeAlias = ScalarNode | ListNode | MapNode


def plain_value(node: Node) -> Any:
    """The node as JSON has it. What JSON cannot say (infinity, not-a-number) is the text as written."""
    if isinstance(node, ScalarNode):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            return node.text
        return node.value
    if isinstance(node, ListNode):
        return [plain_value(item) for item in node.items]
    return {key: plain_value(entry.value) for key, entry in node.entries.items()}


def kind_of(node: Node) -> str:
    """The node's kind as messages call it."""
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MapNode):
        return "a map"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "a boolean"
    return "a number" if isinstance(node.value, (int, float)) else "a string"


_WORDS: dict[str, ScalarValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
_BASED = re.compile(r"([-+]?)0(?:b([01]{1,64})|x([0-9a-fA-F]{1,16})|o?([0-7]{1,22}))")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_FRACTION = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LEAST, _MOST = -(2**63), 2**64 - 1


def resolve(text: str) -> ScalarValue:
    """What an unquoted scalar means: YAML 1.2's booleans and null, numbers also in the older spellings (``0755``,
    ``1_000``), everything else a string; so ``yes``, ``on`` and dates are strings. Integers that do not fit into 64
    bits are floats.
    """
    if not text or text[0] not in _NUMBER_STARTS:
        return _WORDS.get(text, text)
    if text in _WORDS:
        return _WORDS[text]
    digits = text.replace("_", "")
    if match := _BASED.fullmatch(digits):
        sign, binary, hexadecimal, octal = match.groups()
        amount = int(binary, 2) if binary else int(hexadecimal, 16) if hexadecimal else int(octal, 8)
        return _sized(-amount if sign == "-" else amount)
    if _WHOLE.fullmatch(digits) and len(digits) <= 21:
        return _sized(int(digits))
    return float(digits) if _FRACTION.fullmatch(digits) else text


def _sized(number: int) -> int | float:
    return number if _LEAST <= number <= _MOST else float(number)
