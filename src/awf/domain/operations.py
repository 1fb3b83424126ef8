"""``type: operation``, and the state types of plug-ins, which are operations with keys of their own."""

from __future__ import annotations

from collections.abc import Mapping

from awf.domain.draft import Draft
from awf.domain.executable import read_leaf
from awf.domain.extensions import ExtensionBroken
from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, UNKNOWN_KEY, Fields
from awf.domain.nodes import MapNode, ScalarNode
from awf.domain.signatures import Signature
from awf.domain.signatures.github import BATCH, GITHUB
from awf.domain.signatures.http import HTTP_REQUEST
from awf.domain.signatures.notify import NOTIFY_SEND
from awf.domain.suggest import did_you_mean
from awf.domain.templated import read_values, templated
from awf.domain.workflow import OperationState

OPERATIONS: Mapping[str, Signature] = {
    signature.name: signature for signature in (HTTP_REQUEST, NOTIFY_SEND, *GITHUB, BATCH)
}
"""awf's own."""

UNKNOWN_OPERATION = "WORKFLOW.VALIDATION.UNKNOWN_OPERATION"
BROKEN_PLUGIN = "WORKFLOW.VALIDATION.BROKEN_PLUGIN"
OPERATION_INPUT = "WORKFLOW.VALIDATION.OPERATION_INPUT"


def read_operation(fields: Fields, name: str, draft: Draft) -> OperationState | None:
    """None where it does not say which; that is reported."""
    common = read_leaf(fields, name, draft)
    given = [key for key in ("inputs", "operation_inputs") if fields.entry(key) is not None]
    if len(given) == 2:
        place = fields.node.entries["operation_inputs"].key
        fields.warn(place, UNKNOWN_KEY, "key 'operation_inputs' has no effect beside 'inputs'")
    inputs = read_values(fields, given[0]) if given else {}
    node = fields.scalar("operation", "the name of an operation")
    if node is None or not node.text.strip():
        if node is not None or fields.value("operation") is None:
            fields.error(fields.place, MISSING_FIELD, "operation is required for operation-type steps")
        return None
    signature = _signature(fields, node, draft)
    written = fields.value(given[0]) if given else MapNode(node.position)
    if signature is not None and isinstance(written, MapNode):
        _check_inputs(fields, signature, inputs, written, node)
    return OperationState(**common, operation=node.text, inputs=inputs)


def _signature(fields: Fields, node: ScalarNode, draft: Draft) -> Signature | None:
    """What is known of the operation. That it is not known, or broken, is a warning, because only the step fails, and
    that can be routed."""
    own = OPERATIONS.get(node.text)
    if own is not None:
        return own
    try:
        found = draft.extensions.signature("operation", node.text)
    except ExtensionBroken as broken:
        fields.warn(node.position, BROKEN_PLUGIN, f"operation '{node.text}' cannot be used: {broken}")
        return None
    if found is None:
        hint = did_you_mean(node.text, (*OPERATIONS, *draft.extensions.names("operation")))
        fields.warn(node.position, UNKNOWN_OPERATION, f"unknown operation '{node.text}'{hint}")
    return found


def _check_inputs(
    fields: Fields, signature: Signature, inputs: Mapping[str, object], written: MapNode, node: ScalarNode
) -> None:
    """Warnings, because only the step fails, and that can be routed."""
    for name, message in signature.faults(inputs):
        entry = written.entries.get(name)
        known = any(parameter.name == name for parameter in signature.parameters)
        place = node.position if entry is None else entry.value.position if known else entry.key
        fields.warn(place, OPERATION_INPUT, f"{signature.name}: {message}")


def read_plugin_state(fields: Fields, name: str, draft: Draft, signature: Signature) -> OperationState | None:
    """A state of a plug-in's type: its keys are the inputs. None where they cannot be."""
    common = read_leaf(fields, name, draft)
    inputs = {}
    for parameter in signature.parameters:
        node = fields.value(parameter.name)
        if node is not None:
            inputs[parameter.name] = templated(fields, node, parameter.name)
    faults = signature.faults(inputs)
    for key, message in faults:
        entry = fields.entry(key)
        fields.error(entry.value.position if entry else fields.place, INVALID_VALUE, message)
    return None if faults else OperationState(**common, operation=signature.name, inputs=inputs)
