"""A workflow file's text into a checked workflow, with everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from awf.domain.budgets import read_budget
from awf.domain.commands import read_escaping
from awf.domain.declarations import read_inputs
from awf.domain.document import read_document
from awf.domain.draft import CallSite, Draft
from awf.domain.extensions import NO_EXTENSIONS, Extensions
from awf.domain.fields import MISSING_FIELD, Fields
from awf.domain.files import Files, no_files
from awf.domain.findings import Findings
from awf.domain.hooks import read_workflow_hooks
from awf.domain.language import TOP
from awf.domain.nodes import MapNode, ScalarNode, plain_value
from awf.domain.outputs import read_outputs
from awf.domain.problems import Position, Problem
from awf.domain.states import read_states
from awf.domain.validate import validate
from awf.domain.workflow import Workflow

_TEXTS = ("name", "version", "description", "author")


class Loaded(Struct, frozen=True):
    """``problems`` are in the order of the file; ``workflow`` is None where one of them is an error. ``document`` is
    the file as authored, as JSON has it, wherever its YAML could be read. ``files`` are the texts of the files that
    belong to it, by the paths that its port was asked for: with them, loading again gives the same. ``calls`` are the
    sub-workflows that its states name, also where there are errors.
    """

    workflow: Workflow | None
    problems: tuple[Problem, ...] = ()
    document: dict[str, Any] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    calls: tuple[CallSite, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "warning")


def load_workflow(
    text: str | bytes,
    file: str,
    identifier: str,
    files: Files = no_files,
    extensions: Extensions = NO_EXTENSIONS,
) -> Loaded:
    """Load and validate one file. ``file`` is its path as messages show it, ``identifier`` what people call it by;
    ``files`` gives the files that belong to it, ``extensions`` what plug-ins add to the language.

    Raises nothing: whatever is wrong with the text is among the problems.
    """
    findings = Findings()
    root = read_document(text, file, findings)
    if root is None:
        return Loaded(None, findings.in_file_order(file))
    draft = Draft(file, files, extensions)
    workflow = _read(Fields(root, Position(file, 1, 1), "", findings), draft, identifier)
    return Loaded(
        None if findings.failed else workflow,
        findings.in_file_order(file),
        _as_authored(root),
        draft.read,
        tuple(draft.calls),
    )


def _read(fields: Fields, draft: Draft, identifier: str) -> Workflow:
    fields.check_keys(TOP)
    if fields.require("name") and not fields.given("name"):
        fields.error(
            fields.node.entries["name"].value.position, MISSING_FIELD, "required key 'name' is missing"
        )
    draft.escaping = read_escaping(fields, default=True)
    inputs = read_inputs(fields)
    read_states(fields, draft)
    name = fields.text("name")
    if name and name not in {identifier, identifier.rpartition("/")[2]}:
        message = f"name '{name}' differs from the file's name; people call this workflow '{identifier}'"
        fields.warn(fields.node.entries["name"].value.position, "WORKFLOW.VALIDATION.NAME", message)
    workflow = Workflow(
        identifier=identifier,
        name=name or identifier,
        file=draft.file,
        initial=draft.initial,
        states=draft.states,
        inputs=inputs,
        outputs=read_outputs(fields),
        hooks=read_workflow_hooks(fields, draft),
        budget=read_budget(fields),
        version=fields.text("version"),
        description=fields.text("description"),
        author=fields.text("author"),
        tags=fields.texts("tags"),
    )
    validate(workflow, draft, "inputs" in fields.node.entries, fields.findings)
    return workflow


def _as_authored(root: MapNode) -> dict[str, Any]:
    """The document; what people read as text (``version: 1.10``) as it is written."""
    document: dict[str, Any] = plain_value(root)
    for key in _TEXTS:
        entry = root.entries.get(key)
        if entry is not None and isinstance(entry.value, ScalarNode) and entry.value.value is not None:
            document[key] = entry.value.text
    return document
