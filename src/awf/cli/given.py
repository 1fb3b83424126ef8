"""The inputs that a command line gives, and those that a person at the terminal adds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awf.domain.json_text import is_text, parse_json
from awf.errors import RequestInvalid

if TYPE_CHECKING:
    from awf.domain.workflow import Input, Workflow

_WANTED = "a JSON object of inputs by name, from a file or, with -, from standard input"

PROMPTS = "@prompts/"
"""Before the name of a prompt file whose text is the value."""


def collect_inputs(pairs: Iterable[str], source: str | None, root: Path | None = None) -> dict[str, Any]:
    """Inputs by name: those of ``source`` (a file with a JSON object, ``-`` for stdin), and over them ``KEY=VALUE``
    pairs, whose values are texts, or ``@prompts/NAME`` for the text of a prompt file of the project at ``root``. Raises
    RequestInvalid."""
    inputs = {} if source is None else _object(source)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise RequestInvalid(f"--input {pair}: give KEY=VALUE")
        if not is_text(pair):
            raise RequestInvalid(f"--input {name.strip()!a}: is not valid UTF-8")
        value = value.strip()
        if root is not None and value.startswith(PROMPTS):
            from awf.catalog.prompts import read_prompt

            value = read_prompt(value.removeprefix(PROMPTS), root, os.environ)
        inputs[name.strip()] = value
    return inputs


def ask_missing(
    workflow: Workflow, inputs: Mapping[str, Any], defaults: Mapping[str, Any], working_dir: Path
) -> dict[str, Any]:
    """Ask the person at the terminal for every required input that nothing gives; what was given, and the answers."""
    missing = [
        item
        for item in workflow.inputs
        if item.required
        and item.default is None
        and inputs.get(item.name) is None
        and defaults.get(item.name) is None
    ]
    return {**inputs, **ask_for(missing, lambda path: (working_dir / path).exists())}


def ask_for(missing: Iterable[Input], exists: Callable[[str], bool]) -> dict[str, Any]:
    """What the person at the terminal says for inputs; ``exists`` tells whether a file is there that one names."""
    return {item.name: _answer(item, exists) for item in missing}


def declared_inputs(document: Mapping[str, Any]) -> tuple[Input, ...]:
    """The inputs that a workflow declares, from how it was written."""
    from awf.domain.load import load_workflow

    alone = {
        "name": "inputs",
        "inputs": document.get("inputs"),
        "states": {"initial": "end", "end": {"type": "terminal"}},
    }
    workflow = load_workflow(json.dumps(alone), "", "inputs").workflow
    return workflow.inputs if workflow is not None else ()


def _answer(item: Input, exists: Callable[[str], bool]) -> Any:
    from awf.cli.prompt import chosen, menu
    from awf.domain.inputs import broken_rules, coerce
    from awf.domain.secrets import is_secret

    secret = is_secret(item.name) if item.secret is None else item.secret
    about = f": {item.description}" if item.description else ""
    click.echo(f"{item.name} ({item.type}){about}", err=True)
    for line in menu(item.rules.enum) if item.rules.enum else ():
        click.echo(line, err=True)
    while True:
        typed = click.prompt(
            ">", prompt_suffix=" ", default="", show_default=False, hide_input=secret, err=True
        )
        if item.rules.enum:
            typed = chosen(typed, item.rules.enum) or typed
        try:
            value = coerce(item.type, typed, hide=secret)
        except ValueError as error:
            wrong = [str(error)]
        else:
            wrong = broken_rules(item, value, exists, hide=secret) if typed else ["required but empty"]
        if not wrong:
            return typed
        click.echo(f"{item.name}: {'; '.join(wrong)}", err=True)


def _object(source: str) -> dict[str, Any]:
    shown = "standard input" if source == "-" else source
    try:
        text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise RequestInvalid(f"--inputs {shown}: {error.strerror}", remedy=_WANTED) from None
    try:
        found = parse_json(text)
    except ValueError as error:
        raise RequestInvalid(f"--inputs {shown}: is not JSON: {error}", remedy=_WANTED) from None
    if not isinstance(found, dict):
        raise RequestInvalid(f"--inputs {shown}: is no JSON object", remedy=_WANTED)
    return found
