"""A template: parsed once, rendered often."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from awf.domain.problems import UNPLACED, Position, Problem, ProblemError
from awf.domain.scope import Scope
from awf.domain.templates import nodes
from awf.domain.templates.evaluate import Program, compiled
from awf.domain.templates.faults import SyntaxFault
from awf.domain.templates.parser import parse
from awf.domain.templates.references import Reference, references
from awf.domain.templates.run import FileReader, Run, Text, Value


class Template(Struct, frozen=True, eq=False):
    """``position`` is where ``source`` starts in its file; its further lines are indented by ``indent`` columns there.
    ``literal``: it contains no actions and renders to itself. ``references`` are its static accesses to the scope.
    ``sole_action``: it is one printing action and nothing else but white space."""

    source: str
    position: Position
    literal: bool
    references: tuple[Reference, ...] = ()
    sole_action: bool = False
    indent: int = 0
    _program: Program | None = None

    def program(self) -> Program:
        """What rendering runs. Made when it is first wanted: of most templates that are loaded, none is rendered."""
        if self._program is None:
            locate = _locator(self.source, self.position, self.indent)
            force_setattr(self, "_program", compiled(parse(self.source), locate))
            assert self._program is not None
        return self._program


def parse_template(source: str, position: Position, indent: int = 0) -> Template:
    """Parse ``source``, whose first character stands at ``position``; the lines after its first are indented by
    ``indent`` columns in the file.

    Raises ProblemError (code ``WORKFLOW.TEMPLATE.SYNTAX``) with the place of the first error.
    """
    return parse_with_tree(source, position, indent)[0]


def parse_with_tree(source: str, position: Position, indent: int = 0) -> tuple[Template, nodes.Tree | None]:
    """Like ``parse_template``; with the tree, None for a text without actions."""
    if "{{" not in source:
        return Template(source, position, literal=True), None
    locate = _locator(source, position, indent)
    try:
        tree = parse(source)
    except SyntaxFault as fault:
        problem = Problem(locate(fault.offset), "WORKFLOW.TEMPLATE.SYNTAX", f"template: {fault.message}")
        raise ProblemError(problem) from None
    found = references(tree, locate)
    return Template(source, position, False, found, _is_sole_action(tree), indent), tree


def render(template: Template, scope: Scope, *, files: FileReader | None = None) -> str:
    """The text of ``template`` over ``scope``; ``files`` serves ``readFile``. Raises TemplateFailure."""
    if template.literal:
        return template.source
    run = Run(scope, files, None)
    template.program()(run)
    return "".join(run.texts)


def render_parts(template: Template, scope: Scope, *, files: FileReader | None = None) -> list[Text | Value]:
    """Like ``render``, but what came from the template and what came from values is told apart. A printed value is a
    part even if its text is empty. Raises TemplateFailure."""
    if template.literal:
        return [Text(template.source)] if template.source else []
    parts: list[Text | Value] = []
    template.program()(Run(scope, files, parts))
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
    if indent == UNPLACED:
        return lambda _: position
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
