"""The provider of Chat Completions against a service on loopback that does everything that services do."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from agents.chat_server import chat_server, completion
from awf.domain.outcomes import Usage
from awf.runners.agents.completions import LARGEST_BODY
from awf.runners.agents.openai_compatible import OpenAICompatible
from awf.runners.agents.port import ProviderFailed, Request, Spent, Text, Turn

USAGE = Usage(input=123, output=45, cached=3)
KEY = "sk-secret-of-mine"


def ask(answering, *, prompt="Hello", environ=None, path="", turns=(), system_prompt="", **options):
    """What it answers (or ProviderFailed), what it said on the way, and the requests."""
    said = []

    async def work():
        provider = OpenAICompatible()
        async with chat_server(answering) as (url, exchanges):
            request = Request(
                prompt=prompt,
                system_prompt=system_prompt,
                turns=turns,
                options={"base_url": url + path, "model": "m", "api_key": KEY, **options},
                environ=environ or {},
            )
            assert provider.check(request) == []
            try:
                return await provider.ask(request, said.append), exchanges
            except ProviderFailed as failure:
                return failure, exchanges

    answer, exchanges = asyncio.run(work())
    return answer, "".join(event.text for event in said if isinstance(event, Text)), exchanges


def failure(answering, **how):
    found, _, _ = ask(answering, **how)
    assert isinstance(found, ProviderFailed), found
    return found


def streamed(exchange):
    exchange.start_stream()
    for word in ("All ", "is ", "\u00e9\u2028 ", "well."):
        exchange.delta(word)
    exchange.end_stream()


def test_a_stream():
    answer, said, (exchange,) = ask(streamed)
    assert answer.text == said == "All is \u00e9\u2028 well."
    assert answer.usage == USAGE
    assert exchange.head.startswith("POST /v1/chat/completions HTTP/1.1\r\n")
    assert exchange.header("Authorization") == f"Bearer {KEY}"
    assert exchange.header("Content-Type") == "application/json"
    assert exchange.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_text_is_said_while_it_comes():
    heard, said = asyncio.Event(), []

    def say(event):
        said.append(event)
        heard.set()

    async def slowly(exchange):
        exchange.start_stream()
        exchange.delta("First")
        await heard.wait()  # the next piece is sent when the first one has been said
        exchange.delta(" second")
        exchange.end_stream()

    async def work():
        async with chat_server(slowly) as (url, _):
            request = Request(prompt="x", options={"base_url": url, "model": "m"})
            return await OpenAICompatible().ask(request, say)

    assert asyncio.run(work()).text == "First second"
    assert [event.text for event in said if isinstance(event, Text)] == ["First", " second"]
    assert isinstance(said[-1], Spent)


def test_one_piece_where_no_stream_is_wanted():
    answer, said, (exchange,) = ask(lambda it: it.reply(200, completion("Whole.")), stream="false")
    assert (answer.text, said, answer.usage) == ("Whole.", "Whole.", USAGE)
    assert "stream" not in exchange.body


def test_a_service_that_does_not_stream_is_understood():
    answer, _, _ = ask(lambda it: it.reply(200, completion("Whole.")))
    assert answer.text == "Whole."


def test_a_compressed_answer():
    body = gzip.compress(json.dumps(completion("Whole.")).encode())
    answer, _, _ = ask(lambda it: it.reply(200, body, Content_Encoding="gzip"))
    assert answer.text == "Whole."


def test_everything_that_was_said_goes_along_and_the_system_message_once():
    turns = (Turn("user", "One?"), Turn("assistant", "One."))
    _, _, (exchange,) = ask(streamed, turns=turns, system_prompt="Be brief.", prompt="Two?")
    assert exchange.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "Two?"},
    ]


def test_options():
    _, _, (exchange,) = ask(
        streamed,
        path="//",
        temperature="0.5",
        top_p=1,
        max_completion_tokens="100",
        system_prompt="Be brief.",
        output_format="json",
    )
    assert exchange.head.startswith("POST /v1/chat/completions ")
    assert exchange.body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert {key: exchange.body[key] for key in ("temperature", "top_p", "max_completion_tokens")} == {
        "temperature": 0.5,
        "top_p": 1,
        "max_completion_tokens": 100,
    }
    assert "output_format" not in exchange.body


def test_the_environment_fills_in():
    environ = {
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_MODEL": "of the environment",
        "OPENAI_API_KEY": "k2",
    }
    answer, _, (exchange,) = ask(streamed, environ=environ, model="", api_key="")
    assert answer.text
    assert exchange.body["model"] == "of the environment"
    assert exchange.header("Authorization") == "Bearer k2"


def test_no_key_no_header():
    _, _, (exchange,) = ask(streamed, api_key="")
    assert exchange.header("Authorization") == ""


NOTHING_SET = [
    "base_url is required: give it in options, or set OPENAI_BASE_URL",
    "model is required: give it in options, or set OPENAI_MODEL",
]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, NOTHING_SET),
        ({"base_url": "", "model": None}, NOTHING_SET),
        (
            {
                "base_url": "localhost:80/v1",
                "model": "m",
                "temperature": 3,
                "top_p": -0.1,
                "max_completion_tokens": 1.5,
            },
            [
                "option base_url invalid: expected a URL that starts with http:// or https://, got 'localhost:80/v1'",
                "option temperature invalid: expected a number from 0 to 2, got 3",
                "option top_p invalid: expected a number from 0 to 1, got -0.1",
                "option max_completion_tokens invalid: expected a whole number from 0 on, got 1.5",
            ],
        ),
        (
            {"base_url": "http://h", "model": "m", "api_key": "two\nlines"},
            ["option api_key invalid: expected a key without line breaks, got '***'"],
        ),
    ],
)
def test_everything_that_is_wrong_at_once(options, expected):
    assert OpenAICompatible().check(Request(prompt="x", options=options)) == expected


def test_unknown_options_are_named():
    problem = OpenAICompatible().check(
        Request(prompt="x", options={"base_url": "http://h", "model": "m", "temprature": 1})
    )
    assert len(problem) == 1
    assert problem[0].startswith(
        "unknown option 'temprature' (did you mean 'temperature'?); there are api_key, "
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {}, "authentication failed (HTTP 401)"),
        (
            401,
            {"error": {"message": f"Incorrect API key: {KEY}"}},
            "authentication failed (HTTP 401): Incorrect API key: ***",
        ),
        (429, {}, "rate limited (HTTP 429)"),
        (400, {"error": {"message": "no such model"}}, "bad request (HTTP 400): no such model"),
        (404, b"<html>no</html>", "bad request (HTTP 404)"),
        (422, {"message": "nope"}, "bad request (HTTP 422): nope"),
        (500, {"error": "out of memory"}, "server error (HTTP 500): out of memory"),
        (503, b"\xff\xfe", "server error (HTTP 503)"),
        (302, b"", "unexpected redirect (HTTP 302): check base_url"),
        (500, b"x" * 300_000, "server error (HTTP 500)"),
    ],
)
def test_statuses(status, body, expected):
    found = failure(lambda it: it.reply(status, body))
    assert found.message == expected
    assert found.retry_after is None


@pytest.mark.parametrize(
    ("status", "permanent"), [(302, True), (400, True), (401, True), (404, True), (408, False), (502, False)]
)
def test_asking_again_is_of_no_use_where_the_request_is_wrong(status, permanent):
    assert failure(lambda it: it.reply(status, {})).permanent is permanent


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": " 0 "}, 0),
        ({"Retry_After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:29 GMT"}, 30),
        ({"Retry_After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 2021 23:59:29 GMT"}, 0),
        ({"Retry_After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(status, headers, seconds):
    found = failure(lambda it: it.reply(status, {}, **headers))
    assert found.retry_after == seconds
    if status == 429 and seconds is not None:
        assert found.message == f"rate limited (HTTP 429), retry after {seconds}s"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", "failed to parse response: "),
        (b"", "failed to parse response: "),
        (b"[1]", "failed to parse response: it is no JSON object"),
        (b"[" * 100_000, "failed to parse response: "),
        (b" " * (LARGEST_BODY + 1), f"failed to parse response: it is over {LARGEST_BODY} bytes"),
        ({"choices": []}, "API returned no choices"),
        ({"choices": None}, "API returned no choices"),
        ({}, "API returned no choices"),
        ({"error": {"message": "overloaded"}}, "overloaded"),
        ({"error": {"code": 5}}, "the service reports an error"),
    ],
)
def test_wrong_bodies(body, expected):
    found = failure(lambda it: it.reply(200, body))
    assert found.message.startswith(expected)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("content", "text"), [(None, ""), ([{"type": "text", "text": "a"}, 7, {"type": "image"}], "a"), (7, "")]
)
def test_contents(content, text, stream):
    def answering(exchange):
        if not stream:
            return exchange.reply(200, completion(content))
        exchange.start_stream()
        exchange.event({"choices": [{"delta": {"content": content}, "finish_reason": "stop"}]})
        return exchange.event("[DONE]") or exchange.send(b"0\r\n\r\n")

    answer, _, _ = ask(answering, stream=stream)
    assert answer.text == text


def test_a_stream_with_comments_and_without_an_end_mark_and_usage():
    def answering(exchange):
        exchange.start_stream()
        exchange.chunk(b": keep alive\n\n")
        exchange.delta("Fine")
        exchange.end_stream(done=False, usage=False)

    answer, _, _ = ask(answering)
    assert (answer.text, answer.usage) == ("Fine", None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("{nonsense", "failed to parse response: "),
        ('{"error": {"message": "overloaded"}}', "overloaded"),
        ("[DONE]", "API returned no choices"),
        ("x" * (LARGEST_BODY + 100), "failed to parse response: an event is over"),
    ],
)
def test_wrong_streams(data, expected):
    def answering(exchange):
        exchange.start_stream()
        exchange.event(data)
        exchange.send(b"0\r\n\r\n")

    assert failure(answering).message.startswith(expected)


@pytest.mark.parametrize("cleanly", [True, False])
def test_a_connection_that_is_cut_in_the_middle(cleanly):
    def answering(exchange):
        exchange.start_stream()
        exchange.delta("Half")
        if cleanly:
            exchange.send(b"0\r\n\r\n")

    found, said, _ = ask(answering)
    assert said == "Half"
    assert found.message.startswith(("the connection was closed in the middle", "the connection failed: "))


def test_a_connection_that_is_cut_before_the_answer():
    assert failure(lambda _: None).message.startswith("the connection failed: ")


def test_nobody_listens():
    provider = OpenAICompatible()
    request = Request(prompt="x", options={"base_url": "http://127.0.0.1:1/v1", "model": "m"})
    with pytest.raises(ProviderFailed, match=r"^cannot connect to 127\.0\.0\.1:1: "):
        asyncio.run(provider.ask(request, lambda _: None))


def test_a_cancel_in_the_middle_of_a_stream_closes_the_connection():
    async def work():
        said = asyncio.Event()

        async def for_ever(exchange):
            exchange.start_stream()
            exchange.delta("Half")
            await exchange.closed.wait()

        async with chat_server(for_ever) as (url, exchanges):
            request = Request(prompt="x", options={"base_url": url, "model": "m"})
            asking = asyncio.create_task(OpenAICompatible().ask(request, lambda _: said.set()))
            await said.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            async with asyncio.timeout(10):
                await exchanges[0].closed.wait()

    asyncio.run(work())


def test_a_proxy_of_the_environment_is_used(monkeypatch):
    async def work():
        async with chat_server(lambda it: it.reply(200, completion("Through the proxy."))) as (
            url,
            exchanges,
        ):
            monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/v1"))
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            request = Request(prompt="x", options={"base_url": "http://models.invalid/v1", "model": "m"})
            return await OpenAICompatible().ask(request, lambda _: None), exchanges

    answer, exchanges = asyncio.run(work())
    assert answer.text == "Through the proxy."
    assert exchanges[0].head.startswith("POST http://models.invalid/v1/chat/completions ")


def test_certificates_of_the_environment_are_used(monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    request = Request(prompt="x", options={"base_url": "https://127.0.0.1:1/v1", "model": "m"})
    with pytest.raises(ProviderFailed, match="certificates"):
        asyncio.run(OpenAICompatible().ask(request, lambda _: None))


@pytest.mark.parametrize("proxy", ["gopher://h", "socks5://h"])
def test_a_proxy_that_is_none(monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    request = Request(prompt="x", options={"base_url": "http://127.0.0.1:1/v1", "model": "m"})
    with pytest.raises(ProviderFailed, match="cannot use the proxy of the environment"):
        asyncio.run(OpenAICompatible().ask(request, lambda _: None))
