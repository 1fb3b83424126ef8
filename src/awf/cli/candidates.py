"""What a shell that completes is offered: names and ids that can stand where the cursor is, found by looking.

A fault is no candidate: a shell that completes has no place for it, so that there is nothing to choose from then.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import click

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from click.shell_completion import CompletionItem

    from awf.cli.access import Access
    from awf.domain.workflow import Input, Workflow

RECENT = 50
"""Executions that are offered."""

Candidate: TypeAlias = tuple[str, str]
"""What can be typed, and a word about it."""

Completer: TypeAlias = "Callable[[click.Context, click.Parameter, str], list[CompletionItem]]"

PATHS = (".", "/", "~")


def completer(find: Callable[[click.Context, str], Iterable[Candidate]]) -> Completer:
    """A completer of the candidates that ``find`` yields for the context of the command and what is typed."""

    @functools.wraps(find)
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        try:
            # The options of the line count: --storage, --server.
            with context.scope(cleanup=False):
                found = list(find(context, incomplete))
        except Exception:
            # As above.
            return []
        return [
            CompletionItem(value, help=about.partition("\n")[0] or None)
            for value, about in found
            if value.startswith(incomplete)
        ]

    return complete


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, as the shell completes them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def workflows(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Workflows that can be named; where what is typed can only be a path, files."""
    if incomplete.startswith(PATHS):
        return files(context, parameter, incomplete)
    return workflow_names(context, parameter, incomplete)


@completer
def workflow_names(_: click.Context, __: str) -> Iterator[Candidate]:
    """Workflows that can be named, here or on the server."""
    import os

    from awf.catalog import Catalog
    from awf.cli.options import chosen_server
    from awf.cli.project import settings_of

    if chosen_server() is not None:
        for listed in _asked(operator.methodcaller("workflows")):
            yield listed.name, listed.description
    else:
        settings = settings_of()
        for name in Catalog(settings.root, os.environ, settings.storage).identifiers():
            yield name, ""


def executions(*statuses: str) -> Completer:
    """The latest executions, or those of some statuses; ``waiting`` is one that waits for a person."""

    def find(_: click.Context, __: str) -> Iterator[Candidate]:
        from awf.cli.access import Query

        for status in statuses or (None,):
            query = Query(status="running" if status == "waiting" else status, limit=RECENT)
            for each in _asked(operator.methodcaller("executions", query)):
                if status != "waiting" or each.waiting_for:
                    yield each.execution_id, f"{each.workflow_name} ({each.status})"

    return completer(find)


@completer
def steps_of_execution(context: click.Context, _: str) -> Iterator[Candidate]:
    """Paths of the steps that have run in the execution that the command names."""
    for step in _asked(operator.methodcaller("steps", context.params["execution"])):
        yield step.path, step.status


@completer
def resume_points(context: click.Context, _: str) -> Iterator[Candidate]:
    """Where the execution that the command names can go on."""
    yield "current", "the step that failed"
    yield "previous", "the one before it"
    for step in _asked(operator.methodcaller("steps", context.params["execution"])):
        yield step.path, step.status


@completer
def waiting_steps(context: click.Context, _: str) -> Iterator[Candidate]:
    """Paths of the steps of the execution that wait for a person."""
    for asked in _asked(operator.methodcaller("execution", context.params["execution"])).waiting or ():
        yield asked.path, asked.prompt


@completer
def states(context: click.Context, _: str) -> Iterator[Candidate]:
    """States, but the terminal ones, of the workflow that the command names."""
    from awf.domain.workflow import TerminalState

    for name, state in _named(context).states.items():
        if not isinstance(state, TerminalState):
            yield name, state.kind


@completer
def inputs(context: click.Context, incomplete: str) -> Iterator[Candidate]:
    """Inputs of the workflow that the command names, as ``KEY=``; behind that the values it can have."""
    name, equals, _ = incomplete.partition("=")
    for item in _declared(context):
        if not equals:
            yield f"{item.name}=", item.description
        elif item.name == name:
            values = ("true", "false") if item.type == "boolean" else item.rules.enum or ()
            yield from ((f"{name}={value}", "") for value in values)


@completer
def inputs_of_execution(context: click.Context, incomplete: str) -> Iterator[Candidate]:
    """Inputs of the execution that the command names, as ``KEY=``."""
    if "=" not in incomplete:
        for name in _asked(operator.methodcaller("execution", context.params["execution"])).inputs:
            yield f"{name}=", ""


@completer
def error_codes(_: click.Context, incomplete: str) -> Iterator[Candidate]:
    """Codes of errors, in small letters where those are typed."""
    from awf.cli.error import catalogue

    for code, entry in catalogue().items():
        yield code.lower() if incomplete.islower() else code, entry.meaning


@completer
def operation_names(_: click.Context, __: str) -> Iterator[Candidate]:
    """Operations, also those of plug-ins."""
    from awf.cli.operations import known_operations

    for signature in known_operations()[0].values():
        yield signature.name, signature.description


@completer
def pack_names(_: click.Context, __: str) -> Iterator[Candidate]:
    """Installed packs."""
    from awf.cli.workflow import known_packs

    for pack in known_packs():
        yield pack.name, pack.manifest.description


def _asked(question: Callable[[Access], Awaitable[Any]]) -> Any:
    """What the store here, or the server, answers."""
    import asyncio

    from awf.cli.access import open_access

    async def ask() -> Any:
        async with open_access() as access:
            return await question(access)

    return asyncio.run(ask())


def _declared(context: click.Context) -> tuple[Input, ...]:
    """The inputs of the workflow that the command names, here or on the server."""
    from awf.cli.options import chosen_server

    if chosen_server() is None:
        return _named(context).inputs
    from awf.cli.given import declared_inputs

    return declared_inputs(_asked(operator.methodcaller("workflow", context.params["workflow"])))


def _named(context: click.Context) -> Workflow:
    """The workflow that the command names, of this project."""
    from awf.cli.project import named_workflow

    found = named_workflow(context.params["workflow"]).loaded.workflow
    if found is None:
        raise LookupError
    return found
