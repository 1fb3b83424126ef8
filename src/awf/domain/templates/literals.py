"""Literals of the template language: numbers, characters, texts, in the notation of Go."""

from __future__ import annotations

import math
import re

from awf.domain.templates.faults import SyntaxFault

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|\\.?"
)
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
_OLD_OCTAL = re.compile(r"0_?[0-7][0-7_]*\Z")
_INTEGER = re.compile(r"0[xXoObB][0-9a-fA-F_]+\Z|[0-9][0-9_]*\Z")
_INTEGER_BOUND = 1 << 63
_MAX_LENGTH = 400


def number(lexeme: str, offset: int) -> int | float:
    """The value of ``1_000``, ``0x1F``, ``017``, ``1.5e3``, ``-2``. Raises SyntaxFault."""
    try:
        return _number(lexeme)
    except (ValueError, OverflowError):
        raise SyntaxFault(f"bad number {_short(lexeme)}", offset) from None


def _number(lexeme: str) -> int | float:
    if len(lexeme) > _MAX_LENGTH:
        raise OverflowError
    digits = lexeme.lstrip("+-")
    sign = -1 if lexeme.startswith("-") else 1
    if _INTEGER.match(digits):
        integer = sign * (int(digits, 8) if _OLD_OCTAL.match(digits) else int(digits, 0))
        if not -_INTEGER_BOUND <= integer < _INTEGER_BOUND:
            raise OverflowError
        return integer
    hexadecimal = digits[:2].lower() == "0x"
    if hexadecimal and "p" not in digits.lower():
        raise ValueError
    value = float.fromhex(digits.replace("_", "")) if hexadecimal else float(digits)
    if not math.isfinite(value):
        raise OverflowError
    return sign * value


def text(lexeme: str, offset: int) -> str:
    """The text of a quoted lexeme, quotes included: ``"..."`` with escapes, or raw in backquotes. Raises SyntaxFault."""
    inner = lexeme[1:-1]
    if lexeme[0] == "`":
        return inner.replace("\r", "")
    if "\\" not in inner:
        return inner
    # \xHH and \ooo are bytes of UTF-8, so the text is put together as bytes.
    pieces = bytearray()
    position = 0
    for escape in _ESCAPE.finditer(inner):
        pieces += inner[position : escape.start()].encode("utf-8", "surrogatepass")
        code, is_byte = _escaped(escape, '"', offset + 1)
        pieces += bytes((code,)) if is_byte else chr(code).encode()
        position = escape.end()
    pieces += inner[position:].encode("utf-8", "surrogatepass")
    return pieces.decode("utf-8", "replace")


def character(lexeme: str, offset: int) -> int:
    """The code of a character in single quotes. Raises SyntaxFault."""
    inner = lexeme[1:-1]
    escape = _ESCAPE.match(inner)
    if escape and escape.end() == len(inner):
        return _escaped(escape, "'", offset + 1)[0]
    if len(inner) == 1 and not escape:
        return ord(inner)
    raise SyntaxFault(f"bad character constant {_short(lexeme)}", offset)


def _escaped(escape: re.Match[str], quote: str, offset: int) -> tuple[int, bool]:
    simple, hexadecimal, octal, short, long = escape.groups()
    if simple is not None and not (simple in "'\"" and simple != quote):
        return _SIMPLE[simple], False
    if hexadecimal is not None:
        return int(hexadecimal, 16), True
    if octal is not None and int(octal, 8) < 256:
        return int(octal, 8), True
    if short is not None or long is not None:
        code = int(short or long, 16)
        if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
            return code, False
    raise SyntaxFault(f"unknown escape {escape.group()} in a text", offset + escape.start())


def _short(lexeme: str) -> str:
    return lexeme if len(lexeme) <= 40 else lexeme[:40] + "…"
