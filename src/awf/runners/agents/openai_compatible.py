"""Every service that speaks OpenAI's Chat Completions: ``POST {base_url}/chat/completions``.

It is asked once: what to do about a failure is for the step's ``retry`` to say, and how long it may take for its ``timeout``.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from awf.domain.outcomes import Usage
from awf.runners.agents import options
from awf.runners.agents.jsonlines import Words, as_object, at, count, objects, string
from awf.runners.agents.options import NotOne, Option
from awf.runners.agents.port import Answer, Event, ProviderFailed, Request, Spent, Text
from awf.runners.agents.sse import Events, TooLong
from awf.runners.retry_after import retry_after

if TYPE_CHECKING:
    import httpx

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes of an answer that comes in one piece, and of one event of a stream."""

_NO_LIMIT = None
"""The step's own timeout ends a request."""

LARGEST_COMPLAINT = 64 * 1024
"""Bytes of an error that are read, to find out what it says."""

LONGEST_DETAIL = 1000
"""Characters of it that are shown."""


def _setting(expects: str, read: Callable[[Any], Any]) -> Option:
    """An option that is no argument of a command."""
    return Option(expects, lambda value: [read(value)][:0])


def _url(value: Any) -> str:
    import httpx

    try:
        url = httpx.URL(value.strip())
    except (httpx.InvalidURL, AttributeError, TypeError):
        raise NotOne from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise NotOne
    return str(value).strip().rstrip("/")


