"""Limits on what providers hand over, so that it can be recorded: size, depth, characters. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from awf.domain.json_text import DEEPEST, deeper_than
from awf.journal.text import MARK


def sound(text: str) -> str:
    """The text without halves of characters, which JSON can have and nothing else."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def cut(text: str, limit: int) -> str:
    """The first ``limit`` bytes of a text, and a mark where there were more."""
    data = text.encode()
    if len(data) <= limit:
        return text
    kept = data[:limit].decode(errors="ignore")
    return kept + MARK.format(len(data) - len(kept.encode()))


def cut_middle(text: str, limit: int) -> str:
    """The first and the last half of ``limit`` bytes of a text, and a mark between them where there were more."""
    data = text.encode()
    if len(data) <= limit:
        return text
    half = limit // 2
    begin, end = data[:half].decode(errors="ignore"), data[-half:].decode(errors="ignore")
    return begin + MARK.format(len(data) - len(begin.encode()) - len(end.encode())) + end


def json_value(value: Any, limit: int) -> Any:
    """A JSON value; as text where it is larger than ``limit`` bytes, too deep, or none."""
    if isinstance(value, str):
        return cut(sound(value), limit)
    try:
        data = msgspec.json.encode(value)
        if len(data) > limit:
            return cut(data.decode(), limit)
        if not deeper_than(value, DEEPEST):
            return msgspec.json.decode(data)
        return data.decode()
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return cut(sound(repr(value)), limit)
