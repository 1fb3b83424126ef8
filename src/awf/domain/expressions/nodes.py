"""Compiled parts of an expression, and how bigger ones are made of smaller ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from awf.domain.expressions import functions, names, operators, patterns
from awf.domain.expressions.operators import Operation, truth
from awf.domain.expressions.run import Compiled, Run
from awf.domain.problems import Position

COMPARISON = {
    "<": operators.ordering("<", lambda left, right: left < right),
    "<=": operators.ordering("<=", lambda left, right: left <= right),
    ">": operators.ordering(">", lambda left, right: left > right),
    ">=": operators.ordering(">=", lambda left, right: left >= right),
}
TEXT_TESTS: dict[str, Operation] = {
    "contains": operators.contains,
    "startsWith": operators.starts_with,
    "endsWith": operators.ends_with,
    "matches": patterns.matches,
}
BINARY: dict[str, Operation] = {
    **COMPARISON,
    **TEXT_TESTS,
    "==": operators.equal,
    "!=": operators.unequal,
    "in": operators.member_of,
    "..": operators.span,
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.remainder,
    "**": operators.power,
    "^": operators.power,
}


class Node(Struct, frozen=True):
    """A compiled part. ``offset``: where it starts. ``depth`` and ``weight``: levels and number of operations.

    ``path``: the names that lead to the value where all are known at load. ``space``: what the value is (see names).
    ``literal``: the text of a literal. ``as_text`` reads an input without coercion, where text is wanted.
    """

    run: Compiled
    offset: int
    depth: int = 1
    weight: int = 1
    path: tuple[str, ...] | None = None
    space: str = ""
    literal: str | None = None
    as_text: Compiled | None = None

    @property
    def text(self) -> Compiled:
        return self.as_text or self.run


def made(run: Compiled, offset: int, parts: Sequence[Node]) -> Node:
    depth = 1 + max((part.depth for part in parts), default=0)
    return Node(run, offset, depth, 1 + sum(part.weight for part in parts))


def constant(value: Any, offset: int) -> Node:
    return Node(lambda _run: value, offset, literal=value if isinstance(value, str) else None)


def root(name: str, offset: int) -> Node:
    return Node(lambda run: run.scope.get(name), offset, path=(name,), space=name)


def element(offset: int) -> Node:
    return Node(lambda run: run.elements[-1], offset)


def member(holder: Node, key: Node, position: Position) -> Node:
    """``holder.key`` and ``holder[key]``; a literal key makes the path longer."""
    space, of = holder.space, holder.run
    at = key.text if space else key.run
    name = key.literal
    path = None
    if holder.path is not None and name is not None:
        path = (*holder.path, names.canonical(space, name) or name)
    return replace(
        made(lambda run: names.read(space, of(run), at(run), position), holder.offset, [holder, key]),
        path=path,
        space=names.space_of(space, name),
        as_text=lambda run: names.read(space, of(run), at(run), position, as_text=True),
    )


def cut(value: Node, start: Node | None, end: Node | None, position: Position) -> Node:
    text = value.text
    low = start.run if start else _nothing
    high = end.run if end else _nothing
    parts = [part for part in (value, start, end) if part]
    return made(lambda run: operators.cut(run, text(run), low(run), high(run), position), value.offset, parts)


def binary(symbol: str, left: Node, right: Node, position: Position) -> Node:
    """Raises PatternInvalid where the pattern of ``matches`` is a literal and wrong."""
    if symbol == "matches" and right.literal is not None:
        search, subject = patterns.compile_pattern(right.literal), left.text
        parts = [left, right]
        return made(lambda run: patterns.search_text(run, search, subject(run), position), left.offset, parts)
    operation = BINARY[symbol]
    of_text = symbol in TEXT_TESTS
    one, other = (left.text, right.text) if of_text else (left.run, right.run)
    return made(lambda run: operation(run, one(run), other(run), position), left.offset, [left, right])


def every(parts: Sequence[Node], position: Position) -> Node:
    operands = [part.run for part in parts]

    def run(run: Run) -> bool:
        return all(truth(operand(run), position, "'and'") for operand in operands)

    return made(run, parts[0].offset, parts)


def some(parts: Sequence[Node], position: Position) -> Node:
    operands = [part.run for part in parts]

    def run(run: Run) -> bool:
        return any(truth(operand(run), position, "'or'") for operand in operands)

    return made(run, parts[0].offset, parts)


def first_not_nil(parts: Sequence[Node]) -> Node:
    operands = [part.run for part in parts]

    def run(run: Run) -> Any:
        values = (operand(run) for operand in operands)
        return next((value for value in values if value is not None), None)

    return made(run, parts[0].offset, parts)


def opposite(part: Node, offset: int, position: Position) -> Node:
    of = part.run
    return made(lambda run: not truth(of(run), position, "'not'"), offset, [part])


def signed(apply: Callable[[Any, Position], Any], part: Node, offset: int, position: Position) -> Node:
    of = part.run
    return made(lambda run: apply(of(run), position), offset, [part])


def choice(condition: Node, then: Node | None, other: Node, position: Position) -> Node:
    """``condition ? then : other``; without ``then`` it is the condition's own value."""
    test, no = condition.run, other.run
    yes = then.run if then else test
    parts = [part for part in (condition, then, other) if part]

    def run(run: Run) -> Any:
        return yes(run) if truth(test(run), position, "the condition of '?'") else no(run)

    return made(run, condition.offset, parts)


def sequence(parts: Sequence[Node], offset: int) -> Node:
    elements = [part.run for part in parts]
    return made(lambda run: [part(run) for part in elements], offset, parts)


def mapping(pairs: Sequence[tuple[str, Node]], offset: int) -> Node:
    values = [(key, part.run) for key, part in pairs]
    return made(lambda run: {key: part(run) for key, part in values}, offset, [part for _, part in pairs])


def call(name: str, arguments: Sequence[Node], offset: int, position: Position) -> Node:
    if name == "matches" and len(arguments) == 2:
        return binary(name, arguments[0], arguments[1], position)
    function = functions.FUNCTIONS[name]
    values = [argument.text if function.reads_text else argument.run for argument in arguments]

    def run(run: Run) -> Any:
        return functions.call(function, run, [value(run) for value in values], position)

    return made(run, offset, arguments)


def select(name: str, values: Node, predicate: Node, offset: int, position: Position) -> Node:
    of, holds, weight = values.run, predicate.run, predicate.weight

    def run(run: Run) -> Any:
        return functions.select(name, run, of(run), holds, weight=weight, position=position)

    return made(run, offset, [values, predicate])


def text_with_values(parts: Sequence[str | Node], offset: int, position: Position) -> Node:
    """Quoted text with ``{{…}}`` in it: nil as soon as one of the values is."""
    pieces = [part if isinstance(part, str) else part.text for part in parts]

    def run(run: Run) -> str | None:
        texts: list[str] = []
        for piece in pieces:
            value = piece if isinstance(piece, str) else piece(run)
            if value is None:
                return None
            texts.append(operators.written(run, value, position))
        return "".join(texts)

    return made(run, offset, [part for part in parts if isinstance(part, Node)])


def _nothing(_run: Run) -> None:
    return None
