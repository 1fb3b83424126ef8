"""Which inputs and variables are secrets, and which texts must not be shown because of them."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from awf.domain.workflow import Workflow

MASK = "***"
SHORTEST = 8
"""Characters. Shorter values are not masked: they would hide unrelated text."""

_WORDS = frozenset({"secret", "token", "password", "passwd", "credential", "apikey"})
_PAIRS = frozenset({("api", "key"), ("private", "key")})
_PLAIN_IN_URLS = "!$%&'()*+,/:;=@[\\]^|"
"""What browsers, and libraries like them, leave as it is in a path."""
_PARTS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAIN_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def is_secret(name: str) -> bool:
    """Whether an input or environment variable of that name holds a secret, judged by the words in its name."""
    parts = [word.lower() for part in _PARTS.findall(name) for word in _CAMEL.split(part)]
    return not _WORDS.isdisjoint(parts) or any(pair in _PAIRS for pair in itertools.pairwise(parts))


def secret_inputs(workflow: Workflow, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in ``values`` that are secrets: as their declaration says, else by their name."""
    declared = {item.name: item.secret for item in workflow.inputs}
    return tuple(name for name in values if _decided(name, declared.get(name)))


def secret_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The values of the variables of an environment that are secrets, by the names under which they are sealed."""
    return {f"env.{name}": value for name, value in environ.items() if is_secret(name)}


def _decided(name: str, secret: bool | None) -> bool:
    return is_secret(name) if secret is None else secret


def maskable(values: Iterable[Any]) -> tuple[str, ...]:
    """The texts to look for when ``values`` must not be shown: strings (also those inside lists and maps) from 8
    characters that are not plain numbers, as they are and as JSON, URLs and Base64 write them, also JSON inside JSON.

    Their order is kept by later versions: journals refer to the texts by number.
    """
    found: set[str] = set()
    others: set[str] = set()
    encoded: set[str] = set()
    for value in values:
        for text in _strings(value):
            trimmed = text.strip()
            if len(trimmed) >= SHORTEST and not _PLAIN_NUMBER.fullmatch(trimmed):
                found |= {trimmed, _quoted(trimmed)}
                others |= _spellings(trimmed)
                encoded |= _encoded(trimmed)
    return (
        *_longest_first(found),
        *_longest_first(others - found),
        *_longest_first(encoded - others - found),
    )


def _spellings(text: str) -> set[str]:
    found = {text, quote_plus(text)} | {quote(text, safe=safe) for safe in ("", "/", _PLAIN_IN_URLS)}
    for _ in range(2):
        found |= {_quoted(one, ascii_only=ascii_only) for one in found for ascii_only in (True, False)}
    return found


def _encoded(text: str) -> set[str]:
    """What Base64 makes of it, alone or in the middle of something (``user:password``): three bytes become four characters,
    so there are three ways to begin. A character that also depends on what stands beside it is not among them."""
    data = text.encode(errors="replace")
    found = set()
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(data)) * 8 // 6
        for characters in (b"+/", b"-_"):
            made = base64.b64encode(bytes(before) + data, characters).decode()
            found.add(made[shared:whole])
            if not before:
                found |= {made, made.rstrip("=")}
    return found


def _quoted(text: str, *, ascii_only: bool = False) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _longest_first(texts: set[str]) -> list[str]:
    return sorted(texts, key=lambda text: (-len(text), text))


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)
