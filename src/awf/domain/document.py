"""YAML text into nodes with places: strict about what a reader of the file could misread, bounded in what it costs."""

from __future__ import annotations

import re

import yaml
from msgspec import Struct
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from awf.domain.findings import Findings
from awf.domain.nodes import Entry, ListNode, MapNode, Node, ScalarNode, ScalarValue, kind_of, resolve
from awf.domain.problems import UNPLACED, Position, Problem, ProblemError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100
MAX_EXPANDED = 4 * 1024 * 1024
"""Characters and nodes of a document with every alias written out."""

SYNTAX = "WORKFLOW.PARSE.YAML_SYNTAX"
_UNQUOTED = "a value that begins with '{{' needs quotes"
_TAG = "tag:yaml.org,2002:"


def read_document(source: str | bytes, file: str, findings: Findings) -> MapNode | None:
    """The document's top-level map; None where the one problem added says why there is none."""
    found = Findings()
    try:
        root = _Composer(_decoded(source, file), file, found).document()
    except ProblemError as error:
        findings.add(error)
        return None
    for problem in found.in_file_order():
        findings.add(problem)
    return root


def _refusal(position: Position, code: str, message: str) -> ProblemError:
    return ProblemError(Problem(position, code, message))


def _decoded(source: str | bytes, file: str) -> str:
    start = Position(file, 1, 1)
    try:
        data = source.encode() if isinstance(source, str) else source
    except UnicodeEncodeError as error:
        place = _place(file, str(source)[: error.start])
        raise _refusal(
            place, "WORKFLOW.PARSE.ENCODING", "the file holds a character that UTF-8 cannot say"
        ) from None
    if len(data) > MAX_BYTES:
        raise _refusal(start, "WORKFLOW.PARSE.TOO_LARGE", "the file is larger than 1 MiB")
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        place = _place(file, data[: error.start].decode())
        raise _refusal(place, "WORKFLOW.PARSE.ENCODING", "the file is not valid UTF-8") from None


def _place(file: str, before: str) -> Position:
    return Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Anchor(Struct, frozen=True):
    """A finished anchored node with what it costs to write it out: characters and nodes, and levels."""

    node: Node
    weight: int
    height: int


