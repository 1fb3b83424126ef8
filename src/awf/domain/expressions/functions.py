"""The functions of expressions. Where an argument is nil, so is the result; a test of text is then false."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from awf.domain.expressions import operators, patterns
from awf.domain.expressions.operators import scalar_text
from awf.domain.expressions.run import ExpressionFailure, Run
from awf.domain.expressions.values import is_number, kind
from awf.domain.problems import Position

Arguments: TypeAlias = list[Any]
Body: TypeAlias = Callable[[Run, Arguments, Position], Any]


class Function(Struct, frozen=True):
    """``least`` and ``most`` arguments; ``reads_text``: inputs given to it count as the text they were given as;
    ``of_nil``: the result where an argument is nil.
    """

    body: Body
    least: int
    most: int
    reads_text: bool = False
    of_nil: Any = None


def _length(_run: Run, arguments: Arguments, position: Position) -> int:
    (value,) = arguments
    if isinstance(value, list | Mapping):
        return len(value)
    return len(scalar_text(value, position, "len()"))


def _on_text(name: str, apply: Callable[[str], str]) -> Function:
    def body(run: Run, arguments: Arguments, position: Position) -> str:
        text = scalar_text(arguments[0], position, f"{name}()")
        run.charge_text(len(text), position)
        return apply(text)

    return Function(body, 1, 1, reads_text=True)


def _trim(run: Run, arguments: Arguments, position: Position) -> str:
    texts = [scalar_text(argument, position, "trim()") for argument in arguments]
    run.charge_text(len(texts[0]), position)
    return texts[0].strip(*texts[1:])


def _split(run: Run, arguments: Arguments, position: Position) -> list[str]:
    text, separator = (scalar_text(argument, position, "split()") for argument in arguments[:2])
    most = arguments[2] if len(arguments) == 3 else -1
    if not isinstance(most, int) or isinstance(most, bool):
        raise ExpressionFailure(f"split() needs a whole number of parts, not {kind(most)}", position)
    run.charge_text(len(text), position)
    if most == 0:
        return []
    if separator:
        return text.split(separator, most - 1 if most > 0 else -1)
    return list(text) if most < 0 else [*text[: most - 1], *([text[most - 1 :]] if text[most - 1 :] else [])]


def _join(run: Run, arguments: Arguments, position: Position) -> str:
    elements = _list(arguments[0], position, "join()")
    separator = scalar_text(arguments[1], position, "join()") if len(arguments) == 2 else ""
    texts = [scalar_text(element, position, "join()") for element in elements]
    run.charge(len(texts), position)
    run.charge_text(sum(map(len, texts)) + len(separator) * len(texts), position)
    return separator.join(texts)


def _on_texts(operation: operators.Operation) -> Function:
    def body(run: Run, arguments: Arguments, position: Position) -> Any:
        left, right = arguments
        return operation(run, left, right, position)

    return Function(body, 2, 2, reads_text=True, of_nil=False)


def _int(_run: Run, arguments: Arguments, position: Position) -> int:
    (value,) = arguments
    try:
        if isinstance(value, str) and len(value) <= 64:
            return operators.integer(int(value.replace("_", "?")), position)
        if is_number(value):
            return operators.integer(int(value), position)
    except (ValueError, OverflowError):
        pass
    raise ExpressionFailure(f"int() cannot read {_shown(value)}", position)


def _float(_run: Run, arguments: Arguments, position: Position) -> float:
    (value,) = arguments
    try:
        if is_number(value) or (isinstance(value, str) and len(value) <= 400 and "_" not in value):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise ExpressionFailure(f"float() cannot read {_shown(value)}", position)


def _string(run: Run, arguments: Arguments, position: Position) -> str:
    return operators.written(run, arguments[0], position)


def _abs(_run: Run, arguments: Arguments, position: Position) -> int | float:
    (value,) = _numbers(arguments, position, "abs()")
    return operators.integer(abs(value), position) if isinstance(value, int) else abs(value)


def _extreme(name: str, choose: Callable[[Arguments], Any]) -> Function:
    def body(_run: Run, arguments: Arguments, position: Position) -> Any:
        numbers = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
        if not numbers:
            raise ExpressionFailure(f"{name}() of an empty list", position)
        return choose(_numbers(numbers, position, f"{name}()"))

    return Function(body, 1, 100)


def _numbers(values: Arguments, position: Position, what: str) -> Arguments:
    for value in values:
        if not is_number(value):
            raise ExpressionFailure(f"{what} needs numbers, not {kind(value)}", position)
    return values


def _list(value: Any, position: Position, what: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ExpressionFailure(f"{what} needs a list, not {kind(value)}", position)


def _shown(value: Any) -> str:
    return repr(value if len(value) <= 40 else value[:40] + "…") if isinstance(value, str) else kind(value)


FUNCTIONS: dict[str, Function] = {
    "len": Function(_length, 1, 1, reads_text=True),
    "lower": _on_text("lower", str.lower),
    "upper": _on_text("upper", str.upper),
    "trim": Function(_trim, 1, 2, reads_text=True),
    "split": Function(_split, 2, 3, reads_text=True),
    "join": Function(_join, 1, 2),
    "contains": _on_texts(operators.contains),
    "startsWith": _on_texts(operators.starts_with),
    "endsWith": _on_texts(operators.ends_with),
    "has_prefix": _on_texts(operators.starts_with),
    "has_suffix": _on_texts(operators.ends_with),
    "matches": _on_texts(patterns.matches),
    "int": Function(_int, 1, 1),
    "float": Function(_float, 1, 1),
    "string": Function(_string, 1, 1, reads_text=True),
    "abs": Function(_abs, 1, 1),
    "min": _extreme("min", min),
    "max": _extreme("max", max),
}


def call(function: Function, run: Run, arguments: Arguments, position: Position) -> Any:
    if any(argument is None for argument in arguments):
        return function.of_nil
    return function.body(run, arguments, position)


def select(
    name: str, run: Run, value: Any, predicate: Callable[[Run], Any], *, weight: int, position: Position
) -> Any:
    """``any``, ``all``, ``filter`` and ``map``: the predicate, of ``weight`` operations, for each element ``#``."""
    if value is None:
        return None
    what = f"{name}()"
    results: list[Any] = []
    for element in _list(value, position, what):
        run.charge(weight, position)
        run.elements.append(element)
        result = predicate(run)
        run.elements.pop()
        if name == "map":
            results.append(result)
            continue
        held = operators.truth(result, position, f"the predicate of {what}")
        if name == "filter" and held:
            results.append(element)
        elif name != "filter" and held is (name == "any"):
            return held
    return results if name in {"map", "filter"} else name == "all"
