"""``type: call_workflow``, with its keys on the state or in a block of its own."""

from __future__ import annotations

from awf.domain.draft import CallSite, Draft
from awf.domain.executable import read_common
from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, UNKNOWN_KEY, Fields
from awf.domain.kinds import CALL_BLOCK
from awf.domain.nodes import MapNode
from awf.domain.problems import Position
from awf.domain.templated import read_values, texts_by_name
from awf.domain.workflow import CallState

MAX_DEPTH = 10
"""So many levels of sub-workflows there may be below a workflow."""


def read_call(fields: Fields, name: str, draft: Draft) -> CallState | None:
    """None where it does not say what to call; why is reported."""
    fields = _unfolded(fields)
    common = read_common(fields, name, draft)
    inputs = read_values(fields, "inputs")
    outputs = texts_by_name(fields, "outputs", "a map of outputs to names")
    node = fields.scalar("workflow", "the name of a workflow")
    for key, given in outputs.items():
        if not given.text:
            fields.invalid(given, f"'outputs.{key}' must not be empty")
    if node is None or not node.text.strip():
        if node is not None or fields.value("workflow") is None:
            message = "call_workflow config is required for call_workflow steps: 'workflow' is missing"
            fields.error(fields.place, MISSING_FIELD, message)
        return None
    if "{{" in node.text:
        fields.error(
            node.position, INVALID_VALUE, "'workflow' must be the name of a workflow, not a template"
        )
        return None
    draft.calls.append(
        CallSite(name, node.text, node.position, _places(fields, "inputs"), _places(fields, "outputs"))
    )
    return CallState(
        **common,
        workflow=node.text,
        inputs=inputs,
        outputs={key: given.text for key, given in outputs.items()},
    )


def _places(fields: Fields, key: str) -> dict[str, Position]:
    """Where the entries of a map are named."""
    value = fields.value(key)
    entries = value.entries if isinstance(value, MapNode) else {}
    return {name: entry.key for name, entry in entries.items()}


def _unfolded(fields: Fields) -> Fields:
    """The keys of the block ``call_workflow`` as keys of the state."""
    block = fields.nested("call_workflow", CALL_BLOCK, "a map with workflow, inputs, outputs and timeout")
    if block is None:
        return fields
    for key in block.node.entries.keys() & fields.node.entries.keys():
        message = f"key '{key}' has no effect here: 'call_workflow' has it as well"
        fields.warn(fields.node.entries[key].key, UNKNOWN_KEY, message)
    entries = fields.node.entries | block.node.entries
    return Fields(MapNode(fields.node.position, entries), fields.place, fields.subject, fields.findings)