class _Composer:
    """Builds nodes from libyaml's events, so that depth and size are checked while reading, not after."""

    def __init__(self, text: str, file: str, findings: Findings) -> None:
        self._text = text
        self._file = file
        self._findings = findings
        self._anchors: dict[str, _Anchor | None] = {}
        self._weight = 0
        self._deepest = 0

    def document(self) -> MapNode:
        try:
            self._loader = yaml.CSafeLoader(self._text)
            return self._single()
        except yaml.reader.ReaderError as error:
            before = self._text.encode()[: error.position].decode(errors="ignore")
            message = f"invalid YAML: character U+{int(error.character):04X} is not allowed"
            raise _refusal(_place(self._file, before), SYNTAX, message) from None
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error) from None

    def _single(self) -> MapNode:
        self._next()
        event = self._next()
        start = Position(self._file, 1, 1)
        if not isinstance(event, DocumentStartEvent):
            raise _refusal(start, "WORKFLOW.PARSE.EMPTY", "the file is empty")
        first = self._next()
        root = self._node(first, 0)
        self._next()
        after = self._next()
        if not isinstance(after, StreamEndEvent):
            message = "the file holds more than one YAML document"
            raise _refusal(self._at(after), "WORKFLOW.PARSE.MULTIPLE_DOCUMENTS", message)
        if isinstance(root, MapNode):
            return root
        if isinstance(root, ScalarNode) and root.value is None:
            raise _refusal(start, "WORKFLOW.PARSE.EMPTY", "the file is empty")
        message = f"a workflow is a map of keys to values, this file holds {kind_of(root)}"
        raise _refusal(root.position, "WORKFLOW.PARSE.NOT_A_MAP", message)

    def _syntax(self, error: yaml.MarkedYAMLError) -> ProblemError:
        mark = error.problem_mark or error.context_mark
        if mark is None or mark.index >= len(self._text):
            place = _place(self._file, self._text)
        else:
            place = Position(self._file, mark.line + 1, mark.column + 1)
        message = f"invalid YAML: {error.problem or error.context}"
        if mark and self._text[mark.index : mark.index + 1] == "\t":
            message += " (a tab; indent with spaces)"
        elif mark and re.search(r":\s+\{\{[^\n]*\Z", self._text[: mark.index]):
            message += f" ({_UNQUOTED})"
        elif error.context and error.context_mark and error.context_mark.line != place.line - 1:
            message += f" ({error.context} that begins at line {error.context_mark.line + 1})"
        return _refusal(place, SYNTAX, message)

    def _next(self) -> Event:
        # libyaml ends every stream with an event, and nobody reads beyond it.
        return self._loader.get_event()  # type: ignore[return-value]

    def _at(self, event: Event) -> Position:
        mark = event.start_mark
        assert mark is not None
        return Position(self._file, mark.line + 1, mark.column + 1)

    def _node(self, event: Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _refusal(
                self._at(event), "WORKFLOW.PARSE.TOO_DEEP", f"nested more than {MAX_DEPTH} levels deep"
            )
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        assert isinstance(event, NodeEvent)
        if event.anchor is None and isinstance(event, ScalarEvent):
            self._weight += 1 + len(event.value)
            self._deepest = max(self._deepest, depth)
            return self._scalar(event)
        before, deepest = self._weight, self._deepest
        self._deepest = depth
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._composed(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(node, self._weight - before, self._deepest - depth)
        self._deepest = max(self._deepest, deepest)
        return node

    def _composed(self, event: NodeEvent, depth: int) -> Node:
        if isinstance(event, ScalarEvent):
            self._weight += 1 + len(event.value)
            return self._scalar(event)
        self._weight += 1
        self._check_tag(event)
        return self._map(event, depth) if isinstance(event, MappingStartEvent) else self._list(event, depth)

    def _alias(self, event: AliasEvent, depth: int) -> Node:
        name = str(event.anchor)
        code = "WORKFLOW.PARSE.ALIAS"
        if name not in self._anchors:
            raise _refusal(self._at(event), code, f"alias '*{name}' refers to nothing above it")
        anchor = self._anchors[name]
        if anchor is None:
            raise _refusal(self._at(event), code, f"alias '*{name}' refers to the value it is part of")
        self._weight += anchor.weight
        self._deepest = max(self._deepest, depth + anchor.height)
        if self._weight > MAX_EXPANDED or self._deepest > MAX_DEPTH:
            raise _refusal(self._at(event), code, f"alias '*{name}' makes the document too large")
        return anchor.node

    def _list(self, event: NodeEvent, depth: int) -> ListNode:
        node = ListNode(self._at(event))
        while not isinstance(item := self._next(), SequenceEndEvent):
            node.items.append(self._node(item, depth + 1))
        return node

    def _map(self, event: NodeEvent, depth: int) -> MapNode:
        node = MapNode(self._at(event))
        merged: list[Node] = []
        while not isinstance(key_event := self._next(), MappingEndEvent):
            name = self._key(key_event, depth + 1)
            place = self._at(key_event)
            value = self._node(self._next(), depth + 1)
            if name is None:
                continue
            if name == "<<" and isinstance(key_event, ScalarEvent) and key_event.implicit[0]:
                merged.append(value)
            elif name in node.entries:
                first = node.entries[name].key.line
                message = f"duplicate key '{name}' (first at line {first})"
                self._findings.error(place, "WORKFLOW.PARSE.DUPLICATE_KEY", message)
            else:
                node.entries[name] = Entry(place, value)
        for source in merged:
            self._merge(node, source)
        return node

    def _key(self, event: Event, depth: int) -> str | None:
        """A key's text; None where it is no word, which is reported."""
        if type(event) is ScalarEvent and event.anchor is None and event.tag is None:
            self._weight += 1 + len(event.value)
            return str(event.value)
        key = self._node(event, depth)
        if isinstance(key, ScalarNode):
            return key.text
        hint = f" ({_UNQUOTED})" if isinstance(key, MapNode) else ""
        message = f"a key must be a word, not {kind_of(key)}{hint}"
        self._findings.error(self._at(event), SYNTAX, message)
        return None

    def _merge(self, node: MapNode, source: Node) -> None:
        """``<<``: what ``source`` has and ``node`` does not write itself."""
        for other in source.items if isinstance(source, ListNode) else [source]:
            if isinstance(other, MapNode):
                for key, entry in other.entries.items():
                    node.entries.setdefault(key, entry)
            else:
                message = f"'<<' takes a map or a list of maps, not {kind_of(other)}"
                self._findings.error(other.position, SYNTAX, message)

    def _scalar(self, event: ScalarEvent) -> ScalarNode:
        place = self._at(event)
        content, indent = place, 0
        if event.style in {"'", '"'}:
            content = place.moved(0, 1)
        elif event.style in {"|", ">"}:
            content, indent = self._block(event, place)
        if event.style not in {"|", ">"} and self._lines_differ(event):
            indent = UNPLACED
        return ScalarNode(place, event.value, self._value(event), content, indent)

    def _lines_differ(self, event: ScalarEvent) -> bool:
        """Whether the text breaks its lines elsewhere than the file does: by escapes, or over several lines of it."""
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        return bool(start.line != end.line or "\n" in event.value)

    def _value(self, event: ScalarEvent) -> ScalarValue:
        text: str = event.value
        if event.tag is None:
            return resolve(text) if event.implicit[0] else text
        kind = event.tag.removeprefix(_TAG)
        if kind in {"!", "str", "binary", "timestamp"}:
            return text
        if kind not in {"int", "float", "bool", "null"}:
            self._check_tag(event)
            return text
        value = resolve(text)
        if kind == "float" and type(value) is int:
            return float(value)
        if type(value).__name__ == kind or (kind == "null" and value is None):
            return value
        self._findings.error(self._at(event), SYNTAX, f"'{text}' cannot be read as !!{kind}")
        return value

    def _check_tag(self, event: NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in {"!", f"{_TAG}map", f"{_TAG}seq"}:
            message = f"tag '{str(tag).replace(_TAG, '!!')}' has no effect"
            self._findings.warn(self._at(event), "WORKFLOW.PARSE.UNKNOWN_TAG", message)

    def _block(self, event: ScalarEvent, place: Position) -> tuple[Position, int]:
        """Where a block scalar's text begins, and how far its lines are indented."""
        lines: list[str] = event.value.split("\n")
        number = next((index for index, line in enumerate(lines) if line.strip()), None)
        if number is None:
            return place, 0
        assert event.start_mark is not None
        start = event.start_mark.index
        for _ in range(number + 1):
            start = self._text.find("\n", start) + 1
        source = self._text[start : self._text.find("\n", start)]
        indent = max(_leading_spaces(source) - _leading_spaces(lines[number]), 0)
        return Position(place.file, place.line + 1, indent + 1), indent


def _leading_spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
