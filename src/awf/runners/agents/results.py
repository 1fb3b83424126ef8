"""What is made of an agent's answer: the step's output, the value that it had to be, what it cost. Pure."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from awf.domain.json_text import parse_json
from awf.domain.outcomes import Product, Usage
from awf.runners.agents.bounds import cut_middle, sound
from awf.runners.agents.port import Answer, Request

LONGEST_OUTPUT = 10 * 1024 * 1024
"""Bytes of an answer that are kept, as of what a command writes: the first half, a mark, the last half."""

MOST_TOKENS = 10**12
"""Of an attempt; more is a mistake of who counted."""

LONGEST_SESSION = 4096
"""Characters of the name of a session."""

CHARACTERS_PER_TOKEN = 4
"""Where nobody counted."""

_FENCE = "```"
_EMBEDDED = re.compile(r"```json[^\n`]*\n", re.IGNORECASE)

_SHOWN = 200


class NotJson(Exception):
    """An answer that had to be JSON and is not; the text is the step's error."""


def product(request: Request, answer: Answer) -> Product:
    """The step's result, as the agent said it."""
    text = sound(answer.text)
    usage = answer.usage or _estimate(request, text)
    if answer.cost is not None:
        usage = replace(usage, cost=answer.cost)
    usage = sane(usage)
    try:
        value = _parsed(text) if _may_be_an_object(text) else None
    except ValueError:
        value = None
    return Product(
        output=cut_middle(text, LONGEST_OUTPUT),
        response=value if isinstance(value, dict) else None,
        session=sound(answer.session)[:LONGEST_SESSION],
        usage=usage,
    )


def sane(usage: Usage) -> Usage:
    """What can be counted together, whatever a service says. Raises ValueError, TypeError for what is no number."""
    cost = None if usage.cost is None else float(usage.cost)
    return Usage(
        input=min(max(0, int(usage.input)), MOST_TOKENS),
        output=min(max(0, int(usage.output)), MOST_TOKENS),
        cached=min(max(0, int(usage.cached)), MOST_TOKENS),
        estimated=bool(usage.estimated),
        cost=cost if cost is not None and 0 <= cost <= MOST_TOKENS else None,
    )


def as_json(made: Product) -> Product:
    """The result of a step whose answer had to be JSON: the value, and as output the value's text. Raises NotJson."""
    value = json_value(made.output)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return replace(made, output=text, json=value)


def json_value(text: str) -> Any:
    """The value of an answer: all of it, without one code fence around it, or what an embedded block of JSON holds.
    Raises NotJson."""
    try:
        return _parsed(text)
    except ValueError as error:
        for block in _embedded(text):
            with contextlib.suppress(ValueError):
                return _parsed(block)
        shown = text.strip()[:_SHOWN]
        raise NotJson(f"output format processing: invalid JSON: {error} (content: {shown})") from None


def _parsed(text: str) -> Any:
    """Raises ValueError."""
    text = text.strip()
    if text.startswith(_FENCE) and text.endswith(_FENCE) and "\n" in text:
        text = text[text.index("\n") : -len(_FENCE)]
    return parse_json(text)


def _embedded(text: str) -> Iterator[str]:
    """What blocks of JSON in a text hold, in a time that grows with the text and no faster."""
    at = 0
    while (begins := _EMBEDDED.search(text, at)) is not None:
        at = text.find(_FENCE, begins.end())
        if at < 0:
            return
        yield text[begins.end() : at]
        at += len(_FENCE)


def _may_be_an_object(text: str) -> bool:
    return text.lstrip().startswith(("{", "```"))


def _estimate(request: Request, text: str) -> Usage:
    asked = len(request.system_prompt) + len(request.prompt) + sum(len(turn.text) for turn in request.turns)
    return Usage(
        input=asked // CHARACTERS_PER_TOKEN, output=len(text) // CHARACTERS_PER_TOKEN, estimated=True
    )
