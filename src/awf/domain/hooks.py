"""``hooks:`` of states and of the workflow: lists of ``{log: …}`` and ``{command: …}``."""

from __future__ import annotations

from awf.domain.commands import read_command
from awf.domain.draft import Draft
from awf.domain.fields import UNKNOWN_KEY, Fields
from awf.domain.language import ACTION, HOOKS, WORKFLOW_HOOKS
from awf.domain.nodes import MapNode
from awf.domain.workflow import HookAction, Hooks, WorkflowHooks

_ACTIONS = "a list of maps with log or command"


def read_hooks(fields: Fields, draft: Draft, *, escaping: bool) -> Hooks:
    """The hooks of a state; ``escaping`` is that of the state."""
    inner = fields.nested("hooks", HOOKS, "a map with pre and post")
    if inner is None:
        return Hooks()
    return Hooks(pre=_actions(inner, "pre", draft, escaping), post=_actions(inner, "post", draft, escaping))


def read_workflow_hooks(fields: Fields, draft: Draft) -> WorkflowHooks:
    """The hooks of the workflow."""
    inner = fields.nested("hooks", WORKFLOW_HOOKS, "a map of lists of actions")
    if inner is None:
        return WorkflowHooks()
    return WorkflowHooks(
        start=_actions(inner, "workflow_start", draft, draft.escaping),
        end=_actions(inner, "workflow_end", draft, draft.escaping),
        error=_actions(inner, "workflow_error", draft, draft.escaping),
        cancel=_actions(inner, "workflow_cancel", draft, draft.escaping),
    )


def _actions(hooks: Fields, key: str, draft: Draft, escaping: bool) -> tuple[HookAction, ...]:
    found = []
    for number, node in enumerate(hooks.items(key, _ACTIONS), 1):
        if not isinstance(node, MapNode):
            hooks.mismatch(node, f"{key} {number}", "a map with log or command")
            continue
        action = _action(hooks.inner(node, f"{key} {number}", ACTION), draft, escaping)
        if action is not None:
            found.append(action)
    return tuple(found)


def _action(fields: Fields, draft: Draft, escaping: bool) -> HookAction | None:
    place = fields.place
    log, command = fields.scalar("log"), fields.scalar("command")
    if log is not None:
        if command is not None:
            fields.warn(
                fields.node.entries["command"].key, UNKNOWN_KEY, "'command' has no effect beside 'log'"
            )
        message = fields.parsed_template(log)
        return None if message is None else HookAction(place, log=message)
    if command is not None and command.text.strip():
        template = read_command(fields, command, "command", draft, escaping=escaping)
        return None if template is None else HookAction(place, command=template, escaping=escaping)
    if fields.value("log") is None and not isinstance(fields.value("command"), MapNode):
        fields.warn(place, UNKNOWN_KEY, "has neither log nor command, and does nothing")
    return None
