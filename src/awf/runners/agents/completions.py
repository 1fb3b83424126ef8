"""What a service of Chat Completions answers: in one piece, or as a stream of pieces."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from awf.domain.outcomes import Usage
from awf.runners.agents.jsonlines import Words, as_object, at, count, objects, string
from awf.runners.agents.port import Event, ProviderFailed, Spent, Text
from awf.runners.agents.sse import Events, TooLong
from awf.runners.agents.toolcalls import Call, CallPieces, calls_of
from awf.runners.retry_after import retry_after

if TYPE_CHECKING:
    import httpx

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes of an answer that comes in one piece, and of one event of a stream."""

PASSING = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which asking again is of use."""

LARGEST_COMPLAINT = 64 * 1024
"""Bytes of an error that are read, to find out what it says."""

LONGEST_DETAIL = 1000
"""Characters of it that are shown."""


class Unavailable(ProviderFailed):
    """The service could not answer now; the same request may be answered later."""


class Completion(Struct, frozen=True):
    """An answer, or what the model wants to have called before it answers. ``usage`` None: nobody counted."""

    text: str
    calls: tuple[Call, ...]
    usage: Usage | None


async def completion(
    response: httpx.Response, say: Callable[[Event], None], conceal: Callable[[str], str]
) -> Completion:
    """What the response says; its text, and what it costs, are said as they come. ``conceal`` hides what must not be shown. Raises ProviderFailed."""
    if not response.is_success:
        raise await _refusal(response, conceal)
    if response.headers.get("Content-Type", "").startswith("text/event-stream"):
        return await _streamed(response, say, conceal)
    found = _whole(await _content(response, LARGEST_BODY), conceal)
    say(Text(found.text))
    return found


async def _streamed(
    response: httpx.Response, say: Callable[[Event], None], conceal: Callable[[str], str]
) -> Completion:
    said, calls, usage, choices, finished = Words(), CallPieces(), None, False, False
    async for data in _data(response):
        if data.strip() == "[DONE]":
            finished = True
            break
        event = _parsed(data)
        if event.get("error"):
            raise Unavailable(_detail(event, conceal) or "the service reports an error", usage=usage)
        told = _usage(event)
        if told is not None:
            usage = told
            say(Spent(told))
        for choice in objects(event, "choices")[:1]:
            choices = True
            text = _text(at(choice, "delta", "content"))
            said.add(text)
            say(Text(text))
            calls.add(objects(choice, "delta", "tool_calls"))
            finished = finished or bool(choice.get("finish_reason"))
    if not finished:
        raise Unavailable("the connection was closed in the middle of the answer", usage=usage)
    if not choices:
        raise ProviderFailed("API returned no choices", usage=usage)
    return Completion(said.text(), calls.whole(), usage)


async def _data(response: httpx.Response) -> AsyncIterator[str]:
    events = Events(LARGEST_BODY)
    try:
        async for piece in response.aiter_bytes():
            for data in events.feed(piece):
                yield data
    except TooLong:
        raise ProviderFailed(f"failed to parse response: an event is over {LARGEST_BODY} bytes") from None
    for data in events.finish():
        yield data


def _whole(content: bytes, conceal: Callable[[str], str]) -> Completion:
    body = _parsed(content)
    if body.get("error"):
        raise Unavailable(_detail(body, conceal) or "the service reports an error")
    choices, usage = objects(body, "choices"), _usage(body)
    if not choices:
        raise ProviderFailed("API returned no choices", usage=usage)
    message = choices[0].get("message")
    return Completion(_text(at(message, "content")), calls_of(objects(message, "tool_calls")), usage)


async def _refusal(response: httpx.Response, conceal: Callable[[str], str]) -> ProviderFailed:
    """What a status that is no success means."""
    status, wait = response.status_code, retry_after(response.headers)
    if status == 401:
        message = "authentication failed (HTTP 401)"
    elif status == 429:
        message = "rate limited (HTTP 429)"
        message += "" if wait is None else f", retry after {wait:g}s"
    elif status >= 500:
        message = f"server error (HTTP {status})"
    elif status >= 400:
        message = f"bad request (HTTP {status})"
    else:
        message = f"unexpected redirect (HTTP {status}): check base_url"
    content = await _content(response, LARGEST_COMPLAINT, cut=True)
    detail = _detail(as_object(content.decode(errors="replace")), conceal)
    kind = Unavailable if status in PASSING or status >= 500 else ProviderFailed
    return kind(
        f"{message}: {detail}" if detail else message, retry_after=wait, permanent=kind is ProviderFailed
    )


async def _content(response: httpx.Response, most: int, *, cut: bool = False) -> bytes:
    """The body; where it is too large, its beginning or ProviderFailed."""
    pieces, size = [], 0
    async for piece in response.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            if cut:
                break
            raise ProviderFailed(f"failed to parse response: it is over {most} bytes")
    return b"".join(pieces)[:most]


def _parsed(text: str | bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(f"failed to parse response: {error}") from None
    if not isinstance(value, dict):
        raise ProviderFailed("failed to parse response: it is no JSON object")
    return value


def _text(content: Any) -> str:
    """A message's content: text, or parts of which some are text."""
    if isinstance(content, list):
        return "".join(string(part, "text") for part in content)
    return content if isinstance(content, str) else ""


def _usage(body: Mapping[str, Any]) -> Usage | None:
    if not isinstance(body.get("usage"), dict):
        return None
    return Usage(
        input=count(body, "usage", "prompt_tokens"),
        output=count(body, "usage", "completion_tokens"),
        cached=count(body, "usage", "prompt_tokens_details", "cached_tokens"),
    )


def _detail(body: Mapping[str, Any], conceal: Callable[[str], str]) -> str:
    """What an error says."""
    said = string(body, "error", "message") or string(body, "error") or string(body, "message")
    return conceal(said)[:LONGEST_DETAIL].strip()
