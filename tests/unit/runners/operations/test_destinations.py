"""The setting ``http.allow_host``: what it allows, and that nothing leads past it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest

from awf.runners.operations.destinations import AllowedHosts, CheckedTransport, DestinationRefused
from awf.runners.operations.web import Reply, Web, WebFailed, _certificates
from services.web import CERTIFICATE, Service, service, tls

PUBLIC = "93.184.216.34"
LISTED = ("api.example.com", "*.cdn.example.com", "10.0.0.0/8", "fd00::1", "localhost", "MÜNCHEN.example.")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("api.example.com", PUBLIC),
        ("api.example.com", "2606:2800:220:1::1"),
        ("a.cdn.example.com", PUBLIC),
        ("a.b.cdn.example.com", PUBLIC),
        ("xn--mnchen-3ya.example", PUBLIC),
        ("10.1.2.3", "10.1.2.3"),
        ("anything.internal", "10.1.2.3"),
        ("api.example.com", "10.1.2.3"),
        ("::ffff:10.1.2.3", "::ffff:10.1.2.3"),
        ("fd00::1", "fd00::1"),
        ("localhost", "127.0.0.1"),
        ("localhost", "::1"),
    ],
)
def test_allowed(host: str, address: str) -> None:
    AllowedHosts(LISTED).check(host, ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("example.com", PUBLIC),
        ("cdn.example.com", PUBLIC),
        ("evilapi.example.com", PUBLIC),
        ("api.example.com.evil.com", PUBLIC),
        (PUBLIC, PUBLIC),
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
        ("fd00::2", "fd00::2"),
        ("localhost", "192.168.0.1"),
        # A listed name that leads where no public service is.
        *(
            ("api.example.com", address)
            for address in (
                "127.0.0.1", "0.0.0.0", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "224.0.0.1", "::1", "::",
                "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::7f00:1",
            )
        ),
    ],
)  # fmt: skip
def test_refused(host: str, address: str) -> None:
    with pytest.raises(DestinationRefused):
        AllowedHosts(LISTED).check(host, ipaddress.ip_address(address))


@pytest.fixture
def server() -> Iterator[Service]:
    with service() as running:
        running.answers("/", 200, "here")
        yield running


def send(
    url: str,
    *allowed: str,
    resolves: Callable[[str], Sequence[str]] | None = None,
    monkeypatch: pytest.MonkeyPatch,
) -> Reply:
    async def names(host: str, port: int) -> Sequence[str]:
        assert resolves is not None, f"nobody may ask for {host}:{port}"
        return resolves(host)

    monkeypatch.setattr("awf.runners.operations.web.resolve", names)
    return asyncio.run(Web(AllowedHosts(allowed)).send("GET", url, timeout=20))


def refusal(url: str, *allowed: str, **more: object) -> str:
    with pytest.raises(WebFailed) as refused:
        send(url, *allowed, **more)  # type: ignore[arg-type]
    return str(refused.value)


def test_a_listed_address_is_connected_to(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(server.url, "127.0.0.0/8", monkeypatch=monkeypatch).text == "here"


def test_a_name_that_is_not_listed_is_not_even_resolved(
    server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refusal("http://evil.example/", "api.example.com", "*.b.com", monkeypatch=monkeypatch)
    assert told == "host 'evil.example' is not in http.allow_host (api.example.com, *.b.com)"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]"])
def test_an_address_that_is_not_listed_is_refused(
    server: Service, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    told = refusal(f"http://{host}:{server.port}/", "api.example.com", monkeypatch=monkeypatch)
    assert "is not in http.allow_host" in told
    assert server.calls == []


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f.1"])
def test_other_spellings_of_an_address_are_judged_by_what_they_lead_to(
    server: Service, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    told = refusal(
        f"http://{spelling}:{server.port}/",
        "10.0.0.0/8",
        resolves=lambda _: ["127.0.0.1"],
        monkeypatch=monkeypatch,
    )
    assert "is not in http.allow_host" in told
    assert server.calls == []


def test_a_listed_name_that_leads_home_is_refused(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(
        f"http://api.example.com:{server.port}/",
        "api.example.com",
        resolves=lambda _: ["127.0.0.1"],
        monkeypatch=monkeypatch,
    )
    assert told == (
        "host 'api.example.com' leads to 127.0.0.1, which is not a public address; to allow it, add the address or its "
        "network to http.allow_host"
    )
    assert server.calls == []


def test_one_bad_address_among_several_refuses_all(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(
        f"http://api.example.com:{server.port}/",
        "api.example.com",
        resolves=lambda _: [PUBLIC, "127.0.0.1"],
        monkeypatch=monkeypatch,
    )
    assert "leads to 127.0.0.1" in told


def test_the_address_that_was_checked_is_the_one_that_is_used(
    server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    url = f"http://api.example.com:{server.port}/"
    reply = send(url, "127.0.0.1", "api.example.com", resolves=rebinding, monkeypatch=monkeypatch)
    assert (reply.text, asked) == ("here", ["api.example.com"])
    assert server.calls[0].headers["Host"] == f"api.example.com:{server.port}"


def test_the_next_address_is_tried_where_one_does_not_answer(
    server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://api.example.com:{server.port}/"
    reply = send(url, "127.0.0.0/8", resolves=lambda _: ["127.0.0.2", "127.0.0.1"], monkeypatch=monkeypatch)
    assert reply.text == "here"


def test_a_name_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    for resolves in (nothing, lambda _: []):
        told = refusal("http://a.com/", "a.com", resolves=resolves, monkeypatch=monkeypatch)
        assert told in {"cannot connect to a.com: Name or service not known", "host 'a.com' has no address"}


def test_redirects_are_held_to_it(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    with service("127.0.0.2") as other:
        other.answers("/", 200, "secret")
        server.answers("/away", 302, b"", {"Location": other.url})
        told = refusal(f"{server.url}/away", "127.0.0.1", monkeypatch=monkeypatch)
        assert told == "host '127.0.0.2' is not in http.allow_host (127.0.0.1)"
        assert other.calls == []


def test_proxies_are_not_used_with_it_and_are_without(
    server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service() as proxy:
        proxy.on("http://127.0.0.1/", lambda call: call.answer(200, "by the proxy"))
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert send(server.url, "127.0.0.1", monkeypatch=monkeypatch).text == "here"
        assert proxy.calls == []
        assert asyncio.run(Web().send("GET", "http://127.0.0.1/", timeout=20)).text == "by the proxy"


def test_the_url_is_what_the_server_and_its_certificate_are_asked_about() -> None:
    seen: list[httpx.Request] = []

    def inner(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    async def names(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("xn--bcher-kva.example", 443)
        return ["2606:2800:220:1::1"]

    async def inside() -> None:
        transport = CheckedTransport(httpx.MockTransport(inner), AllowedHosts(["bücher.example"]), names)
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get("https://Bücher.example/x?y")

    asyncio.run(inside())
    assert str(seen[0].url) == "https://[2606:2800:220:1::1]/x?y"
    assert seen[0].headers["Host"] == "xn--bcher-kva.example"
    assert seen[0].extensions["sni_hostname"] == "xn--bcher-kva.example"


def test_the_certificate_must_be_that_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    _certificates.cache_clear()
    try:
        with service(tls=tls()) as server:
            server.answers("/", 200, "in secret")

            def sent(host: str) -> str:
                url = f"https://{host}:{server.port}/"
                return send(url, "127.0.0.1", resolves=lambda _: ["127.0.0.1"], monkeypatch=monkeypatch).text

            assert sent("api.example.com") == "in secret"
            with pytest.raises(
                WebFailed, match="TLS: Hostname mismatch, certificate is not valid for 'other.example"
            ):
                sent("other.example.com")
            with pytest.raises(WebFailed, match="TLS: IP address mismatch"):
                sent("127.0.0.1")
    finally:
        _certificates.cache_clear()


def test_what_no_name_can_be_matches_nothing() -> None:
    with pytest.raises(httpx.TransportError):
        AllowedHosts(["xn--a-\udcff"]).check("a", ipaddress.ip_address(PUBLIC))
