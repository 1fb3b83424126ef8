"""A tree compiled to closures: what stands between the expressions.

A step takes the frame, writes to its run and gives a signal. Recursion is bounded: inside one template by the nesting
that the parser allows, over calls of templates by ``MAX_DEPTH``, which counts the nesting of every template entered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from awf.domain.templates import nodes
from awf.domain.templates.expressions import Expressions, Locate
from awf.domain.templates.faults import Refused
from awf.domain.templates.format import kind_of, whole
from awf.domain.templates.run import Frame, Run, Text

MAX_DEPTH = 150

Step: TypeAlias = Callable[[Frame], int]
Program: TypeAlias = Callable[[Run], None]

_GO_ON, _BREAK, _CONTINUE = 0, 1, 2


def compiled(tree: nodes.Tree, locate: Locate) -> Program:
    """The program of ``tree``, which raises TemplateFailure. ``locate`` turns offsets into places."""
    compiler = _Compiler(tree, locate)
    main = compiler.body(tree.main.body)
    slots, height = tree.main.slots, tree.main.height

    def program(run: Run) -> None:
        run.depth = height
        main(Frame(run, run.scope, slots))

    return program


class _Compiler:
    def __init__(self, tree: nodes.Tree, locate: Locate) -> None:
        self._expressions = Expressions(locate)
        self._failure = self._expressions.failure
        self._definitions = tree.definitions
        self._templates = {name: self.body(definition.body) for name, definition in tree.definitions.items()}

    def body(self, body: nodes.Body) -> Step:
        steps = tuple(self._step(node) for node in body.nodes)

        def run_body(frame: Frame) -> int:
            try:
                frame.run.spend(body.weight)
            except Refused as reason:
                raise self._failure(str(reason), body.offset) from None
            for step in steps:
                signal = step(frame)
                if signal:
                    return signal
            return _GO_ON

        return run_body

    def _step(self, node: nodes.Node) -> Step:
        match node:
            case nodes.Literally():
                return self._literally(node)
            case nodes.Print():
                return self._print(node)
            case nodes.Assign():
                return self._assign(node)
            case nodes.Branch():
                return self._branch(node)
            case nodes.Range():
                return self._range(node)
            case nodes.Include():
                return self._include(node)
            case nodes.Jump():
                signal = _BREAK if node.kind == "break" else _CONTINUE
                return lambda _frame: signal

    def _literally(self, node: nodes.Literally) -> Step:
        text = Text(node.text)

        def write(frame: Frame) -> int:
            try:
                frame.run.write(text)
            except Refused as reason:
                raise self._failure(str(reason), node.offset) from None
            return _GO_ON

        return write

    def _print(self, node: nodes.Print) -> Step:
        evaluate = self._expressions.evaluator(node.pipeline, soft=False)

        def show(frame: Frame) -> int:
            value = evaluate(frame)
            try:
                frame.run.show(value)
            except Refused as reason:
                raise self._failure(str(reason), node.offset) from None
            return _GO_ON

        return show

    def _assign(self, node: nodes.Assign) -> Step:
        evaluate = self._expressions.evaluator(node.pipeline, soft=False)
        slot = node.slot

        def assign(frame: Frame) -> int:
            frame.variables[slot] = evaluate(frame)
            return _GO_ON

        return assign

    def _branch(self, node: nodes.Branch) -> Step:
        arms = [
            (self._expressions.evaluator(arm.pipeline, soft=True), arm.slot, self.body(arm.body))
            for arm in node.arms
        ]
        otherwise = self.body(node.otherwise) if node.otherwise else None
        moves_dot = node.kind == "with"

        def branch(frame: Frame) -> int:
            for evaluate, slot, body in arms:
                value = evaluate(frame)
                if slot is not None:
                    frame.variables[slot] = value
                if not value:
                    continue
                if not moves_dot:
                    return body(frame)
                outer, frame.dot = frame.dot, value
                signal = body(frame)
                frame.dot = outer
                return signal
            return otherwise(frame) if otherwise else _GO_ON

        return branch

    def _range(self, node: nodes.Range) -> Step:
        evaluate = self._expressions.evaluator(node.pipeline, soft=False)
        body = self.body(node.body)
        otherwise = self.body(node.otherwise) if node.otherwise else None
        key_slot, value_slot = node.key_slot, node.value_slot

        def loop(frame: Frame) -> int:
            try:
                members = _members(evaluate(frame), frame.run, keyed=key_slot is not None)
            except Refused as reason:
                raise self._failure(f"range: {reason}", node.offset) from None
            outer = frame.dot
            empty = True
            for key, value in members:
                empty = False
                frame.dot = value
                if value_slot is not None:
                    frame.variables[value_slot] = value
                if key_slot is not None:
                    frame.variables[key_slot] = key
                if body(frame) == _BREAK:
                    break
            frame.dot = outer
            return otherwise(frame) if empty and otherwise else _GO_ON

        return loop

    def _include(self, node: nodes.Include) -> Step:
        evaluate = self._expressions.evaluator(node.pipeline, soft=False) if node.pipeline else None
        name = node.name
        slots = self._definitions[name].slots
        height = self._definitions[name].height + 1

        def include(frame: Frame) -> int:
            run = frame.run
            if run.depth + height > MAX_DEPTH:
                raise self._failure(f'template "{name}" is called too deep', node.offset)
            run.depth += height
            self._templates[name](Frame(run, evaluate(frame) if evaluate else None, slots))
            run.depth -= height
            return _GO_ON

        return include


def _members(value: Any, run: Run, *, keyed: bool) -> Iterable[tuple[Any, Any]]:
    """Key and value of every element, maps in the order of their keys. ``keyed``: the keys are wanted."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        run.spend(len(value))
        return ((key, value[key]) for key in sorted(value, key=str))
    if isinstance(value, list | tuple):
        return enumerate(value)
    count = whole(value)
    if count is None:
        raise Refused(f"{kind_of(value)} has no elements")
    if keyed:
        raise Refused("a number has no keys")
    return ((number, number) for number in range(count))
