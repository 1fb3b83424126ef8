"""Simple commands: what a shell does with the words of some of them, beyond expanding them once."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from awf.domain.shell.places import Check, Use
from awf.domain.shell.scanner import HOLE


@dataclass(slots=True)
class Word:
    """``text`` is without its quotes; a NUL stands for a value, ``$`` for an expansion. ``plain``: nothing of it was
    quoted or expands. ``value_at``: where the value of an assignment begins. ``numbers``: its values, in order."""

    text: str = ""
    plain: bool = True
    value_at: int | None = None
    target: bool = False
    numbers: list[int] = field(default_factory=list)

    def values(self) -> Iterator[tuple[int, int]]:
        """Place in the text and number of each value."""
        places = (place for place, character in enumerate(self.text) if character == HOLE)
        return zip(places, self.numbers, strict=False)


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DECLARING = frozenset(("export", "readonly", "local", "declare", "typeset", "integer", "float", "nameref"))
_NAMING = frozenset(("read", "unset", "getopts", "mapfile", "readarray", "wait", "vared"))
SUBSCRIPTING = DECLARING | _NAMING | {"printf", "test", "[", "[[", "print", "let"}
_IMPLIED = {"integer": "i", "float": "i", "nameref": "n"}
_TRANSPARENT = frozenset(("command", "builtin", "exec", "!", "noglob", "nocorrect"))
_COMPARISONS = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge"))
_PROMPTS = frozenset(("PS4", "PROMPT_COMMAND"))

_SHELLS = frozenset(("sh", "bash", "dash", "ksh", "zsh", "ash", "mksh", "su"))
_LANGUAGES = {"python": "-c", "python3": "-c", "perl": "-e", "ruby": "-e", "node": "-e", "php": "-r"}
_PREFIXES = _TRANSPARENT | {
    "sudo", "doas", "env", "nohup", "time", "nice", "ionice", "timeout", "setsid", "stdbuf", "xargs", "sshpass",
}  # fmt: skip
_SSH_WITH_ARGUMENT = frozenset("BbcDEeFIiJLlmOoPpQRSWw")


def judge(
    words: Sequence[Word], assignments: Sequence[Word], uses: dict[int, Use], declared: dict[str, Check]
) -> None:
    """Note on the uses what the values of one simple command have to be, and what people should be warned of.

    ``declared`` holds the variables of the script whose later assignments are computed, and grows.
    """
    for word in assignments:
        name = _name_of(word)
        check = Check.PLAIN if name in _PROMPTS else declared.get(name)
        _demand(uses, (number for _, number in word.values()), check)
    while words and words[0].text in _TRANSPARENT:
        words = words[1:]
    if not words:
        return
    if words[0].text.startswith(HOLE):
        uses[words[0].numbers[0]].warnings.append(
            "a value stands where the command is named: it runs as one simple command, in which && and | are plain words"
        )
    _judge_builtin(words, uses, declared)
    _warn_of_second_scan(words, uses)


def _demand(uses: dict[int, Use], numbers: Iterator[int], check: Check | None) -> None:
    for number in numbers:
        if check is not None and uses[number].check is None:
            uses[number].check = check


def _name_of(assignment: Word) -> str:
    found = NAME.match(assignment.text)
    return found.group() if found else ""


def _all(words: Sequence[Word]) -> Iterator[int]:
    return (number for word in words for _, number in word.values())


def _judge_builtin(words: Sequence[Word], uses: dict[int, Use], declared: dict[str, Check]) -> None:
    name = words[0].text
    if name in DECLARING:
        _judge_declaration(words, uses, declared)
    elif name in _NAMING:
        _demand(uses, _all(words[1:]), Check.NAME)
    elif name == "let":
        _demand(uses, _all(words[1:]), Check.NUMBER)
    elif name == "compgen":
        _demand(uses, _all(words[1:]), Check.PLAIN)
    elif name in {"test", "[", "[[", "printf", "print", "set"}:
        for option, operand in pairwise(words[1:]):
            if option.text in {"-v", "-R", "-A"}:
                _demand(uses, _all([operand]), Check.NAME)
            elif option.text.startswith("-v"):
                _demand(uses, _all([option]), Check.NAME)
    if name == "[[":
        for place, word in enumerate(words):
            if word.text in _COMPARISONS and word.plain:
                _demand(uses, _all(words[place - 1 : place + 2]), Check.NUMBER_OR_EMPTY)


def _judge_declaration(words: Sequence[Word], uses: dict[int, Use], declared: dict[str, Check]) -> None:
    flags = _IMPLIED.get(words[0].text, "")
    for word in words[1:]:
        if word.text.startswith(("-", "+")):
            flags += word.text
            continue
        equals = word.value_at if word.value_at is not None else word.text.find("=") + 1
        value_at = equals or len(word.text)
        of_value = _declared_as(flags)
        of_name = Check.NAME if of_value is None else Check.PLAIN
        for place, number in word.values():
            _demand(uses, iter((number,)), of_name if place < value_at else of_value)
        if of_value in {Check.NUMBER, Check.NAME}:
            declared[_name_of(word)] = of_value
        if word.text.startswith(HOLE):
            flags += "a"


def _declared_as(flags: str) -> Check | None:
    """What a declaration with these option letters makes of a value."""
    if any(letter in flags for letter in "iEF"):
        return Check.NUMBER
    if "n" in flags:
        return Check.NAME
    return Check.PLAIN if any(letter in flags for letter in "aA") else None


def _warn_of_second_scan(words: Sequence[Word], uses: dict[int, Use]) -> None:
    bases = [posixpath.basename(word.text) for word in words]
    reach = len(words) if bases[0] in _PREFIXES else 1
    for place, base in enumerate(bases):
        if base in _SHELLS:
            _warn(uses, _code_of(words[place + 1 :], "c"), f"{base} -c")
        elif place >= reach:
            continue
        elif base == "eval":
            _warn(uses, words[place + 1 :], "eval")
        elif base == "trap":
            _warn(uses, [word for word in words[place + 1 :] if not word.text.startswith("-")][:1], "trap")
        elif base == "ssh":
            _warn(uses, _remote(words[place + 1 :]), "ssh")
        elif base in _LANGUAGES:
            option = _LANGUAGES[base]
            _warn(
                uses, _code_of(words[place + 1 :], option[1]), f"{base} {option}", "is code of that language"
            )


def _warn(
    uses: dict[int, Use], words: Sequence[Word], where: str, what: str = "is scanned a second time, as code"
) -> None:
    for number in _all(words):
        uses[number].warnings.append(f"a value stands inside {where}, where text {what}")


def _code_of(words: Sequence[Word], letter: str) -> Sequence[Word]:
    """The argument of an option like ``-c`` or ``-lc``."""
    for place, word in enumerate(words):
        if re.fullmatch(rf"-[a-zA-Z]*{letter}", word.text):
            return words[place + 1 : place + 2]
    return ()


def _remote(words: Sequence[Word]) -> Sequence[Word]:
    """What ssh hands to the shell on the other side: all after the host."""
    place = 0
    while place < len(words) and words[place].text.startswith("-"):
        option = words[place].text
        place += 2 if len(option) == 2 and option[1] in _SSH_WITH_ARGUMENT else 1
    return words[place + 1 :]
