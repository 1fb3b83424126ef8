"""The inputs of a workflow, for people who are about to run it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from awf.domain.secrets import MASK, is_secret

if TYPE_CHECKING:
    from awf.domain.workflow import Input
    from awf.engine.ports import WorkflowFile


def format_file(file: WorkflowFile, formatter: click.HelpFormatter) -> None:
    """A section of help about one workflow of the project here."""
    workflow = file.loaded.workflow
    if workflow is None:
        with formatter.section(f"{file.identifier} cannot be run"):
            for problem in file.loaded.errors:
                formatter.write_text(str(problem))
        return
    format_inputs(file.identifier, workflow.description, workflow.inputs, formatter)


def format_inputs(
    name: str, description: str, inputs: Sequence[Input], formatter: click.HelpFormatter
) -> None:
    """A section of help about the inputs of one workflow."""
    title = f"Inputs of {name}"
    with formatter.section(f"{title} ({description})" if description else title):
        if not inputs:
            formatter.write_text("It declares none.")
        else:
            formatter.write_dl([(item.name, describe(item)) for item in inputs])


def describe(item: Input) -> str:
    """Type, meaning and rules of an input, in one line."""
    rules = item.rules
    parts: list[str] = [item.type]
    if item.default is not None:
        secret = is_secret(item.name) if item.secret is None else item.secret
        parts.append(f"default {MASK if secret else json.dumps(item.default, ensure_ascii=False)}")
    elif item.required:
        parts.append("required")
    if rules.enum:
        parts.append(f"one of {', '.join(rules.enum)}")
    if rules.pattern is not None:
        parts.append(f"matches {rules.pattern}")
    if rules.minimum is not None:
        parts.append(f"from {rules.minimum}")
    if rules.maximum is not None:
        parts.append(f"to {rules.maximum}")
    if rules.file_exists:
        parts.append("an existing file")
    if rules.file_extension:
        parts.append(f"ending in {', '.join(rules.file_extension)}")
    facts = f"[{'; '.join(parts)}]"
    return f"{item.description.strip()} {facts}" if item.description else facts
