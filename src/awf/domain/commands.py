"""Shell commands in a workflow file: templates whose values stand in places of a shell script."""

from __future__ import annotations

from awf.domain.draft import Command, Draft
from awf.domain.fields import Fields
from awf.domain.nodes import ScalarNode
from awf.domain.problems import ProblemError
from awf.domain.templates import Template, parse_with_tree


def read_command(
    fields: Fields, node: ScalarNode, name: str, draft: Draft, *, escaping: bool
) -> Template | None:
    """The template of a command; the places of its values are left in the draft to be judged."""
    try:
        template, tree = parse_with_tree(node.text, node.content, node.indent)
    except ProblemError as error:
        fields.syntax(error)
        return None
    if tree is not None:
        draft.commands.append(Command(f"{fields.subject}{name}: ", node, tree, escaping))
    return template


def read_escaping(fields: Fields, default: bool) -> bool:
    """``escaping: off`` makes values in shell commands code."""
    given = fields.boolean("escaping")
    return default if given is None else given