def _key(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.strip().isprintable():
        raise NotOne
    return value.strip()


def _temperature(value: Any) -> float:
    return options.number_of(value, least=0, most=2)


def _share(value: Any) -> float:
    return options.number_of(value, least=0, most=1)


def _tokens(value: Any) -> float:
    return options.number_of(value, whole=True, least=0)


_BODY = {
    "temperature": _temperature,
    "max_completion_tokens": _tokens,
    "max_tokens": _tokens,
    "top_p": _share,
}
"""Options that go into the body as they are."""

_WHOLE = "a whole number from 0 on"
_OPTIONS = {
    "base_url": _setting("a URL that starts with http:// or https://", _url),
    "model": options.text("model="),
    "api_key": _setting("a key without line breaks", _key),
    "temperature": _setting("a number from 0 to 2", _temperature),
    "max_completion_tokens": _setting(_WHOLE, _tokens),
    "max_tokens": _setting(_WHOLE, _tokens),
    "top_p": _setting("a number from 0 to 1", _share),
    "system_prompt": options.text("system_prompt="),
    "stream": options.flag(),
    "output_format": options.ignored(("text", "json")),
}

_VARIABLES = {"base_url": "OPENAI_BASE_URL", "model": "OPENAI_MODEL", "api_key": "OPENAI_API_KEY"}


class OpenAICompatible:
    """See ``awf.runners.agents.port.RemoteProvider``."""

    name = "openai_compatible"

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None

    def check(self, request: Request) -> list[str]:
        """See the port."""
        found = [_without_key(problem, request) for problem in options.problems(_settings(request), _OPTIONS)]
        return found + [
            f"{name} is required: give it in options, or set {_VARIABLES[name]}"
            for name in ("base_url", "model")
            if not _settings(request).get(name)
        ]

    async def ask(self, request: Request, say: Callable[[Event], None]) -> Answer:
        """See the port. Proxies and certificates are those of the engine's environment, as httpx reads it."""
        import httpx

        settings = _settings(request)
        url = _url(settings["base_url"]) + "/chat/completions"
        headers = {"Accept": "text/event-stream, application/json"}
        if settings.get("api_key"):
            headers["Authorization"] = f"Bearer {_key(settings['api_key'])}"
        try:
            async with (
                await self._client() as client,
                client.stream("POST", url, headers=headers, json=_body(request, settings)) as response,
            ):
                if not response.is_success:
                    raise await _refusal(response, request)
                if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                    return await _streamed(response, say, request)
                return _whole(await _content(response, LARGEST_BODY), request)
        except httpx.ConnectError as error:
            raise ProviderFailed(f"cannot connect to {_place(url)}: {error}") from None
        except httpx.HTTPError as error:
            raise ProviderFailed(f"the connection failed: {str(error) or type(error).__name__}") from None

    async def _client(self) -> httpx.AsyncClient:
        """Raises ProviderFailed where the environment's settings are no good."""
        import httpx

        try:
            if self._tls is None:  # it takes a while
                self._tls = await asyncio.to_thread(httpx.create_ssl_context)
            return httpx.AsyncClient(verify=self._tls, timeout=_NO_LIMIT)
        except OSError as error:
            raise ProviderFailed(f"cannot use the certificates of the environment: {error}") from None
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ProviderFailed(f"cannot use the proxy of the environment: {error}") from None


def _settings(request: Request) -> dict[str, Any]:
    """The options, and what the environment says where they are silent."""
    given = options.named(request.options, _OPTIONS)
    found = {name: value for name, value in given.items() if value not in ("", None)}
    for name, variable in _VARIABLES.items():
        if name not in found and request.environ.get(variable):
            found[name] = request.environ[variable]
    return found


def _body(request: Request, settings: Mapping[str, Any]) -> dict[str, Any]:
    system = "\n\n".join(part for part in (request.system_prompt, settings.get("system_prompt", "")) if part)
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": turn.role, "content": turn.text} for turn in request.turns]
    messages.append({"role": "user", "content": request.prompt})
    body: dict[str, Any] = {"model": str(settings["model"]), "messages": messages}
    body |= {name: read(settings[name]) for name, read in _BODY.items() if name in settings}
    if options.truth(settings.get("stream", True)):
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


async def _streamed(response: httpx.Response, say: Callable[[Event], None], request: Request) -> Answer:
    """The answer, said as it comes. Raises ProviderFailed."""
    said, usage, choices, finished = Words(), None, False, False
    async for data in _data(response):
        if data.strip() == "[DONE]":
            finished = True
            break
        event = _parsed(data)
        if event.get("error"):
            raise ProviderFailed(_detail(event, request) or "the service reports an error", usage=usage)
        told = _usage(event)
        if told is not None:
            usage = told
            say(Spent(told))
        for choice in objects(event, "choices")[:1]:
            choices = True
            text = _text(at(choice, "delta", "content"))
            if text:
                said.add(text)
                say(Text(text))
            finished = finished or bool(choice.get("finish_reason"))
    if not finished:
        raise ProviderFailed("the connection was closed in the middle of the answer", usage=usage)
    if not choices:
        raise ProviderFailed("API returned no choices", usage=usage)
    return Answer(text=said.text(), usage=usage)


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


def _whole(content: bytes, request: Request) -> Answer:
    """The answer of one piece. Raises ProviderFailed."""
    body = _parsed(content)
    if body.get("error"):
        raise ProviderFailed(_detail(body, request) or "the service reports an error")
    choices = objects(body, "choices")
    if not choices:
        raise ProviderFailed("API returned no choices", usage=_usage(body))
    return Answer(text=_text(at(choices[0], "message", "content")), usage=_usage(body))


async def _refusal(response: httpx.Response, request: Request) -> ProviderFailed:
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
    detail = _detail(as_object(content.decode(errors="replace")), request)
    return ProviderFailed(f"{message}: {detail}" if detail else message, retry_after=wait)


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


def _detail(body: Mapping[str, Any], request: Request) -> str:
    """What an error says."""
    said = string(body, "error", "message") or string(body, "error") or string(body, "message")
    return _without_key(said, request)[:LONGEST_DETAIL].strip()


def _without_key(text: str, request: Request) -> str:
    key = str(_settings(request).get("api_key") or "")
    return text.replace(repr(key), "'***'").replace(key, "***") if key else text


def _place(url: str) -> str:
    import httpx

    return httpx.URL(url).netloc.decode()
