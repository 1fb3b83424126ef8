"""Where the values of a templated command stand in the shell script that it becomes, told before any value is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeAlias

from msgspec import Struct

from awf.domain.draft import Command
from awf.domain.nodes import ScalarNode
from awf.domain.problems import UNPLACED, Position, Problem
from awf.domain.shell import Finding, Hole, shell_problems
from awf.domain.templates import Text, nodes

SHELL_PLACE = "WORKFLOW.VALIDATION.SHELL_PLACE"
_HOLE = Hole()
_MOST_WAYS = 4
_MOST_PARTS = 10_000
_MOST_NESTING = 10

_Part: TypeAlias = tuple[Text | Hole, int]
"""What the script has there, and the offset in the template that it comes from."""


class _Way(Struct, frozen=True):
    """One way through a template's branches: in each of them, arm number ``arm``, or what stands for no arm."""

    tree: nodes.Tree
    arm: int
    samples: Mapping[str, str]

    def parts(self, body: nodes.Body | None, nesting: int = 0) -> Iterator[_Part]:
        for node in body.nodes if body else ():
            match node:
                case nodes.Literally():
                    yield Text(node.text), node.offset
                case nodes.Print():
                    yield _hole(node.pipeline, self.samples), node.offset
                case nodes.Branch():
                    taken = node.arms[self.arm].body if self.arm < len(node.arms) else node.otherwise
                    yield from self.parts(taken, nesting)
                case nodes.Range():
                    yield from self.parts(node.otherwise if self.arm else node.body, nesting)
                case nodes.Include() if nesting < _MOST_NESTING:
                    yield from self.parts(self.tree.definitions[node.name].body, nesting + 1)


def placement_problems(command: Command, samples: Mapping[str, str]) -> list[Problem]:
    """Values of a command in places that have no safe form (errors), or where they may not do what they seem to.

    ``samples`` are values that inputs may well have. A place is an error only if it is one on every way through the
    template's branches that was looked at.
    """
    tree, code = command.tree, not command.escaping
    ways = [_Way(tree, arm, samples).parts(tree.main.body) for arm in range(_ways(tree.main.body))]
    looked = [_looked_at(list(islice(parts, _MOST_PARTS)), code) for parts in ways]
    if not any(found for _, found in looked):
        return []
    passed: Counter[int] = Counter()
    failed: Counter[tuple[int, str]] = Counter()
    for parts, found in looked:
        passed.update({offset for part, offset in parts if isinstance(part, Hole)})
        for index, severity, message in found:
            failed[parts[index][1], message] += severity == "error"
    return [
        Problem(
            _located(command.node, offset),
            SHELL_PLACE,
            f"{command.subject}{message}",
            "error" if times and times >= passed[offset] else "warning",
        )
        for (offset, message), times in sorted(failed.items())
    ]


def _looked_at(parts: list[_Part], code: bool) -> tuple[list[_Part], list[Finding]]:
    return parts, shell_problems([part for part, _ in parts], code=code)


def _ways(body: nodes.Body) -> int:
    """How many ways show every arm of the branches at the top, and their absence, at least once."""
    arms = [
        len(node.arms) if isinstance(node, nodes.Branch) else 1
        for node in body.nodes
        if isinstance(node, (nodes.Branch, nodes.Range))
    ]
    return min(max(arms, default=0) + 1, _MOST_WAYS)


def _hole(pipeline: nodes.Pipeline, samples: Mapping[str, str]) -> Hole:
    last = pipeline.rest[-1] if pipeline.rest else pipeline.first
    if isinstance(last, nodes.Call):
        return Hole(raw=last.function.name == "raw", escaped=last.function.name == "escape")
    if isinstance(last, nodes.Chain) and isinstance(last.base, (nodes.Dot, nodes.WholeScope)):
        space, *names = last.names
        if space == "inputs" and len(names) == 1:
            sample = samples.get(names[0])
            return Hole(sample=sample) if sample else _HOLE
    return _HOLE


def _located(command: ScalarNode, offset: int) -> Position:
    if command.indent == UNPLACED:
        return command.content
    lines = command.text.count("\n", 0, offset)
    column = offset - (command.text.rfind("\n", 0, offset) + 1)
    return command.content.moved(lines, column + (command.indent if lines else 0))
