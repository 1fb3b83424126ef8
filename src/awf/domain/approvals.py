"""``type: approval``."""

from __future__ import annotations

from awf.domain.draft import Draft
from awf.domain.executable import read_common
from awf.domain.fields import INVALID_VALUE, UNKNOWN_KEY, Fields
from awf.domain.workflow import ApprovalState

_OWN = ("on_approve", "on_reject", "on_timeout")


def read_approval(fields: Fields, name: str, draft: Draft) -> ApprovalState | None:
    """None where it does not say what it asks; that is reported."""
    common = read_common(fields, name, draft, own=_OWN)
    common["retry"] = common["budget"] = None
    routing = common["routing"]
    if routing.on_approve and routing.on_success:
        _warn(fields, "on_success", "beside 'on_approve'")
    if routing.on_timeout and common["timeout"] is None:
        _warn(fields, "on_timeout", "without 'timeout'")
    if not fields.require("message"):
        return None
    if not fields.given("message"):
        fields.error(fields.node.entries["message"].key, INVALID_VALUE, "'message' must not be empty")
        return None
    message = fields.template("message")
    return None if message is None else ApprovalState(**common, message=message)


def _warn(fields: Fields, key: str, why: str) -> None:
    fields.warn(fields.node.entries[key].key, UNKNOWN_KEY, f"key '{key}' has no effect {why}")
