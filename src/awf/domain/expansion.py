"""``use_template``: states that are copied from the file of a template, with parameters put in (workflow language, 3.9).

A template is ``NAME.yaml`` or ``NAME.yml`` in ``.awf/templates``, in ``templates`` of the storage directory, or in that of
the user's data directory; the first that there is counts, be it a good one or not.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping

from msgspec import Struct

from awf.domain.document import MAX_EXPANDED, read_document
from awf.domain.draft import Draft
from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, UNKNOWN_KEY, Fields
from awf.domain.files import FileMissing, FileRefused, shown_path
from awf.domain.findings import Findings
from awf.domain.language import PARAMETER, TEMPLATE_FILE
from awf.domain.nodes import Entry, ListNode, MapNode, Node, ScalarNode, plain_value
from awf.domain.problems import UNPLACED, Position

CIRCULAR = "WORKFLOW.VALIDATION.CIRCULAR_TEMPLATE"
_PLACES = (".awf/templates", "{{awf.storage_dir}}/templates", "{{awf.data_dir}}/templates")
_PARAMETER = re.compile(r"(?:\s*\{\{-\s+|\{\{\s*)\.?parameters\.([^\W\d][\w-]*)(?:\s+-\}\}\s*|\s*\}\})")
_RIVALS = (
    {"command", "script_file"},
    {"prompt", "prompt_file"},
    {"inputs", "operation_inputs"},
    {"workflow", "call_workflow"},
)
"""Of each of these a state has one: a state's own key displaces the other one of its template."""


class _Template(Struct, frozen=True):
    """``parameters`` maps a name to its default; a required one has none, and an optional one without has null."""

    state: MapNode
    parameters: Mapping[str, Node | None]


class Expansion:
    """The templates of one workflow, each read once; all copies together are bounded in size."""

    def __init__(self, draft: Draft, findings: Findings) -> None:
        self._draft = draft
        self._findings = findings
        self._templates: dict[str, _Template | None] = {}
        self._weight = 0

    def expanded(self, node: MapNode, subject: str, chain: tuple[str, ...] = ()) -> MapNode | None:
        """The state with what its template gives it; ``chain``: the templates that it is copied through. None where
        that cannot be said; why is reported."""
        fields = Fields(node, node.position, subject, self._findings)
        if fields.entry("use_template") is None:
            return node
        name = fields.scalar("use_template", "the name of a template")
        if name is None:
            return None
        if name.text in chain:
            path = " -> ".join((*chain, name.text))
            fields.error(name.position, CIRCULAR, f"circular template reference: {path}")
            return None
        template = self._template(name, fields)
        values = self._values(template, name.text, fields) if template else None
        if template is None or values is None:
            return None
        copy = self._filled(template.state, values, name.text, fields)
        if not isinstance(copy, MapNode):
            return None
        base = self.expanded(copy, subject, (*chain, name.text))
        return _merged(node, base) if base else None

    def _template(self, name: ScalarNode, fields: Fields) -> _Template | None:
        if name.text not in self._templates:
            self._templates[name.text] = self._read(name, fields)
        elif self._templates[name.text] is None:
            fields.invalid(name, f"template '{name.text}' cannot be used")
        return self._templates[name.text]

    def _read(self, name: ScalarNode, fields: Fields) -> _Template | None:
        parts = name.text.split("/")
        if not name.text.isprintable() or any(part in {"", ".", ".."} for part in parts):
            fields.invalid(name, f"'{name.text}' cannot be the name of a template")
            return None
        try:
            path, text = self._text(name.text)
        except FileRefused as refusal:
            fields.error(name.position, "USER.INPUT.MISSING_FILE", f"template '{name.text}': {refusal}")
            return None
        shown = shown_path(self._draft.file, path)
        before = self._findings.count
        root = read_document(text, shown, self._findings)
        template = (
            _parsed(Fields(root, Position(shown, 1, 1), "", self._findings), name.text) if root else None
        )
        if template is None and self._findings.count == before:
            fields.invalid(name, f"template '{name.text}' has no state")
        return template

    def _text(self, name: str) -> tuple[str, str]:
        """The path of a template, as ``Files`` takes it, and its text. Raises FileRefused."""
        for place in _PLACES:
            for extension in ("yaml", "yml"):
                path = f"{place}/{name}.{extension}"
                with contextlib.suppress(FileMissing):
                    return path, self._draft.text_of(path)
        elsewhere = f"nor templates/{name}.yaml of the storage or the data directory"
        raise FileRefused(f"file not found: .awf/templates/{name}.yaml, {elsewhere}")

    def _values(self, template: _Template, name: str, fields: Fields) -> dict[str, Node] | None:
        """What stands for each parameter; None where one is missing."""
        given = fields.value("parameters")
        if given is not None and not isinstance(given, MapNode):
            fields.mismatch(given, "'parameters'", "a map of names to values")
            return None
        arguments = given.entries if given else {}
        for key, entry in arguments.items():
            if key not in template.parameters:
                hint = self._findings.did_you_mean(key, template.parameters)
                fields.warn(entry.key, UNKNOWN_KEY, f"template '{name}' has no parameter '{key}'{hint}")
        values: dict[str, Node] = {}
        for key, default in template.parameters.items():
            value = arguments[key].value if key in arguments else default
            if value is None or (default is None and isinstance(value, ScalarNode) and value.value is None):
                place = fields.node.entries["use_template"].value.position
                fields.error(place, MISSING_FIELD, f'template "{name}" missing required parameter "{key}"')
            else:
                values[key] = value
        return values if len(values) == len(template.parameters) else None

    def _filled(self, node: Node, values: Mapping[str, Node], template: str, fields: Fields) -> Node | None:
        """A copy of the node with the parameters put into every text; None where it grows too large."""
        self._weight += 1 + (len(node.text) if isinstance(node, ScalarNode) else 0)
        if self._weight > MAX_EXPANDED:
            place = fields.node.entries["use_template"].value.position
            fields.error(place, INVALID_VALUE, "what its template makes of it is too large")
            return None
        if isinstance(node, ScalarNode):
            return self._filled_text(node, values, template)
        if isinstance(node, ListNode):
            items = [self._filled(item, values, template, fields) for item in node.items]
            kept = [item for item in items if item is not None]
            return ListNode(node.position, kept) if len(kept) == len(items) else None
        entries: dict[str, Entry] = {}
        for key, entry in node.entries.items():
            value = self._filled(entry.value, values, template, fields)
            if value is None:
                return None
            entries[key] = Entry(entry.key, value)
        return MapNode(node.position, entries)

    def _filled_text(self, node: ScalarNode, values: Mapping[str, Node], template: str) -> Node:
        whole = _PARAMETER.fullmatch(node.text)
        if whole and whole[1] in values:
            return values[whole[1]]

        def value(found: re.Match[str]) -> str:
            if found[1] in values:
                return _text(values[found[1]])
            hint = self._findings.did_you_mean(found[1], values)
            message = f"template '{template}' has no parameter '{found[1]}'{hint}"
            self._findings.error(node.position, INVALID_VALUE, message)
            return ""

        text = _PARAMETER.sub(value, node.text)
        if text == node.text:
            return node
        self._weight += len(text)
        return ScalarNode(node.position, text, text, node.content, UNPLACED)


