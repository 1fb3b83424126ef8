"""A template: parsed once, rendered often."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from awf.domain.problems import Position, Problem, ProblemError
from awf.domain.scope import Scope
from awf.domain.templates import nodes
from awf.domain.templates.evaluate import Program, compiled
from awf.domain.templates.faults import SyntaxFault
from awf.domain.templates.parser import parse
from awf.domain.templates.references import Reference, references
from awf.domain.templates.run import FileReader, Run, Text, Value


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """``position`` is where ``source`` starts in its file. ``literal``: it contains no actions and renders to itself.
    ``references`` are its static accesses to the scope. ``sole_action``: it is one printing action and nothing else
    but white space. ``program`` is what rendering runs."""

    source: str
    position: Position
    literal: bool
    references: tuple[Reference, ...] = ()
    sole_action: bool = False
    program: Program | None = field(default=None, repr=False)


def parse_template(source: str, position: Position, indent: int = 0) -> Template:
    """Parse ``source``, whose first character stands at ``position``; the lines after its first are indented by
    ``indent`` columns in the file.

    Raises ProblemError (code ``WORKFLOW.TEMPLATE.SYNTAX``) with the place of the first error.
    """
    if "{{" not in source:
        return Template(source, position, literal=True)
    locate = _locator(source, position, indent)
    try:
        tree = parse(source)
    except SyntaxFault as fault:
        problem = Problem(locate(fault.offset), "WORKFLOW.TEMPLATE.SYNTAX", f"template: {fault.message}")
        raise ProblemError(problem) from None
    return Template(
        source,
        position,
        literal=False,
        references=references(tree, locate),
        sole_action=_is_sole_action(tree),
        program=compiled(tree, locate),
    )


def render(template: Template, scope: Scope, *, files: FileReader | None = None) -> str:
    """The text of ``template`` over ``scope``; ``files`` serves ``readFile``. Raises TemplateFailure."""
    if template.program is None:
        return template.source
    run = Run(scope, files, None)
    template.program(run)
    return "".join(run.texts)


def render_parts(template: Template, scope: Scope, *, files: FileReader | None = None) -> list[Text | Value]:
    """Like ``render``, but what came from the template and what came from values is told apart. A printed value is a
    part even if its text is empty. Raises TemplateFailure."""
    if template.program is None:
        return [Text(template.source)] if template.source else []
    parts: list[Text | Value] = []
    template.program(Run(scope, files, parts))
    return parts


def render_value(template: Template, scope: Scope, *, files: FileReader | None = None) -> Any:
    """The value of a template that is one single action, with its type; the text of any other. Raises TemplateFailure."""
    if template.sole_action:
        parts = render_parts(template, scope, files=files)
        printed = [part for part in parts if isinstance(part, Value)]
        if len(printed) == 1 and not printed[0].escaped:
            return printed[0].value
        return "".join(part.text for part in parts)
    return render(template, scope, files=files)


def _locator(source: str, position: Position, indent: int) -> Callable[[int], Position]:
    starts = [0]
    while (line_break := source.find("\n", starts[-1])) >= 0:
        starts.append(line_break + 1)

    def locate(offset: int) -> Position:
        line = bisect_right(starts, offset) - 1
        column = offset - starts[line]
        if line == 0:
            return Position(position.file, position.line, position.column + column)
        return Position(position.file, position.line + line, indent + column + 1)

    return locate


def _is_sole_action(tree: nodes.Tree) -> bool:
    actions = [
        node for node in tree.main.body.nodes if not isinstance(node, nodes.Literally) or node.text.strip()
    ]
    return len(actions) == 1 and isinstance(actions[0], nodes.Print)
