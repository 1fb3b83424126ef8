"""Where to go after a state: ``on_success``, ``on_failure``, ``transitions``, ``continue_on_error``."""

from __future__ import annotations

from dataclasses import dataclass

from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, Fields, Keys
from awf.domain.nodes import MapNode, Node
from awf.domain.problems import Position
from awf.domain.workflow import InlineFailure, Routing, Transition

ROUTING_KEYS = frozenset({"on_success", "on_failure", "transitions", "continue_on_error"})
_TRANSITION = Keys(frozenset({"when", "goto"}))
_INLINE = Keys(frozenset({"message", "status"}))


@dataclass(frozen=True, slots=True)
class Target:
    """That ``state`` names the state ``name`` in ``field``, and where."""

    state: str
    field: str
    name: str
    position: Position


def read_routing(fields: Fields, state: str, targets: list[Target]) -> Routing:
    """Every state named is added to ``targets``."""
    on_failure: str | InlineFailure | None
    failure = fields.value("on_failure")
    if isinstance(failure, MapNode):
        on_failure = _inline_failure(fields, failure)
    else:
        on_failure = _target(fields, "on_failure", state, targets)
    return Routing(
        on_success=_target(fields, "on_success", state, targets),
        on_failure=on_failure,
        transitions=tuple(_transitions(fields, state, targets)),
        continue_on_error=bool(fields.boolean("continue_on_error")),
    )


def _target(fields: Fields, key: str, state: str, targets: list[Target]) -> str | None:
    wanted = "the name of a state"
    node = fields.scalar(key, f"{wanted}, or a map of message and status" if key == "on_failure" else wanted)
    if node is None or not node.text:
        return None
    targets.append(Target(state, key, node.text, node.position))
    return node.text


def _inline_failure(fields: Fields, node: MapNode) -> InlineFailure | None:
    inner = Fields(node, node.position, f"{fields.subject}on_failure: ", fields.findings)
    inner.check_keys(_INLINE)
    if not inner.require("message"):
        return None
    if not inner.text("message"):
        inner.error(node.entries["message"].key, INVALID_VALUE, "'message' must not be empty")
    message = inner.template("message")
    status = inner.integer("status", 0, 255)
    if message is None:
        return None
    return InlineFailure(message, 1 if status is None else status, node.position)


def _transitions(fields: Fields, state: str, targets: list[Target]) -> list[Transition]:
    wanted = "a list of maps with when and goto"
    found = []
    for number, node in enumerate(fields.items("transitions", wanted), 1):
        transition = _transition(fields, number, node, state, targets)
        if transition is not None:
            found.append(transition)
    return found


def _transition(
    fields: Fields, number: int, node: Node, state: str, targets: list[Target]
) -> Transition | None:
    if not isinstance(node, MapNode):
        fields.mismatch(node, f"transition {number}", "a map with when and goto")
        return None
    inner = Fields(node, node.position, f"{fields.subject}transition {number}: ", fields.findings)
    inner.check_keys(_TRANSITION)
    when = inner.expression("when")
    goto = inner.scalar("goto", "the name of a state")
    if goto is None or not goto.text:
        if goto is not None or inner.entry("goto") is None:
            inner.error(node.position, MISSING_FIELD, "goto is required")
        return None
    targets.append(Target(state, "transition", goto.text, goto.position))
    return Transition(goto.text, when, node.position)
