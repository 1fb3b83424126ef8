"""``awf run --dry-run``: what a run would do, as far as that can be known before it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import asdict, fields

from awf.cli.options import current
from awf.cli.show import show_json
from awf.domain.expressions import Expression
from awf.domain.graph import inline_failures, members, ways
from awf.domain.problems import Position
from awf.domain.sealing import Sealer, inputs_shown
from awf.domain.secrets import secret_variables
from awf.domain.templates import Template, TemplateFailure, render
from awf.domain.workflow import Routing, TerminalState

if TYPE_CHECKING:
    from awf.domain.workflow import State, Workflow
    from awf.engine.ports import WorkflowFile
    from awf.settings import Settings

_LEFT_OUT = {"name", "routing", "position"}


def show_plan(settings: Settings, file: WorkflowFile, given: dict[str, Any]) -> None:
    """Check a workflow and its inputs as a run does, and show what it would do. Raises WorkflowInvalid, InputsInvalid."""
    from awf.catalog.configuration import read_configuration
    from awf.compose import open_catalog
    from awf.engine.linking import link
    from awf.engine.service import Service

    linked = link(file, open_catalog(settings))
    workflow = linked.runnable()
    defaults = read_configuration(settings.config, settings.root).inputs
    values, secrets, warnings = Service.resolved_inputs(workflow, given, str(settings.working_dir), defaults)
    shown = inputs_shown(values, secrets, Sealer(secret_variables(os.environ)))
    inputs = {
        name: {
            "value": value,
            "from": "given" if name in given else "project" if name in defaults else "default",
        }
        for name, value in shown.items()
    }
    plan = {
        "workflow": file.identifier,
        "file": file.file,
        "description": workflow.description,
        "inputs": inputs,
        "hooks": _Rendered({}).plain(workflow.hooks),
        "states": [_state(workflow, state, inputs) for state in _in_order(workflow)],
        "warnings": [*map(str, linked.warnings), *warnings],
    }
    found = {key: value for key, value in plan.items() if value or key in {"inputs", "states"}}
    if current().format == "json":
        show_json(found)
    elif current().quiet:
        for state in found["states"]:
            click.echo(state["name"])
    else:
        _show(found)


def _in_order(workflow: Workflow) -> Iterator[State]:
    """The states that can be reached, from the first on, breadth first."""
    waiting, seen = [workflow.initial], {workflow.initial}
    for name in waiting:
        state = workflow.states[name]
        yield state
        for follower in (*members(state), *(target for _, target in ways(state))):
            if follower in workflow.states and follower not in seen:
                seen.add(follower)
                waiting.append(follower)


def _state(workflow: Workflow, state: State, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """One state: its type, what it has, and where it goes on."""
    scope = {
        "inputs": {name: each["value"] for name, each in inputs.items()},
        "workflow": {"Name": workflow.identifier},
    }
    rendered = _Rendered(scope)
    found: dict[str, Any] = {"name": state.name, "type": state.kind}
    for field in fields(state):
        value = getattr(state, field.name)
        if field.name not in _LEFT_OUT and value != field.default:
            found[field.name] = rendered.plain(value)
    if not isinstance(state, TerminalState):
        found["next"] = [{"on": why, "goto": target} for why, target in ways(state)]
        found["next"] += [
            {"on": why, "fail": rendered.plain(failure)} for why, failure in inline_failures(state)
        ]
        if state.routing.continue_on_error:
            found["continue_on_error"] = True
    return {key: value for key, value in found.items() if value not in ({}, [], "", None, False)}


class _Rendered(Struct, frozen=True):
    """Values of a workflow as JSON has them. Templates are rendered where ``scope`` is enough, else they stay as they
    are."""

    scope: Mapping[str, Any]

    def plain(self, value: Any) -> Any:
        if isinstance(value, Template):
            try:
                return render(value, self.scope)
            except TemplateFailure:
                return value.source
        if isinstance(value, Expression):
            return value.source
        if isinstance(value, Position | Routing):
            return None
        if isinstance(value, Struct):
            parts = {name: self.plain(part) for name, part in asdict(value).items()}
            return {name: part for name, part in parts.items() if part not in (None, "", [], {})}
        if isinstance(value, Mapping):
            return {name: self.plain(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(each) for each in value]
        return value


def _show(plan: dict[str, Any]) -> None:
    click.echo(f"{plan['workflow']} ({plan['file']}): a dry run, nothing is done")
    click.echo("\ninputs:" if plan["inputs"] else "\nno inputs")
    for name, each in plan["inputs"].items():
        note = "" if each["from"] == "given" else f"  ({each['from']})"
        click.echo(f"  {name} = {_text(each['value'])}{note}")
    for name, actions in plan.get("hooks", {}).items():
        click.echo(f"hooks {name}: {_text(actions)}")
    for number, state in enumerate(plan["states"], 1):
        click.echo(f"\n{number}. {click.style(state['name'], bold=True)} [{state['type']}]")
        for key, value in state.items():
            if key not in {"name", "type", "next"}:
                _show_value(key, value)
        for way in state.get("next", ()):
            target = way.get("goto") or f"fails: {_text(way['fail'])}"
            click.echo(f"     {way['on']} -> {target}")
    for warning in plan.get("warnings", ()):
        click.echo(f"warning: {warning}", err=True)


def _show_value(key: str, value: Any) -> None:
    lines = _text(value).splitlines() or [""]
    if len(lines) == 1:
        click.echo(f"     {key}: {lines[0]}")
    else:
        click.echo(f"     {key}:")
        for line in lines:
            click.echo(f"       {line}")


def _text(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
