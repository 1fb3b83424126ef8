"""``printf``: the verbs ``v s q d b o x X c t f F e E g G`` with flags, width and precision.

Where Go would print a complaint into the text (``%!d(string=x)``, ``%!(EXTRA int=1)``), this refuses. A whole number
is taken for ``%f``, and one like 5.0 for ``%d``: JSON does not tell them apart. ``%g`` without a precision prints
whole numbers whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from awf.domain.templates.faults import Refused
from awf.domain.templates.format import MAX_OUTPUT, kind_of, text_of, whole

_DIRECTIVE = re.compile(r"%(?:%|([-+# 0]*)([0-9]*)(?:(\.)([0-9]*))?(.)?)", re.DOTALL)
_MAX_WIDTH = 10_000
_QUOTED = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def printf(pattern: str, values: tuple[Any, ...]) -> str:
    """``pattern`` with its verbs replaced by ``values`` in turn. Raises Refused."""
    pieces: list[str] = []
    size = 0
    position = 0
    rest = iter(values)
    for directive in _DIRECTIVE.finditer(pattern):
        replaced = "%" if directive.group() == "%%" else _directive(directive, rest)
        pieces += (pattern[position : directive.start()], replaced)
        position = directive.end()
        size += len(replaced)
        if size > MAX_OUTPUT:
            raise Refused("the text is larger than 10 MiB")
    left = sum(1 for _ in rest)
    if left:
        raise Refused(f"{left} more argument{'s' if left > 1 else ''} than the format has verbs")
    return "".join(pieces) + pattern[position:]


def _directive(directive: re.Match[str], values: Iterator[Any]) -> str:
    flags, width, point, precision, verb = directive.groups()
    if verb is None:
        raise Refused("the format ends with %")
    if verb not in _VERBS or ("#" in flags and verb not in "qboxX"):
        raise Refused(f"the verb {directive.group()} is not known")
    if max(len(width), len(precision or "")) > 5 or max(int(width or 0), int(precision or 0)) > _MAX_WIDTH:
        raise Refused(f"{directive.group()} is wider than {_MAX_WIDTH}")
    try:
        value = next(values)
    except StopIteration:
        raise Refused(f"no argument for {directive.group()}") from None
    text = _VERBS[verb](value, verb, flags, int(precision or 0) if point else None)
    if "-" in flags:
        return text.ljust(int(width or 0))
    if "0" not in flags:
        return text.rjust(int(width or 0))
    return text.zfill(int(width or 0)) if _is_number(value) else text.rjust(int(width or 0), "0")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any, verb: str, _flags: str, precision: int | None) -> str:
    if verb == "v" and precision is not None and isinstance(value, float):
        return _float(value, "g", "", precision)
    return value[:precision] if isinstance(value, str) else text_of(value)


def _quoted(value: Any, _verb: str, flags: str, precision: int | None) -> str:
    text = text_of(value)[:precision]
    if (
        "#" in flags
        and "`" not in text
        and all(character == "\t" or character.isprintable() for character in text)
    ):
        return f"`{text}`"
    ascii_only = "+" in flags
    return '"' + "".join(_quoted_character(character, ascii_only) for character in text) + '"'


def _quoted_character(character: str, ascii_only: bool) -> str:
    if character in _QUOTED:
        return _QUOTED[character]
    if character.isprintable() and (character.isascii() or not ascii_only):
        return character
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _integer(value: Any, verb: str, flags: str, precision: int | None) -> str:
    if isinstance(value, str) and verb in "xX":
        data = value.encode("utf-8", "replace")[:precision]
        digits = data.hex(" ") if " " in flags else data.hex()
        return digits.upper() if verb == "X" else digits
    number = whole(value)
    if number is None:
        raise Refused(f"%{verb} takes a whole number, not {kind_of(value)}")
    try:
        digits = f"{abs(number):{verb}}".zfill(precision or 0)
    except ValueError:
        raise Refused("the number is too large to print") from None
    prefix = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, "") if "#" in flags else ""
    return _sign(number < 0, flags) + prefix + digits


def _float(value: Any, verb: str, flags: str, precision: int | None) -> str:
    if not _is_number(value):
        raise Refused(f"%{verb} takes a number, not {kind_of(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise Refused(f"the number is too large for %{verb}") from None
    if precision is None and verb in "gG":
        digits = text_of(abs(value))
        digits = digits.upper() if verb == "G" else digits
    else:
        digits = f"{abs(number):.{6 if precision is None else precision}{verb}}"
    return _sign(number < 0, flags) + digits


def _character(value: Any, _verb: str, _flags: str, _precision: int | None) -> str:
    number = whole(value)
    if number is None or not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise Refused("%c takes the number of a character")
    return chr(number)


def _boolean(value: Any, _verb: str, _flags: str, _precision: int | None) -> str:
    if not isinstance(value, bool):
        raise Refused(f"%t takes a boolean, not {kind_of(value)}")
    return text_of(value)


def _sign(negative: bool, flags: str) -> str:
    if negative:
        return "-"
    return "+" if "+" in flags else " " if " " in flags else ""


_VERBS = {
    **dict.fromkeys("vs", _plain),
    "q": _quoted,
    **dict.fromkeys("dboxX", _integer),
    **dict.fromkeys("fFeEgG", _float),
    "c": _character,
    "t": _boolean,
}
