"""``type: operation``."""

from __future__ import annotations

from awf.domain.draft import Draft
from awf.domain.executable import read_leaf
from awf.domain.fields import MISSING_FIELD, UNKNOWN_KEY, Fields
from awf.domain.suggest import did_you_mean
from awf.domain.templated import read_values
from awf.domain.workflow import OperationState

OPERATIONS = (
    "http.request",
    "notify.send",
    "github.get_issue",
    "github.get_pr",
    "github.create_pr",
    "github.create_issue",
    "github.add_labels",
    "github.list_comments",
    "github.add_comment",
    "github.batch",
)
UNKNOWN_OPERATION = "WORKFLOW.VALIDATION.UNKNOWN_OPERATION"


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
    if node.text not in OPERATIONS:
        hint = did_you_mean(node.text, OPERATIONS)
        fields.warn(node.position, UNKNOWN_OPERATION, f"unknown operation '{node.text}'{hint}")
    return OperationState(**common, operation=node.text, inputs=inputs)
