"""``states:`` of a workflow file: every state by its type."""

from __future__ import annotations

import re
from collections.abc import Callable

from awf.domain.agents import read_agent
from awf.domain.approvals import read_approval
from awf.domain.blocks import read_for_each, read_parallel, read_while
from awf.domain.calls import read_call
from awf.domain.draft import Draft
from awf.domain.expansion import Expansion
from awf.domain.extensions import ExtensionBroken
from awf.domain.fields import INVALID_VALUE, WRONG_TYPE, Fields
from awf.domain.findings import Findings
from awf.domain.kinds import STATE_KEYS, plugin_keys
from awf.domain.nodes import Entry, MapNode, kind_of
from awf.domain.operations import BROKEN_PLUGIN, read_operation, read_plugin_state
from awf.domain.signatures import Signature
from awf.domain.steps import read_step
from awf.domain.suggest import did_you_mean
from awf.domain.workflow import State, TerminalState

TERMINAL_STATUS = "WORKFLOW.VALIDATION.TERMINAL_STATUS"
_FAILURE_WORDS = frozenset(
    {"error", "errors", "errored", "fail", "fails", "failed", "failing", "failure", "failures", "fatal"}
)


def read_states(root: Fields, draft: Draft) -> None:
    """Read the states of the document into the draft. What is wrong with one hides nothing about the others."""
    if not root.require("states"):
        return
    entry = root.node.entries["states"]
    if not isinstance(entry.value, MapNode):
        root.mismatch(entry.value, "'states'", "a map with initial and the states by name")
        return
    _read_initial(Fields(entry.value, entry.key, "states: ", root.findings), draft)
    expansion = Expansion(draft, root.findings)
    for name, inner in entry.value.entries.items():
        if name != "initial":
            draft.places[name] = inner.key
            state = _read_state(name, inner, draft, expansion, root.findings)
            if state is not None:
                draft.states[name] = state


def _read_initial(fields: Fields, draft: Draft) -> None:
    if not fields.require("initial"):
        return
    node = fields.scalar("initial", "the name of a state")
    if node is not None:
        draft.initial, draft.initial_place = node.text, node.position


def _read_state(
    name: str, entry: Entry, draft: Draft, expansion: Expansion, findings: Findings
) -> State | None:
    subject = f"state '{name}': "
    if not name.strip() or not name.isprintable():
        findings.error(entry.key, INVALID_VALUE, "the name of a state must be printable and not empty")
        return None
    if not isinstance(entry.value, MapNode):
        findings.error(entry.key, WRONG_TYPE, f"{subject}must be a map, not {kind_of(entry.value)}")
        return None
    node = expansion.expanded(entry.value, subject)
    if node is None:
        return None
    fields = Fields(node, entry.key, subject, findings)
    kind = _kind(fields, draft)
    if kind is None:
        return None
    if isinstance(kind, Signature):
        fields.check_keys(plugin_keys(kind))
        return read_plugin_state(fields, name, draft, kind)
    fields.check_keys(STATE_KEYS[kind])
    return _READERS[kind](fields, name, draft)


def _kind(fields: Fields, draft: Draft) -> str | Signature | None:
    """One of awf's own types, or the signature of a plug-in's."""
    if not fields.require("type"):
        return None
    node = fields.scalar("type")
    if node is None:
        return None
    kind = node.text.casefold()
    if kind in _READERS:
        return kind
    try:
        found = draft.extensions.signature("state", kind)
    except ExtensionBroken as broken:
        fields.error(node.position, BROKEN_PLUGIN, f"type '{node.text}' cannot be used: {broken}")
        return None
    if found is None:
        hint = did_you_mean(kind, (*_READERS, *draft.extensions.names("state")))
        fields.invalid(node, f"unknown type '{node.text}'{hint}")
    return found


def _read_terminal(fields: Fields, name: str, _: Draft) -> TerminalState:
    status = fields.choice(
        "status",
        ("success", "failure"),
        lambda given: f"invalid terminal status '{given}': must be 'success' or 'failure'",
    )
    if fields.entry("status") is None and not _FAILURE_WORDS.isdisjoint(re.split(r"[\W_]+", name.lower())):
        message = "ends the execution as a success; if it means a failure, write 'status: failure'"
        fields.warn(fields.place, TERMINAL_STATUS, message)
    exit_code = fields.integer("exit_code", 0, 255)
    if exit_code is None:
        exit_code = fields.integer("exitcode", 0, 255)
    return TerminalState(
        name=name,
        position=fields.place,
        status="failure" if status == "failure" else "success",
        message=fields.template("message"),
        exit_code=exit_code,
        description=fields.text("description"),
    )


_READERS: dict[str, Callable[[Fields, str, Draft], State | None]] = {
    "step": read_step,
    "command": read_step,
    "terminal": _read_terminal,
    "parallel": read_parallel,
    "for_each": read_for_each,
    "while": read_while,
    "call_workflow": read_call,
    "agent": read_agent,
    "operation": read_operation,
    "approval": read_approval,
}
