"""The inputs of a run: values coerced once to their declared types, defaults filled in, every failure told at once."""

from __future__ import annotations

import json
import math
import os.path
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from awf.domain.expressions.patterns import compile_pattern
from awf.domain.json_text import parse_json
from awf.domain.secrets import MASK, is_secret
from awf.domain.suggest import did_you_mean
from awf.domain.workflow import Input, InputType, Rules, Workflow

Failure = tuple[str, str]
"""An input's name, and what is wrong with it."""

MISSING = "required but not provided"

_INTEGER = re.compile(r"[+-]?0*[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_LEAST, _MOST = -(2**63), 2**63 - 1
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
_SHOWN = 100


class Resolved(Struct, frozen=True):
    """``values`` has every input that has a value; it is complete only where ``errors`` is empty."""

    values: dict[str, Any]
    errors: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def resolve_inputs(
    workflow: Workflow, supplied: Mapping[str, Any], *, file_exists: Callable[[str], bool]
) -> Resolved:
    """The values a run works with, in the order of declaration, then the undeclared ones.

    None counts as not supplied. ``file_exists`` is asked for inputs whose rules want an existing file; an OSError that
    it raises is a failure of that input.
    """
    found = Resolved({})
    for item in workflow.inputs:
        value = supplied.get(item.name)
        if isinstance(value, str) and not _is_text(value):
            found.errors.append((item.name, "is not valid UTF-8 text"))
        elif value is None:
            if item.default is not None:
                found.values[item.name] = item.default
            elif item.required:
                found.errors.append((item.name, MISSING))
        elif value == "" and item.required:
            found.errors.append((item.name, "required but empty"))
        else:
            _check_supplied(item, value, file_exists, found)
    declared = {item.name for item in workflow.inputs}
    for name, value in supplied.items():
        if name in declared:
            continue
        if isinstance(value, str) and not _is_text(value):
            found.errors.append((name, "is not valid UTF-8 text"))
        else:
            found.values[name] = value
            hint = did_you_mean(name, declared - supplied.keys())
            found.warnings.append(f"input '{name}' is not declared by the workflow{hint}")
    return found


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_supplied(item: Input, value: Any, file_exists: Callable[[str], bool], found: Resolved) -> None:
    secret = is_secret(item.name) if item.secret is None else item.secret
    try:
        coerced = coerce(item.type, value, hide=secret)
    except ValueError as error:
        found.errors.append((item.name, str(error)))
        return
    found.values[item.name] = coerced
    broken = broken_rules(item, coerced, file_exists, hide=secret)
    found.errors.extend((item.name, text) for text in broken)


def failure_text(errors: Sequence[Failure]) -> str:
    """One text for all failures of a run's inputs."""
    lines = [f"inputs.{name}: {text}" for name, text in errors]
    if len(lines) == 1:
        return f"input validation failed: {lines[0]}"
    return "\n".join((f"input validation failed: {len(lines)} errors:", *(f"  - {line}" for line in lines)))


def coerce(kind: InputType, value: Any, *, hide: bool = False) -> Any:
    """``value`` as ``kind``. Raises ValueError with the text for people; ``hide`` keeps the value out of it."""
    coerced = _COERCIONS[kind](value)
    if coerced is None:
        raise ValueError(f"cannot convert {_described(value, hide)} to {kind}")
    return coerced


def broken_rules(
    item: Input, value: Any, file_exists: Callable[[str], bool] | None, *, hide: bool = False
) -> list[str]:
    """What a coerced value breaks; without ``file_exists`` the rules about files on disk are left out."""
    rules = item.rules
    broken: list[str] = []
    shown = MASK if hide else _quoted(value)
    if rules.pattern is not None and isinstance(value, str) and not compiled(rules.pattern)(value):
        broken.append(f'value {shown} does not match pattern "{rules.pattern}"')
    if rules.enum and value not in rules.enum:
        allowed = " ".join(_printed(choice) for choice in rules.enum)
        broken.append(f"value {shown} not in allowed values [{allowed}]")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = MASK if hide else value
        if rules.minimum is not None and value < rules.minimum:
            broken.append(f"value {number} is below minimum {rules.minimum}")
        if rules.maximum is not None and value > rules.maximum:
            broken.append(f"value {number} exceeds maximum {rules.maximum}")
    if isinstance(value, str):
        broken += _broken_file_rules(item.rules, value, file_exists, MASK if hide else value)
    return broken


def _broken_file_rules(
    rules: Rules, path: str, file_exists: Callable[[str], bool] | None, shown: str
) -> list[str]:
    broken = []
    if rules.file_exists and not path:
        broken.append("file path cannot be empty")
    elif rules.file_exists and file_exists is not None:
        try:
            if not file_exists(path):
                broken.append(f"file does not exist: {shown}")
        except OSError as error:
            broken.append(f"cannot access file: {error.strerror}")
    allowed = rules.file_extension
    extension = os.path.splitext(path)[1]  # noqa: PTH122 - text only, no file system
    if allowed and not extension:
        broken.append(f'file "{shown}" has no extension, allowed: [{" ".join(allowed)}]')
    elif allowed and extension not in allowed:
        broken.append(f'file extension "{extension}" not in allowed extensions [{" ".join(allowed)}]')
    return broken


compiled = lru_cache(maxsize=256)(compile_pattern)
"""The unanchored RE2 search of a pattern, compiled once. Raises PatternInvalid."""


def _to_string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _to_integer(value: Any) -> int | None:
    number: int | None = None
    if isinstance(value, str):
        number = int(value) if _INTEGER.fullmatch(value) else None
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    return number if number is not None and _LEAST <= number <= _MOST else None


def _to_boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def _to_number(value: Any) -> int | float | None:
    whole = _to_integer(value) if isinstance(value, str) else None
    if whole is not None:
        return whole
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None


def _to_array(value: Any) -> list[Any] | None:
    parsed = _parsed(value)
    return parsed if isinstance(parsed, list) else None


def _to_object(value: Any) -> dict[str, Any] | None:
    parsed = _parsed(value)
    return parsed if isinstance(parsed, dict) else None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError:
        return None


_COERCIONS: dict[InputType, Callable[[Any], Any]] = {
    "string": _to_string,
    "integer": _to_integer,
    "boolean": _to_boolean,
    "number": _to_number,
    "array": _to_array,
    "object": _to_object,
}
INPUT_TYPES = tuple(_COERCIONS)


def _described(value: Any, hide: bool) -> str:
    if isinstance(value, str):
        return MASK if hide else _quoted(value)
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return MASK if hide else str(value)
    return "array" if isinstance(value, list) else "object"


def _quoted(value: Any) -> str:
    text = _printed(value)
    return f'"{text if len(text) <= _SHOWN else text[:_SHOWN] + "…"}"'


def _printed(value: Any) -> str:
    return _to_string(value) or ""
