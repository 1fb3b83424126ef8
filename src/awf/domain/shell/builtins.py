"""Commands of the shell itself that do more with their words than take them: compute them, or scan them again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from awf.domain.shell.places import Check, Place, Use
from awf.domain.shell.rescans import TRANSPARENT, warn_of_second_scan
from awf.domain.shell.scanner import HOLE
from awf.domain.shell.words import Word, numbers_of

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DECLARING = frozenset(("export", "readonly", "local", "declare", "typeset", "integer", "float", "nameref"))
_NAMING = frozenset(("read", "unset", "getopts", "mapfile", "readarray", "wait", "vared", "zparseopts"))
_COUNTING = frozenset(("exit", "return", "shift", "break", "continue", "logout"))
SUBSCRIPTING = DECLARING | _NAMING | {"printf", "test", "[", "[[", "print", "let"}
_IMPLIED = {"integer": "i", "float": "i", "nameref": "n"}
_COMPARISONS = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge"))
_CONVERSION = re.compile(r"%[-+ #0'\d.*]*([A-Za-z])")
_COMPUTED = re.compile(r"[diouxXeEfFgGaA]")
_EXPANDED_LATER = frozenset(("PS4", "PROMPT_COMMAND", "ENV", "BASH_ENV"))


def judge(
    words: Sequence[Word], assignments: Sequence[Word], uses: dict[int, Use], declared: dict[str, Check]
) -> None:
    """Note on the uses what the values of one simple command have to be, and what people should be warned of.

    ``declared`` holds the variables of the script whose later assignments are computed, and grows.
    """
    for word in assignments:
        name = _name_of(word)
        declares = bool(words) and words[0].text in DECLARING
        check = Check.PLAIN if declares or name in _EXPANDED_LATER else declared.get(name)
        demand(uses, [word], check)
    while words and words[0].text in TRANSPARENT:
        words = words[1:]
    if not words:
        return
    if words[0].text.startswith(HOLE):
        uses[words[0].numbers[0]].warnings.append(
            "a value stands where the command is named: it runs as one simple command, in which && and | are plain words"
        )
    _judge_builtin(words, uses, declared)
    warn_of_second_scan(words, uses)


def demand(uses: dict[int, Use], words: Sequence[Word], check: Check | None) -> None:
    """Note what the values of these words have to be, where nothing is noted yet."""
    for number in numbers_of(words):
        _demand_of(uses[number], check)


def _demand_of(use: Use, check: Check | None) -> None:
    if use.check is None:
        use.check = check


def _demand_name(uses: dict[int, Use], word: Word) -> None:
    for place, number in word.values():
        _demand_of(uses[number], _of_name(word, place))


def _of_name(word: Word, place: int) -> Check:
    """What a value has to be at this place of a word that names a variable, or an element of an array."""
    return Check.NUMBER if "[" in word.text[:place] else Check.NO_SUBSCRIPT


def _name_of(assignment: Word) -> str:
    found = NAME.match(assignment.text)
    return found.group() if found else ""


def _judge_builtin(words: Sequence[Word], uses: dict[int, Use], declared: dict[str, Check]) -> None:
    name, rest = words[0].text, words[1:]
    if name in DECLARING:
        _judge_declaration(words, uses, declared)
    elif name in _NAMING:
        for option, callback in pairwise(rest):
            demand(uses, [callback] if option.text == "-C" else [], Check.PLAIN)
        for word in rest:
            _demand_name(uses, word)
    elif name == "let":
        demand(uses, rest, Check.NUMBER)
    elif name in _COUNTING:
        demand(uses, rest, Check.NUMBER_OR_EMPTY)
    elif name == "compgen":
        demand(uses, rest, Check.PLAIN)
    elif name in {"test", "[", "[[", "printf", "print", "set"}:
        _judge_options(rest, uses)
    if name == "[[":
        for place, word in enumerate(words):
            if word.text in _COMPARISONS and word.plain:
                demand(uses, words[place - 1 : place + 2], Check.NUMBER_OR_EMPTY)
    if name in {"printf", "print"}:
        _judge_format(rest, uses)


def _judge_options(words: Sequence[Word], uses: dict[int, Use]) -> None:
    for option, operand in pairwise(words):
        if option.text in {"-v", "-R", "-A", "-t"}:
            _demand_name(uses, operand)
        elif option.text.startswith("-v"):
            _demand_name(uses, option)


def _judge_format(words: Sequence[Word], uses: dict[int, Use]) -> None:
    """Zsh computes what it prints as a number."""
    place = 0
    while place < len(words) and words[place].text.startswith("-"):
        place += 2 if words[place].text == "-v" else 1
    if place >= len(words):
        return
    format, *arguments = words[place:]
    kinds = _CONVERSION.findall(format.text.replace("%%", ""))
    simple = HOLE not in format.text and "*" not in format.text
    if simple and not any(_COMPUTED.search(kind) for kind in kinds):
        return
    for count, word in enumerate(arguments):
        kind = kinds[count % len(kinds)] if simple else "d"
        for _, number in word.values():
            if _COMPUTED.search(kind) or uses[number].place is Place.WORDS:
                _demand_of(uses[number], Check.NO_SUBSCRIPT)


def _judge_declaration(words: Sequence[Word], uses: dict[int, Use], declared: dict[str, Check]) -> None:
    flags = _IMPLIED.get(words[0].text, "")
    for word in words[1:]:
        if word.text.startswith(("-", "+")):
            flags += word.text
            continue
        equals = word.value_at if word.value_at is not None else word.text.find("=") + 1
        value_at = equals or len(word.text)
        of_value = _declared_as(flags)
        for place, number in word.values():
            if place >= value_at:
                _demand_of(uses[number], of_value)
            else:
                _demand_of(uses[number], _of_name(word, place) if of_value is None else Check.PLAIN)
        if of_value in {Check.NUMBER, Check.NO_SUBSCRIPT}:
            declared[_name_of(word)] = of_value
        if word.text.startswith(HOLE):
            flags += "a"


def _declared_as(flags: str) -> Check | None:
    """What a declaration with these option letters makes of a value."""
    if any(letter in flags for letter in "iEF"):
        return Check.NUMBER
    if "n" in flags:
        return Check.NO_SUBSCRIPT
    return Check.PLAIN if any(letter in flags for letter in "aA") else None
