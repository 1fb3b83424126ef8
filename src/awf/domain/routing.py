"""Where to go after a state: ``on_success``, ``on_failure``, ``transitions``, ``continue_on_error``, and the names that
loops (``on_complete``) and approvals (``on_approve``, ``on_reject``, ``on_timeout``) have for some of it.
"""

from __future__ import annotations

from collections.abc import Collection

from awf.domain.draft import Draft, Target
from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, Fields
from awf.domain.language import INLINE_FAILURE, TRANSITION
from awf.domain.nodes import MapNode, Node
from awf.domain.workflow import InlineFailure, Routing, Transition

_NAME = "the name of a state"


def read_routing(fields: Fields, state: str, draft: Draft, own: Collection[str] = ()) -> Routing:
    """Every state named is left in the draft. ``own``: the keys of ``Routing`` that only this type of state has."""

    def target(key: str) -> str | None:
        return read_target(fields, key, state, draft) if key in own else None

    def failure(key: str) -> str | InlineFailure | None:
        return _failure(fields, key, state, draft) if key in own else None

    return Routing(
        on_success=read_target(fields, "on_success", state, draft),
        on_failure=_failure(fields, "on_failure", state, draft),
        transitions=tuple(_transitions(fields, state, draft)),
        continue_on_error=bool(fields.boolean("continue_on_error")),
        on_complete=target("on_complete"),
        on_approve=target("on_approve"),
        on_reject=failure("on_reject"),
        on_timeout=failure("on_timeout"),
    )


def _failure(fields: Fields, key: str, state: str, draft: Draft) -> str | InlineFailure | None:
    node = fields.value(key)
    if isinstance(node, MapNode):
        return _inline_failure(fields, key, node)
    return read_target(fields, key, state, draft, f"{_NAME}, or a map of message and status")


def read_target(fields: Fields, key: str, state: str, draft: Draft, wanted: str = _NAME) -> str | None:
    """The name of a state; None where absent or empty."""
    node = fields.scalar(key, wanted)
    if node is None or not node.text:
        return None
    draft.targets.append(Target(state, node.text, node.position))
    return node.text


def read_members(fields: Fields, key: str, state: str, draft: Draft, refusal: str) -> tuple[str, ...]:
    """The states that a block holds, each once; ``refusal`` says it of one that is there twice."""
    wanted = "a list of names of states"
    found: dict[str, int] = {}
    for index, node in enumerate(fields.items(key, wanted)):
        name = fields.as_scalar(node, key, wanted)
        if name is None:
            continue
        if not name.text:
            fields.invalid(node, f"'{key}' holds an empty name")
        elif name.text in found:
            fields.invalid(
                node, f"{refusal} '{name.text}' in {key} at indices {found[name.text]} and {index}"
            )
        else:
            found[name.text] = index
            draft.held.add(name.text)
            draft.targets.append(Target(state, name.text, name.position))
    draft.all_held &= bool(found)
    return tuple(found)


def _inline_failure(fields: Fields, key: str, node: MapNode) -> InlineFailure | None:
    inner = fields.inner(node, key, INLINE_FAILURE)
    if not inner.require("message"):
        return None
    if not inner.text("message"):
        inner.error(node.entries["message"].key, INVALID_VALUE, "'message' must not be empty")
    message = inner.template("message")
    status = inner.integer("status", 0, 255)
    if message is None:
        return None
    return InlineFailure(message, 1 if status is None else status, node.position)


def _transitions(fields: Fields, state: str, draft: Draft) -> list[Transition]:
    wanted = "a list of maps with when and goto"
    found = []
    for number, node in enumerate(fields.items("transitions", wanted), 1):
        transition = _transition(fields, number, node, state, draft)
        if transition is not None:
            found.append(transition)
    return found


def _transition(fields: Fields, number: int, node: Node, state: str, draft: Draft) -> Transition | None:
    if not isinstance(node, MapNode):
        fields.mismatch(node, f"transition {number}", "a map with when and goto")
        return None
    inner = fields.inner(node, f"transition {number}", TRANSITION)
    when = inner.expression("when") if inner.given("when") else None
    goto = inner.scalar("goto", _NAME)
    if goto is None or not goto.text:
        if goto is not None or inner.entry("goto") is None:
            inner.error(node.position, MISSING_FIELD, "goto is required")
        return None
    draft.targets.append(Target(state, goto.text, goto.position))
    return Transition(goto.text, when, node.position)
