"""``options:`` of an agent: which ones a tool has, what they may be, and the arguments that they become. Pure.

Options come from templates too, so ``"true"`` is a flag and ``"10"`` a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from awf.domain.suggest import did_you_mean

Argv: TypeAlias = list[str]

_CAPITAL = re.compile(r"(?<=[a-z])[A-Z]")

_FLAGS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class NotOne(Exception):
    """A value that an option cannot have."""


class Option(Struct, frozen=True):
    """``expects`` is for people: ``a whole number``. ``argv`` gives the arguments for a value; it raises NotOne."""

    expects: str
    argv: Callable[[Any], Argv]


def named(options: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """The options by the names that they have here: ``allowedTools`` is ``allowed_tools``."""
    return {_known_name(name, known): value for name, value in options.items()}


def _known_name(name: str, known: Iterable[str]) -> str:
    snake = _CAPITAL.sub(lambda found: "_" + found[0].lower(), name)
    return snake if name not in known and snake in known else name


def problems(options: Mapping[str, Any], known: Mapping[str, Option]) -> list[str]:
    """Everything that is wrong with the options. One that is None is not set."""
    found = []
    for given, value in options.items():
        name = _known_name(given, known)
        if name != given and name in options:
            found.append(f"option {given} is {name}, which is there too")
        option = known.get(name)
        if option is None:
            names = ", ".join(sorted(known))
            found.append(f"unknown option '{name}'{did_you_mean(name, known)}; there are {names}")
        elif value is not None:
            try:
                option.argv(value)
            except NotOne:
                found.append(f"option {name} invalid: expected {option.expects}, got {value!r}")
    return found


def arguments(options: Mapping[str, Any], known: Mapping[str, Option]) -> Argv:
    """What checked options are on the command line, in the order in which the tool's are declared."""
    argv, given = [], named(options, known)
    for name, option in known.items():
        if given.get(name) is not None:
            argv += option.argv(given[name])
    return argv


def text(flag: str) -> Option:
    """Words. As with all of these, a ``flag`` that ends in ``=`` is one argument with its value."""
    return Option("text", lambda value: _pair(flag, _word(value)))


def words(flag: str, joined: str = "") -> Option:
    """A list of words, or words with commas between them. Each has its own flag, unless they are ``joined``."""

    def argv(value: Any) -> Argv:
        found = _words(value)
        if joined:
            return _pair(flag, joined.join(found)) if found else []
        return [argument for word in found for argument in _pair(flag, word)]

    return Option("a list of texts", argv)


def choice(flag: str, values: Iterable[str]) -> Option:
    """One of a few words."""
    allowed = tuple(values)

    def argv(value: Any) -> Argv:
        if value not in allowed:
            raise NotOne
        return _pair(flag, value)

    return Option("one of " + ", ".join(allowed), argv)


def flag(*argv: str) -> Option:
    """True or false; the arguments are there where it is true."""
    return Option("true or false", lambda value: list(argv) if truth(value) else [])


def number(flag: str, *, whole: bool = False) -> Option:
    """A number above 0."""

    def argv(value: Any) -> Argv:
        return _pair(flag, format(number_of(value, whole=whole, least=0, above=True), "d" if whole else "g"))

    return Option("a whole number above 0" if whole else "a number above 0", argv)


def ignored(values: Iterable[str]) -> Option:
    """One of a few words, for which the tool needs no argument."""
    chosen = choice("", values)
    return Option(chosen.expects, lambda value: chosen.argv(value)[:0])


def ignored_text() -> Option:
    """Words that reach the tool in another way than by an argument."""
    return Option("text", lambda value: [_word(value)][:0])


def is_true(value: Any) -> bool:
    """Is a checked flag set?"""
    return value is not None and truth(value)


def truth(value: Any) -> bool:
    """A flag's value. Raises NotOne."""
    if isinstance(value, str):
        value = _FLAGS.get(value.strip().lower())
    if not isinstance(value, bool):
        raise NotOne
    return value


def number_of(
    value: Any,
    *,
    whole: bool = False,
    least: float | None = None,
    most: float | None = None,
    above: bool = False,
) -> float | int:
    """A number within its bounds; ``above``: more than ``least``. Raises NotOne."""
    if isinstance(value, str):
        try:
            value = int(value) if whole else float(value)
        except ValueError:
            raise NotOne from None
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
        raise NotOne
    if not -1e300 < value < 1e300:  # NaN and infinity too
        raise NotOne
    if (least is not None and (value < least or (above and value == least))) or (
        most is not None and value > most
    ):
        raise NotOne
    return int(value) if whole else value


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise NotOne
    word = str(value).strip()
    if not word or "\0" in word:
        raise NotOne
    return word


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part for part in map(str.strip, _apart(value)) if part]
    if not isinstance(value, list | tuple):
        raise NotOne
    return [_word(part) for part in value]


def _apart(value: str) -> list[str]:
    """At commas that are not in parentheses: ``Bash(git log:*,x),Read`` are two."""
    parts, depth = [""], 0
    for character in value:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _pair(flag: str, value: str) -> Argv:
    """A flag and its value, which must not be taken for another flag. Raises NotOne."""
    if value.startswith("-") and not flag.endswith("="):
        raise NotOne
    return [flag + value] if flag.endswith("=") else [flag, value]
