"""``http.request`` against servers on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded
from awf.engine.ports import StepContext
from awf.journal.events import OperationCall
from awf.runners.operations.http import HttpRequest
from awf.runners.operations.runner import OperationRunner
from awf.runners.operations.web import LARGEST_BODY, Web
from awf.testing.builders import step_started
from awf.testing.clock import FakeClock
from services.web import Call, Service, service


@pytest.fixture
def server() -> Iterator[Service]:
    with service() as running:
        yield running


def request(
    inputs: Mapping[str, Any], cancel_when: Any = None, web: Web | None = None, **fact: Any
) -> Outcome:
    async def inside() -> Outcome:
        cancel = asyncio.Event()
        runner = OperationRunner({"http.request": HttpRequest(web or Web())}, FakeClock())
        call = OperationCall(name="http.request", inputs=dict(inputs))
        started = step_started(kind="operation", operation=call, **fact)
        context = StepContext("one", "line", {}, {}, "/")
        working = asyncio.create_task(runner.run(started, context, lambda *_: None, cancel))
        if cancel_when is not None:
            await asyncio.to_thread(cancel_when)
            cancel.set()
        return await working

    return asyncio.run(inside())


def response(inputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    outcome = request(inputs, **more)
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.product is not None
    assert json.loads(outcome.product.output) == outcome.product.response
    found: dict[str, Any] = outcome.product.response
    return found


def error(inputs: Mapping[str, Any], **more: Any) -> str:
    outcome = request(inputs, **more)
    assert isinstance(outcome, Failed), outcome
    return outcome.error


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "get"])
def test_every_method(server: Service, method: str) -> None:
    server.answers("/x", 201, {"é": [1]}, {"X-Some-thing": "a"})
    found = response(
        {"url": f"{server.url}/x?q=ü", "method": method, "headers": {"X-Number": 5, "none": None}}
    )
    (call,) = server.calls
    assert (call.method, call.path) == (method.upper(), "/x?q=%C3%BC")
    assert call.headers["X-Number"] == "5"
    assert call.headers["User-Agent"].startswith("awf/")
    assert "none" not in call.headers
    assert (found["status_code"], found["body_truncated"]) == (201, False)
    assert found["headers"]["X-Some-Thing"] == "a"
    if method != "HEAD":
        assert json.loads(found["body"]) == found["json"] == {"é": [1]}


def test_a_text_is_sent_as_it_is_and_a_value_as_json(server: Service) -> None:
    server.answers("/")
    for body, sent, kind in [
        ("é\n", "é\n".encode(), None),
        ({"a": "é"}, '{"a":"é"}'.encode(), "application/json"),
        ([1], b"[1]", "application/json"),
        (5, b"5", "application/json"),
        ("", b"", None),
    ]:
        response({"url": server.url, "method": "POST", "body": body})
        assert (server.calls[-1].body, server.calls[-1].headers.get("Content-Type")) == (sent, kind)
    response({"url": server.url, "method": "POST", "body": "abc", "headers": {"Content-Length": "9"}})
    assert server.calls[-1].body == b"abc"
    response({"url": server.url, "method": "POST", "body": {}, "headers": {"content-type": "text/x"}})
    assert server.calls[-1].headers["content-type"] == "text/x"


@pytest.mark.parametrize(
    ("body", "headers", "text", "value"),
    [
        ("ü".encode("latin-1"), {"Content-Type": "text/plain; charset=latin-1"}, "ü", None),
        (b"\xff\x00", {}, "\ufffd\x00", None),
        (b"x", {"Content-Type": "text/plain; charset=hex"}, "x", None),
        (b"x", {"Content-Type": "text/plain; charset=nonsense"}, "x", None),
        (gzip.compress(b'{"a": 1}', mtime=0), {"Content-Encoding": "gzip"}, '{"a": 1}', {"a": 1}),
        (b"NaN", {}, "NaN", None),
        (b'"\\ud800"', {}, '"\\ud800"', None),
        (b"[" * 100_000, {}, "[" * 100_000, None),
        (b"", {}, "", None),
    ],
)
def test_bodies(server: Service, body: bytes, headers: dict[str, str], text: str, value: Any) -> None:
    server.answers("/", 200, body, headers)
    found = response({"url": server.url, "method": "GET"})
    assert (found["body"], found["json"]) == (text, value)


@pytest.mark.parametrize(("more", "truncated"), [(0, False), (1, True)])
def test_a_body_is_kept_up_to_its_limit(server: Service, more: int, truncated: bool) -> None:
    server.answers("/", 200, "é".encode() * (LARGEST_BODY // 2) + b"x" * more)
    found = response({"url": server.url, "method": "GET"})
    assert len(found["body"].encode()) == LARGEST_BODY
    assert (found["body_truncated"], found["json"]) == (truncated, None)


def test_a_character_that_is_cut_in_two_is_left_out(server: Service) -> None:
    server.answers("/", 200, b"x" + "é".encode() * (LARGEST_BODY // 2))
    found = response({"url": server.url, "method": "GET"})
    assert found["body"].endswith("éé")
    assert len(found["body"].encode()) == LARGEST_BODY - 1


def test_a_body_without_end_is_cut_off(server: Service) -> None:
    def flood(call: Call) -> None:
        call.raw(b"HTTP/1.1 200 OK\r\n\r\n")
        while not call.hung_up.is_set():
            call.raw(b"x" * 65536)

    server.on("/", flood)
    assert response({"url": server.url, "method": "GET"})["body_truncated"]
    assert server.calls[0].hung_up.wait(30)


def test_redirects_are_followed_up_to_ten(server: Service) -> None:
    for number in range(10):
        server.answers(f"/{number}", 302, b"", {"Location": f"/{number + 1}"})
    server.answers("/10", 200, "here")
    assert response({"url": f"{server.url}/0", "method": "GET"})["body"] == "here"
    server.answers("/10", 302, b"", {"Location": "/0"})
    assert error({"url": f"{server.url}/0", "method": "GET"}) == (
        "http.request: HTTP request failed: stopped after 10 redirects"
    )


def test_a_redirect_keeps_the_method_where_it_says_so(server: Service) -> None:
    server.answers("/end")
    for status, method, body in ((307, "PUT", b"b"), (303, "GET", b"")):
        server.answers("/", status, b"", {"Location": "/end"})
        response({"url": server.url, "method": "PUT", "body": "b"})
        assert (server.calls[-1].method, server.calls[-1].body) == (method, body)


def test_another_host_gets_no_secrets_by_a_redirect(server: Service) -> None:
    secret = {"Authorization": "Bearer s", "Cookie": "c=1", "X-Api-Key": "k", "X-Plain": "p"}
    with service() as other:
        other.answers("/")
        server.answers("/away", 307, b"", {"Location": other.url})
        server.answers("/near", 307, b"", {"Location": "/here"})
        server.answers("/here")
        response({"url": f"{server.url}/away", "method": "GET", "headers": secret})
        assert not {"Authorization", "Cookie", "X-Api-Key"} & other.calls[0].headers.keys()
        assert other.calls[0].headers["X-Plain"] == "p"
    response({"url": f"{server.url}/near", "method": "GET", "headers": secret})
    assert server.calls[-1].headers["X-Api-Key"] == "k"


@pytest.mark.parametrize(
    "location", ["ftp://x/", "http://", "http://[", "file:///etc/passwd", "http://x:99999/"]
)
def test_a_redirect_to_nowhere(server: Service, location: str) -> None:
    server.answers("/", 302, b"", {"Location": location})
    assert error({"url": server.url, "method": "GET"}).startswith("http.request: HTTP request failed: ")


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({}, ["url is required and must be a non-empty string", "method is required and must be a non-empty string"]),
        ({"url": "", "method": ""}, ["url is required and must be a non-empty string", "method is required and must be a non-empty string"]),
        ({"url": "ftp://x", "method": "GET"}, ["url must start with http:// or https://"]),
        ({"url": "http://x", "method": "FETCH"}, ["method must be one of: GET, POST, PUT, DELETE, PATCH, HEAD"]),
        ({"url": "http://x", "method": "GET", "timeout": "soon"}, ['timeout: cannot convert "soon" to number']),
        ({"url": "http://x", "method": "GET", "timeout": -1}, ["timeout must be at least 0, not -1"]),
        ({"url": "http://x", "method": "GET", "retryable_status_codes": ["x"]}, ['retryable_status_codes: cannot convert "x" to integer']),
        ({"url": "http://x", "method": "GET", "headers": {"a": [1]}}, ["headers: the value of 'a' must be a text"]),
        ({"url": "http://x", "method": "GET", "headers": {"a b": "1"}}, ["HTTP request failed: 'a b' is not the name of a header field"]),
        ({"url": "http://x", "method": "GET", "headers": {"a": "s\r\nb: c"}}, ["HTTP request failed: the value of the header field 'a' holds a line break or a control character"]),
        ({"url": "http://", "method": "GET"}, ["HTTP request failed: the url names no host"]),
        ({"url": "http://xn--/", "method": "GET"}, ["HTTP request failed: invalid url: Malformed A-label, no Punycode eligible content found"]),
        ({"url": "http://h:x", "method": "GET"}, ["HTTP request failed: invalid url: Invalid port: 'x'"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(inputs: dict[str, Any], told: list[str]) -> None:
    assert error(inputs) == "\n".join(f"http.request: {line}" for line in told)


def test_inputs_are_coerced(server: Service) -> None:
    server.answers("/", 503, "busy", {"Retry-After": "7"})
    inputs = {"url": server.url, "method": "GET", "timeout": "10", "retryable_status_codes": '["503"]'}
    outcome = request(inputs)
    assert isinstance(outcome, Failed)
    assert outcome.error == "http.request: retryable status code 503"
    assert outcome.retry_after == 7


def test_any_other_status_is_a_success(server: Service) -> None:
    inputs = {"url": server.url, "method": "GET", "retryable_status_codes": [503]}
    assert response(inputs)["status_code"] == 404


def test_nobody_listens(server: Service) -> None:
    server.close()
    told = error({"url": server.url, "method": "GET"})
    assert told == (
        f"http.request: HTTP request failed: cannot connect to 127.0.0.1:{server.port}: Connection refused"
    )


def test_a_connection_that_is_cut(server: Service) -> None:
    def cut(call: Call) -> None:
        call.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        call.handler.close_connection = True

    server.on("/", cut)
    server.on("/at-once", lambda call: setattr(call.handler, "close_connection", True))
    server.on("/garbage", lambda call: call.raw(b"\x00\x01\x02\r\n\r\n"))
    assert "peer closed connection" in error({"url": server.url, "method": "GET"})
    assert "disconnected" in error({"url": f"{server.url}/at-once", "method": "GET"})
    assert "http.request: HTTP request failed: " in error({"url": f"{server.url}/garbage", "method": "GET"})


def _hang(call: Call) -> None:
    call.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    call.wait_hung_up()


def test_its_own_time_limit_ends_it_and_leaves_nothing_open(server: Service) -> None:
    server.on("/", _hang)
    told = error({"url": server.url, "method": "GET", "timeout": 0.2})
    assert told == "http.request: HTTP request failed: timeout exceeded (200ms)"
    assert server.calls[0].hung_up.wait(30)


def test_the_steps_limit_and_a_cancel_leave_nothing_open(server: Service) -> None:
    server.on("/", _hang)
    outcome = request({"url": server.url, "method": "GET", "timeout": 0}, timeout=0.2)
    assert outcome == Failed("timeout exceeded (200ms)", 124)
    cancelled = request({"url": server.url, "method": "GET"}, cancel_when=lambda: server.wait_call(2))
    assert cancelled == Cancelled()
    assert all(call.hung_up.wait(30) for call in server.calls)
