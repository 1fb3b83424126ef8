"""``max_tokens_total``, ``max_cost_usd``, ``max_duration`` and ``on_budget``, of a state or of a workflow."""

from __future__ import annotations

from awf.domain.fields import UNKNOWN_KEY, Fields
from awf.domain.keys import BUDGET_CHOICES
from awf.domain.workflow import Budget

_MOST_TOKENS = 10**15


def read_budget(fields: Fields) -> Budget | None:
    """None where nothing is limited."""
    tokens = fields.integer("max_tokens_total", 1, _MOST_TOKENS)
    duration = fields.seconds("max_duration") or None
    cost = fields.number("max_cost_usd")
    if cost is not None and cost <= 0:
        fields.invalid(fields.node.entries["max_cost_usd"].value, "'max_cost_usd' must be more than 0")
    chosen = fields.choice(
        "on_budget", BUDGET_CHOICES, lambda given: f"invalid on_budget '{given}': must be 'ask' or 'fail'"
    )
    if tokens is None and cost is None and duration is None:
        if chosen and not any(
            fields.entry(key) for key in ("max_tokens_total", "max_cost_usd", "max_duration")
        ):
            place = fields.node.entries["on_budget"].key
            fields.warn(
                place, UNKNOWN_KEY, "key 'on_budget' has no effect without a limit (max_tokens_total, say)"
            )
        return None
    return Budget(tokens, None if cost is None else float(cost), duration, chosen == "fail")
