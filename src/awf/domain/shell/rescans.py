"""Commands that hand a text to a shell, or to another language, to be read as code."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from awf.domain.shell.places import Use
from awf.domain.shell.words import Word, numbers_of

TRANSPARENT = frozenset(("command", "builtin", "exec", "!", "noglob", "nocorrect"))
"""Words before a command that leave it what it is."""

_SHELLS = frozenset(("sh", "bash", "dash", "ksh", "zsh", "ash", "mksh", "su"))
_LANGUAGES = {"python": "-c", "python3": "-c", "perl": "-e", "ruby": "-e", "node": "-e", "php": "-r"}
_PREFIXES = TRANSPARENT | {
    "sudo", "doas", "env", "nohup", "time", "nice", "ionice", "timeout", "setsid", "stdbuf", "xargs", "sshpass",
}  # fmt: skip
_SSH_WITH_ARGUMENT = frozenset("BbcDEeFIiJLlmOoPpQRSWw")


def warn_of_second_scan(words: Sequence[Word], uses: dict[int, Use]) -> None:
    """Note on the uses which values of a simple command are scanned again, or are code of another language."""
    bases = [posixpath.basename(word.text) for word in words]
    reach = len(words) if bases[0] in _PREFIXES else 1
    for place, base in enumerate(bases):
        if base in _SHELLS:
            _warn(uses, _code_of(words[place + 1 :], "c"), f"{base} -c")
        elif place >= reach:
            continue
        elif base in {"eval", "alias"}:
            _warn(uses, words[place + 1 :], base)
        elif base == "trap":
            _warn(uses, [word for word in words[place + 1 :] if not word.text.startswith("-")][:1], "trap")
        elif base == "ssh":
            _warn(uses, _remote(words[place + 1 :]), "ssh")
        elif base in _LANGUAGES:
            option = _LANGUAGES[base]
            _warn(uses, _code_of(words[place + 1 :], option[1]), f"{base} {option}", language=True)


def _warn(uses: dict[int, Use], words: Sequence[Word], where: str, language: bool = False) -> None:
    what = "is code of that language" if language else "is scanned a second time, as code"
    for number in numbers_of(words):
        use = uses[number]
        (use.warnings if language else use.rescans).append(
            f"a value stands inside {where}, where text {what}"
        )


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
