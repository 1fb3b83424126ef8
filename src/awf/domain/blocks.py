"""States that hold others: ``for_each``, ``while``, ``parallel``."""

from __future__ import annotations

from typing import Any

from awf.domain.arithmetic import ArithmeticFailure, whole_number
from awf.domain.draft import Draft
from awf.domain.executable import read_common
from awf.domain.fields import MISSING_FIELD, Fields
from awf.domain.json_text import parse_json
from awf.domain.kinds import MOST_ITERATIONS, STRATEGIES
from awf.domain.nodes import ListNode, MapNode, ScalarNode
from awf.domain.retry import NEVER_APPLIES
from awf.domain.routing import read_members
from awf.domain.templated import templated
from awf.domain.templates import Template
from awf.domain.workflow import ForEachState, ParallelState, Strategy, WhileState

_MOST_CONCURRENT = 1_000_000
_ITEMS = "a list, or text that gives one"


def read_for_each(fields: Fields, name: str, draft: Draft) -> ForEachState | None:
    """None where there is nothing to go through, or nothing to do; why is reported."""
    common = read_common(fields, name, draft, own=("on_complete",))
    items, body = _items(fields), _body(fields, name, draft)
    limit, break_when = _limit(fields), fields.expression("break_when")
    if items is None or not body:
        return None
    return ForEachState(**common, items=items, body=body, limit=limit, break_when=break_when)


def read_while(fields: Fields, name: str, draft: Draft) -> WhileState | None:
    """None where there is no condition, or nothing to do; why is reported."""
    common = read_common(fields, name, draft, own=("on_complete",))
    body, limit = _body(fields, name, draft), _limit(fields)
    break_when = fields.expression("break_when")
    if not fields.given("while"):
        fields.error(_place(fields, "while"), MISSING_FIELD, "condition is required for while steps")
        return None
    condition = fields.expression("while")
    if condition is None or not body:
        return None
    return WhileState(**common, condition=condition, body=body, limit=limit, break_when=break_when)


def read_parallel(fields: Fields, name: str, draft: Draft) -> ParallelState | None:
    """None where there are no branches; why is reported."""
    common = read_common(fields, name, draft)
    branches = read_members(fields, "parallel", name, draft, "duplicate branch")
    strategy, most = _strategy(fields), fields.integer("max_concurrent", 0, _MOST_CONCURRENT)
    if not branches:
        _require_members(fields, "parallel", "branches are required for parallel-type steps")
        return None
    if common["retry"] and strategy == "best_effort" and common["timeout"] is None:
        message = "retry can never apply: with best_effort the state never fails"
        fields.warn(fields.node.entries["retry"].key, NEVER_APPLIES, message)
    return ParallelState(**common, branches=branches, strategy=strategy, max_concurrent=most or 0)


def _place(fields: Fields, key: str) -> Any:
    return fields.node.entries[key].key if key in fields.node.entries else fields.place


def _require_members(fields: Fields, key: str, message: str) -> None:
    node = fields.value(key)
    if node is None or (isinstance(node, ListNode) and not node.items):
        fields.error(_place(fields, key), MISSING_FIELD, message)


def _body(fields: Fields, name: str, draft: Draft) -> tuple[str, ...]:
    body = read_members(fields, "body", name, draft, "invalid loop body: duplicate step")
    if not body:
        _require_members(fields, "body", "body is required for loop steps")
    return body


def _items(fields: Fields) -> Template | tuple[Any, ...] | None:
    node = fields.value("items")
    if node is None:
        fields.error(_place(fields, "items"), MISSING_FIELD, "items is required for for_each steps")
    elif isinstance(node, ListNode):
        return tuple(templated(fields, item, "items") for item in node.items)
    elif isinstance(node, MapNode):
        fields.mismatch(node, "'items'", _ITEMS)
    elif (scalar := fields.as_scalar(node, "items", _ITEMS)) is not None:
        _check_json(fields, scalar)
        return fields.parsed_template(scalar)
    return None


def _check_json(fields: Fields, node: ScalarNode) -> None:
    """Text without values that looks like JSON must be an array."""
    text = node.text.strip()
    if "{{" in text or not text.startswith(("[", "{")):
        return
    try:
        found = parse_json(text)
    except ValueError as error:
        fields.invalid(node, f"items: looks like JSON and is not: {error}")
        return
    if not isinstance(found, list):
        fields.invalid(node, "items: a JSON object is not a list; give an array")


def _limit(fields: Fields) -> int | Template | None:
    node = fields.value("max_iterations")
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return _computed_limit(fields, node)
    if not isinstance(node, ScalarNode) or not isinstance(node.value, int) or isinstance(node.value, bool):
        if node is not None:
            fields.mismatch(node, "'max_iterations'", "a whole number, or text that gives one")
    elif node.value < 0:
        fields.invalid(node, "max_iterations must be non-negative")
    elif node.value > MOST_ITERATIONS:
        fields.invalid(node, f"max_iterations exceeds maximum allowed limit ({MOST_ITERATIONS})")
    else:
        return node.value or None
    return None


def _computed_limit(fields: Fields, node: ScalarNode) -> int | Template | None:
    """A limit written as text: what has no values is computed now."""
    if "{{" in node.text:
        return fields.parsed_template(node)
    if not node.text.strip():
        return None
    try:
        limit = whole_number(node.text)
    except ArithmeticFailure as failure:
        fields.invalid(node, f"max_iterations: {failure}")
        return None
    if limit < 1:
        fields.invalid(node, f"max_iterations: value {limit} must be at least 1")
    elif limit > MOST_ITERATIONS:
        fields.invalid(
            node, f"max_iterations: value {limit} exceeds maximum allowed limit of {MOST_ITERATIONS}"
        )
    else:
        return limit
    return None


def _strategy(fields: Fields) -> Strategy:
    names = ", ".join(STRATEGIES)
    given = fields.choice(
        "strategy", STRATEGIES, lambda text: f"invalid parallel strategy '{text}': must be one of {names}"
    )
    match given:
        case "any_succeed" | "best_effort":
            return given
        case _:
            return "all_succeed"
