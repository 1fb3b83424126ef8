"""Expressions compiled to closures that take a frame and give a value.

``soft`` is decided when compiling: in a soft place a missing key gives nil, elsewhere a TemplateFailure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, TypeAlias

from awf.domain.problems import Position
from awf.domain.suggest import closest
from awf.domain.templates import nodes
from awf.domain.templates.faults import Absent, Refused, TemplateFailure
from awf.domain.templates.format import kind_of, text_of
from awf.domain.templates.names import respelled
from awf.domain.templates.run import Frame

Evaluator: TypeAlias = Callable[[Frame], Any]
Locate: TypeAlias = Callable[[int], Position]

_ONLY_THERE = {"loop": "inside loops", "error": "where an error is handled"}


class Expressions:
    """Compiles the expressions of one template source; ``locate`` turns offsets into places."""

    def __init__(self, locate: Locate) -> None:
        self._locate = locate

    def failure(self, detail: str, offset: int) -> TemplateFailure:
        return TemplateFailure(detail, self._locate(offset))

    def evaluator(self, node: nodes.Expression, *, soft: bool) -> Evaluator:
        match node:
            case nodes.Chain():
                return self._chain(node, soft=soft)
            case nodes.Pipeline():
                return self._pipeline(node, soft=soft)
            case nodes.Call():
                return self._invocation(node, soft=soft)
            case nodes.Constant(value=value):
                return lambda _frame: value
            case nodes.Variable(slot=slot):
                return lambda frame: frame.variables[slot]
            case nodes.Dot():
                return lambda frame: frame.dot
            case nodes.WholeScope():
                return lambda frame: frame.run.scope

    def _chain(self, node: nodes.Chain, *, soft: bool) -> Evaluator:
        start = self.evaluator(node.base, soft=soft)
        names = node.names

        def lookup(frame: Frame) -> Any:
            value = start(frame)
            for place, name in enumerate(names):
                try:
                    value = value[name]
                except (KeyError, TypeError):
                    spelled = respelled(frame.run.scope, value, name)
                    if spelled is not None:
                        value = value[spelled]
                    elif soft:
                        return None
                    else:
                        base = _described(node.base, frame)
                        raise self._undefined(base, names[: place + 1], value, node.offset) from None
            return value

        return lookup

    def _pipeline(self, node: nodes.Pipeline, *, soft: bool) -> Evaluator:
        softness = node.softness(soft)
        first = self.evaluator(node.first, soft=softness[0])
        if not node.rest:
            return first
        rest = [
            self._invocation(stage, soft=ease) for stage, ease in zip(node.rest, softness[1:], strict=True)
        ]

        def pipeline(frame: Frame) -> Any:
            value = first(frame)
            for stage in rest:
                value = stage(frame, value)
            return value

        return pipeline

    def _invocation(self, node: nodes.Call, *, soft: bool) -> Callable[..., Any]:
        """The call as something that takes the frame and, in a later stage of a pipeline, the value piped into it."""
        function = node.function
        evaluators = [self.evaluator(argument, soft=soft or function.soft) for argument in node.arguments]

        def invocation(frame: Frame, *piped: Any) -> Any:
            run = frame.run
            if function.lazy:
                return function.call(chain((evaluate(frame) for evaluate in evaluators), piped))
            arguments = [evaluate(frame) for evaluate in evaluators]
            arguments += piped
            try:
                run.spend_on_arguments(arguments)
                result = function.call(run, *arguments)
                run.spend_on_result(result)
            except Refused as reason:
                raise self.failure(f"{function.name}: {reason}", node.offset) from reason
            except Absent as absent:
                if soft:
                    return None
                raise self._not_at_index(frame, node, arguments, absent) from None
            return result

        return invocation

    def _not_at_index(
        self, frame: Frame, node: nodes.Call, arguments: list[Any], absent: Absent
    ) -> TemplateFailure:
        key = arguments[1 + absent.position]
        container = absent.container
        if isinstance(container, list | tuple | str):
            return self.failure(
                f"index: {text_of(key)} is out of range (the length is {len(container)})", node.offset
            )
        keys = tuple(map(text_of, arguments[1 : 2 + absent.position]))
        base = _described(node.arguments[0], frame) if node.arguments else "(…)"
        return self._undefined(base, keys, container, node.offset)

    def _undefined(self, base: str, names: tuple[str, ...], container: Any, offset: int) -> TemplateFailure:
        holder = _dotted(base, names[:-1])
        path = _dotted(holder, names[-1:])
        if not isinstance(container, Mapping):
            what = "empty" if container is None else kind_of(container)
            owner = "the dot" if holder == "." else holder
            return self.failure(f"{path} is not defined ({owner} is {what})", offset)
        name = names[-1]
        remarks = []
        if name in _ONLY_THERE and not holder:
            remarks.append(f"only {_ONLY_THERE[name]}")
        if holder == "states":
            remarks.append(f"state {name} has not run")
        folded = {key.casefold(): key for key in container if isinstance(key, str)}
        guess = closest(name.casefold(), folded)
        if guess is not None:
            remarks.append(f"did you mean {_dotted(holder, (folded[guess],))}?")
        remark = f" ({'; '.join(remarks)})" if remarks else ""
        return self.failure(f"{path} is not defined{remark}", offset)


def _described(node: nodes.Expression, frame: Frame) -> str:
    """How people write the value of ``node``: the whole scope as nothing, the dot as ``.``."""
    match node:
        case nodes.WholeScope():
            return ""
        case nodes.Dot():
            return "" if frame.dot is frame.run.scope else "."
        case nodes.Variable():
            return "" if frame.variables[node.slot] is frame.run.scope else node.name
        case nodes.Chain():
            return _dotted(_described(node.base, frame), node.names)
        case nodes.Pipeline(rest=()):
            return _described(node.first, frame)
        case nodes.Call() if node.function.name == "index" and node.arguments:
            keys = [key.value if isinstance(key, nodes.Constant) else "…" for key in node.arguments[1:]]
            return _dotted(_described(node.arguments[0], frame), tuple(map(str, keys)))
        case _:
            return "(…)"


def _dotted(base: str, names: tuple[str, ...]) -> str:
    return base + ("" if base in ("", ".") or not names else ".") + ".".join(names)
