"""Every service that speaks OpenAI's Chat Completions: ``POST {base_url}/chat/completions``.

What to do about a failure is for the step's ``retry`` to say, and how long it may take for its ``timeout``; once tools have been
called, see ``awf.runners.agents.rounds``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from awf.runners.agents import options
from awf.runners.agents.completions import Completion, Unavailable, completion
from awf.runners.agents.functions import Functions
from awf.runners.agents.options import NotOne, Option
from awf.runners.agents.port import Answer, Event, ProviderFailed, Request
from awf.runners.agents.rounds import Messages, Rounds

if TYPE_CHECKING:
    import httpx

_NO_LIMIT = None
"""The step's own timeout ends a request."""


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
    uses_tools = True

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
        settings, tools = _settings(request), Functions(request.tools)
        body = _body(settings, tools)

        async def send(messages: Messages, hear: Callable[[Event], None]) -> Completion:
            return await self._send(request, settings, {**body, "messages": messages}, hear)

        messages = _messages(request, settings, tools)
        return await Rounds(send, messages, tools, say, request).answer()

    async def _send(
        self,
        request: Request,
        settings: Mapping[str, Any],
        body: Mapping[str, Any],
        hear: Callable[[Event], None],
    ) -> Completion:
        """One request. Raises ProviderFailed."""
        import httpx

        url = _url(settings["base_url"]) + "/chat/completions"
        headers = {"Accept": "text/event-stream, application/json"}
        if settings.get("api_key"):
            headers["Authorization"] = f"Bearer {_key(settings['api_key'])}"
        try:
            async with (
                await self._client() as client,
                client.stream("POST", url, headers=headers, json=body) as response,
            ):
                return await completion(response, hear, lambda text: _without_key(text, request))
        except httpx.ConnectError as error:
            raise Unavailable(f"cannot connect to {_place(url)}: {error}") from None
        except httpx.HTTPError as error:
            raise Unavailable(f"the connection failed: {str(error) or type(error).__name__}") from None

    async def _client(self) -> httpx.AsyncClient:
        """Raises ProviderFailed where the environment's settings are no good."""
        import httpx

        try:
            if self._tls is None:  # it takes a while
                self._tls = await asyncio.to_thread(httpx.create_ssl_context)
            return httpx.AsyncClient(verify=self._tls, timeout=_NO_LIMIT)
        except OSError as error:
            message = f"cannot use the certificates of the environment: {error}"
            raise ProviderFailed(message, permanent=True) from None
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            message = f"cannot use the proxy of the environment: {error}"
            raise ProviderFailed(message, permanent=True) from None


def _settings(request: Request) -> dict[str, Any]:
    """The options, and what the environment says where they are silent."""
    given = options.named(request.options, _OPTIONS)
    found = {name: value for name, value in given.items() if value not in ("", None)}
    for name, variable in _VARIABLES.items():
        if name not in found and request.environ.get(variable):
            found[name] = request.environ[variable]
    return found


def _messages(request: Request, settings: Mapping[str, Any], tools: Functions) -> Messages:
    """What is said first."""
    system = "\n\n".join(part for part in (request.system_prompt, settings.get("system_prompt", "")) if part)
    messages: Messages = [{"role": "system", "content": system}] if system else []
    for turn in request.turns:
        messages += [*tools.told(turn.messages), {"role": turn.role, "content": turn.text}]
    return [*messages, {"role": "user", "content": request.prompt}, *tools.told(request.called)]


def _body(settings: Mapping[str, Any], tools: Functions) -> dict[str, Any]:
    """A request without its messages."""
    body: dict[str, Any] = {"model": str(settings["model"])}
    body |= {name: read(settings[name]) for name, read in _BODY.items() if name in settings}
    if tools.declared:
        body["tools"] = tools.declared
    if options.truth(settings.get("stream", True)):
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _without_key(text: str, request: Request) -> str:
    key = str(_settings(request).get("api_key") or "")
    return text.replace(repr(key), "'***'").replace(key, "***") if key else text


def _place(url: str) -> str:
    import httpx

    return httpx.URL(url).netloc.decode()
