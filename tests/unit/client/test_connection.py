"""Where the server is, and how it is spoken to."""

from __future__ import annotations

import inspect
from typing import Any

import httpx
import pytest

from awf.client import AsyncClient, Client, operations
from awf.client.connection import Connection, Tries
from awf.client.problems import Answer
from awf.errors import RequestInvalid, ServerUnreachable


def connection(url: str | None = None, retries: int = 2) -> Connection:
    return Connection(url, 30.0, None, retries)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://localhost:2511", "http://localhost:2511"),
        ("http://localhost:2511/", "http://localhost:2511"),
        ("localhost:2511", "http://localhost:2511"),
        ("[::1]:80", "http://[::1]"),
        ("https://me:secret@example.org/awf/?x#y", "https://example.org/awf"),
    ],
)
def test_addresses(given: str, shown: str) -> None:
    assert connection(given).shown == shown


def test_the_address_of_the_environment_and_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWF_SERVER", raising=False)
    assert connection().shown == "http://127.0.0.1:2511"
    monkeypatch.setenv("AWF_SERVER", "http://there:1")
    assert connection().shown == "http://there:1"
    assert connection("http://here:1").shown == "http://here:1"


@pytest.mark.parametrize(
    "given",
    [
        "ftp://x",
        "http://",
        "http://x:port",
        "http://x:99999",
        "http://x:0",
        "file:///etc",
        "http://a\nb",
        "http://[::1",
    ],
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(RequestInvalid, match="not the URL of a server"):
        connection(given)


@pytest.mark.parametrize(
    ("host", "proxies"),
    [
        ("localhost", False),
        ("awf.localhost", False),
        ("127.3.2.1", False),
        ("[::1]", False),
        ("10.0.0.1", True),
        ("localhost.example.org", True),
    ],
)
def test_proxies_are_for_other_machines(monkeypatch: pytest.MonkeyPatch, host: str, proxies: bool) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for scheme in ("http", "https"):
        with Client(f"{scheme}://{host}:2511", retries=0) as client:
            direct = client._http._transport_for_url(client._connection.url) is client._http._transport
            assert direct is not proxies


def test_what_may_be_repeated_is() -> None:
    tries = Tries(connection(), operations.cancel("e"))
    assert tries.after_answer(Answer(404)) is None
    assert tries.after_answer(Answer(503, {"retry-after": "2"})) == 2
    assert tries.after_fault(httpx.ConnectError("refused")) < 0.3
    assert tries.after_answer(Answer(503)) is None
    with pytest.raises(ServerUnreachable, match="no server answers at http://127.0.0.1:2511: refused"):
        tries.after_fault(httpx.ConnectError("refused"))


def test_starting_resuming_and_answering_are_not_repeated() -> None:
    for operation in (
        operations.run("w", None),
        operations.resume("e", None, None, "pinned"),
        operations.respond("e", "yes", "", None),
    ):
        tries = Tries(connection(), operation)
        assert tries.after_answer(Answer(503)) is None
        with pytest.raises(ServerUnreachable, match="no answer in time"):
            tries.after_fault(httpx.ReadTimeout(""))


def test_both_clients_have_the_same_methods() -> None:
    def shape(kind: type[Any]) -> dict[str, Any]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        return {
            name.removeprefix("a") if name == "aclose" else name: inspect.signature(method).parameters
            for name, method in methods
            if not name.startswith("_") or name == "__init__"
        }

    assert shape(Client) == shape(AsyncClient)
    assert {"run", "wait", "events", "cancel", "resume", "history", "close"} < shape(Client).keys()
