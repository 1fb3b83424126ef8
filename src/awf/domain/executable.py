"""What every state that does something has: a time limit, hooks, retries, and where to go afterwards."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict, cast

from awf.domain.budgets import read_budget
from awf.domain.draft import Draft
from awf.domain.fields import Fields
from awf.domain.hooks import read_hooks
from awf.domain.kinds import ON_CRASH
from awf.domain.problems import Position
from awf.domain.retry import read_retry
from awf.domain.routing import read_routing
from awf.domain.templates import Template
from awf.domain.workflow import Budget, Hooks, OnCrash, Retry, Routing


class Common(TypedDict):
    """The fields of ``awf.domain.workflow.Executable``."""

    name: str
    position: Position
    description: str
    timeout: float | Template | None
    routing: Routing
    retry: Retry | None
    hooks: Hooks
    budget: Budget | None


def read_common(
    fields: Fields, name: str, draft: Draft, *, own: Collection[str] = (), escaping: bool | None = None
) -> Common:
    """``own``: keys of ``Routing`` that only this type has. ``escaping``: of its hooks; None: that of the workflow."""
    return Common(
        name=name,
        position=fields.place,
        description=fields.text("description"),
        timeout=fields.duration("timeout"),
        routing=read_routing(fields, name, draft, own),
        retry=read_retry(fields),
        hooks=read_hooks(fields, draft, escaping=draft.escaping if escaping is None else escaping),
        budget=read_budget(fields),
    )


class LeafFields(Common):
    """The fields of ``awf.domain.workflow.LeafState``."""

    on_crash: OnCrash


def read_leaf(fields: Fields, name: str, draft: Draft, *, escaping: bool | None = None) -> LeafFields:
    """As ``read_common``, of a state that does something itself."""
    chosen = fields.choice(
        "on_crash",
        ON_CRASH,
        lambda given: f"invalid on_crash '{given}': must be 'rerun', 'fail', 'skip' or 'ask'",
    )
    common = read_common(fields, name, draft, escaping=escaping)
    return LeafFields(**common, on_crash=cast("OnCrash", chosen or "rerun"))
