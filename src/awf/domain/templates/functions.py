"""The functions of the template language.

Those of Go's ``text/template`` (except ``call``) and ``escape json split join readFile trimSpace default raw``. A
function gets the running Run and its arguments, and raises Refused for values that do not suit it, Absent where
``index`` finds nothing. nil counts as empty text, an empty list or an empty map.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from msgspec import Struct

from awf.domain.templates.comparisons import eq, ge, gt, le, lt, ne
from awf.domain.templates.faults import Absent, Refused
from awf.domain.templates.format import Escaped, Raw, json_text, kind_of, text_of, whole
from awf.domain.templates.names import respelled
from awf.domain.templates.printf import printf
from awf.domain.templates.run import Run

_UNQUOTED = re.compile(r"[A-Za-z0-9@%+:,./_-]+\Z")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\0": "\ufffd"})
_JS_SPECIAL = re.compile(r"""[\\'"<>&=\x00-\x1f]|[^\x00-\x7f]""")
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


class Function(Struct, frozen=True):
    """``least`` and ``most`` count arguments, a piped one included; ``most`` None: any number. ``soft``: a missing
    key in an argument is just false. ``lazy``: the function gets nothing but an iterator over its arguments, which
    evaluates them as it goes."""

    name: str
    call: Callable[..., Any]
    least: int
    most: int | None
    soft: bool = False
    lazy: bool = False


def conjunction(values: Iterator[Any]) -> Any:
    value: Any = None
    for value in values:
        if not value:
            break
    return value


def disjunction(values: Iterator[Any]) -> Any:
    value: Any = None
    for value in values:
        if value:
            break
    return value


def negation(_run: Run, value: Any) -> bool:
    return not value


def default(_run: Run, fallback: Any, value: Any) -> Any:
    """``fallback`` where ``value`` is missing, nil, or an empty text, list or map. 0 and false are values."""
    return value if value or (isinstance(value, bool | int | float)) else fallback


def length(_run: Run, value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, str | Mapping | list | tuple):
        return len(value)
    raise Refused(f"{kind_of(value)} has no length")


def index(run: Run, value: Any, *keys: Any) -> Any:
    for position, key in enumerate(keys):
        if value is None:
            raise Absent(value, position)
        if isinstance(value, Mapping):
            if isinstance(key, Mapping | list | tuple):
                raise Refused(f"a map is indexed by text, not by {kind_of(key)}")
            name = text_of(key)
            spelled = name if name in value else respelled(run.scope, value, name)
            if spelled is None:
                raise Absent(value, position)
            value = value[spelled]
        elif isinstance(value, list | tuple | str):
            place = _place(key, f"{kind_of(value)} is indexed by a number")
            if not 0 <= place < len(value):
                raise Absent(value, position)
            value = ord(value[place]) if isinstance(value, str) else value[place]
        else:
            raise Refused(f"{kind_of(value)} has no elements")
    return value


def cut(_run: Run, value: Any, *places: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str | list | tuple):
        raise Refused(f"{kind_of(value)} cannot be sliced")
    if isinstance(value, str) and len(places) > 2:
        raise Refused("text is sliced by at most two numbers")
    bounds = [_place(place, "a slice is given by numbers") for place in places]
    if bounds != sorted(bounds) or (bounds and not 0 <= bounds[0] <= bounds[-1] <= len(value)):
        raise Refused(f"{':'.join(map(str, bounds))} is out of range (the length is {len(value)})")
    return value[slice(*bounds[:2])] if len(bounds) > 1 else value[bounds[0] if bounds else 0 :]


def _place(value: Any, expectation: str) -> int:
    place = whole(value)
    if place is None:
        raise Refused(f"{expectation}, not by {kind_of(value)}")
    return place


def print_(_run: Run, *values: Any) -> str:
    pieces: list[str] = []
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            pieces.append(" ")
        pieces.append(text_of(value))
    return "".join(pieces)


def println(_run: Run, *values: Any) -> str:
    return " ".join(map(text_of, values)) + "\n"


def formatted(_run: Run, pattern: Any, *values: Any) -> str:
    return printf(_text(pattern), values)


def html(run: Run, *values: Any) -> str:
    return print_(run, *values).translate(_HTML)


def js(run: Run, *values: Any) -> str:
    return _JS_SPECIAL.sub(_js_escape, print_(run, *values))


def urlquery(run: Run, *values: Any) -> str:
    return quote_plus(print_(run, *values), errors="replace")


def _js_escape(found: re.Match[str]) -> str:
    character = found.group()
    if character in "\\'\"":
        return "\\" + character
    if character > "\x7f" and character.isprintable():
        return character
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04X}\\u{0xDC00 + (code & 0x3FF):04X}"
    return f"\\u{code:04X}"


def escape(_run: Run, value: Any) -> Escaped:
    """``value`` quoted as one word for a shell of the sh family."""
    text = text_of(value)
    if _UNQUOTED.match(text):
        return Escaped(text)
    return Escaped("'" + text.replace("'", "'\\''") + "'")


def raw(_run: Run, value: Any) -> Raw:
    return Raw(text_of(value))


def json(_run: Run, value: Any) -> str:
    return json_text(value)


def split(run: Run, value: Any, separator: Any) -> list[str]:
    """The trimmed pieces of a text; an empty text has none, and an empty separator splits into characters."""
    text = _text(value)
    if not text:
        return []
    between = _text(separator)
    pieces = text.split(between) if between else list(text)
    run.spend(len(pieces))
    return [piece.strip(_SPACE) for piece in pieces]


def join(run: Run, values: Any, separator: Any) -> str:
    if values is None:
        return ""
    if not isinstance(values, list | tuple):
        raise Refused(f"a list is joined, not {kind_of(values)}")
    run.spend(len(values))
    return _text(separator).join(map(text_of, values))


def trim_space(_run: Run, value: Any) -> str:
    return text_of(value).strip(_SPACE)


def read_file(run: Run, path: Any) -> str:
    if run.files is None:
        raise Refused("files cannot be read here")
    name = _text(path)
    try:
        return run.files(name)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Refused(f"{name}: {reason}") from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise Refused(f"text is needed, not {kind_of(value)}")


FUNCTIONS = {
    function.name: function
    for function in (
        Function("and", conjunction, 1, None, soft=True, lazy=True),
        Function("or", disjunction, 1, None, soft=True, lazy=True),
        Function("not", negation, 1, 1, soft=True),
        Function("default", default, 2, 2, soft=True),
        Function("eq", eq, 2, None),
        Function("ne", ne, 2, 2),
        Function("lt", lt, 2, 2),
        Function("le", le, 2, 2),
        Function("gt", gt, 2, 2),
        Function("ge", ge, 2, 2),
        Function("len", length, 1, 1),
        Function("index", index, 1, None),
        Function("slice", cut, 1, 4),
        Function("print", print_, 0, None),
        Function("printf", formatted, 1, None),
        Function("println", println, 0, None),
        Function("html", html, 1, None),
        Function("js", js, 1, None),
        Function("urlquery", urlquery, 1, None),
        Function("escape", escape, 1, 1),
        Function("raw", raw, 1, 1),
        Function("json", json, 1, 1),
        Function("split", split, 2, 2),
        Function("join", join, 2, 2),
        Function("trimSpace", trim_space, 1, 1),
        Function("readFile", read_file, 1, 1),
    )
}