def _text(node: Node) -> str:
    """A parameter's value inside a text."""
    if not isinstance(node, ScalarNode):
        return json.dumps(plain_value(node), ensure_ascii=False, separators=(",", ":"))
    return "" if node.value is None else node.text


def _merged(own: MapNode, base: MapNode) -> MapNode:
    entries = {key: entry for key, entry in own.entries.items() if key not in {"use_template", "parameters"}}
    displaced = {rival for rivals in _RIVALS if not rivals.isdisjoint(entries) for rival in rivals}
    for key, entry in base.entries.items():
        if key not in displaced:
            entries.setdefault(key, entry)
    return MapNode(own.position, entries)


def _parsed(root: Fields, name: str) -> _Template | None:
    """The state that a template file gives, and its parameters."""
    root.check_keys(TEMPLATE_FILE)
    if not root.require("states"):
        return None
    states = root.value("states")
    if not isinstance(states, MapNode):
        root.mismatch(root.node.entries["states"].value, "'states'", "a map with a state")
        return None
    named = {key: entry for key, entry in states.entries.items() if key != "initial"}
    first = states.entries.get("initial")
    initial = first.value.text if first and isinstance(first.value, ScalarNode) else ""
    chosen = next((key for key in (name.rsplit("/", 1)[-1], initial, *named) if key in named), None)
    if chosen is None:
        return None
    for key, entry in named.items():
        if key != chosen:
            root.warn(
                entry.key, UNKNOWN_KEY, f"template '{name}' gives its state '{chosen}': '{key}' has no effect"
            )
    state = named[chosen].value
    if not isinstance(state, MapNode):
        root.mismatch(state, f"state '{chosen}'", "a map")
        return None
    return _Template(state, _parameters(root))


def _parameters(root: Fields) -> dict[str, Node | None]:
    found: dict[str, Node | None] = {}
    for number, node in enumerate(root.items("parameters", "a list of maps with a name"), 1):
        if not isinstance(node, MapNode):
            root.mismatch(node, f"parameter {number}", "a map with a name")
            continue
        inner = root.inner(node, f"parameter {number}", PARAMETER)
        if inner.require("name"):
            nothing = ScalarNode(node.position, "", None, node.position)
            required = inner.boolean("required") and inner.entry("default") is None
            found[inner.text("name")] = None if required else inner.value("default") or nothing
    return found
