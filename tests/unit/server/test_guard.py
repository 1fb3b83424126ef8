"""Who is let in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from unit.server.bench import URL, Bench, scenario

BOARD = "https://board.example"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:1",
        "localhost.",
        "app.localhost:80",
        "127.0.0.1",
        "127.8.8.8:80",
        "[::1]",
        "[::1]:2511",
    ],
)
@scenario
async def test_loopback_names_are_let_in(bench: Bench, host: str) -> None:
    assert (await bench.get("/api/history", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:2511", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.1", "0.0.0.0",
     "", "[::2]:2511", "localhost@evil.example", "localhost:2511:80"],
)  # fmt: skip
@scenario
async def test_other_hosts_are_403_and_told_the_flag(bench: Bench, host: str) -> None:
    problem = await bench.problem(403, "GET", "/api/history", headers={"host": host})
    assert problem["title"] == "Forbidden"
    assert "--allow-host" in problem["detail"]


def test_allowed_hosts_are_let_in(tmp_path: Path) -> None:
    async def ask() -> None:
        bench = Bench(tmp_path, allow_hosts=("proxy.example", "Other.example:8443"))
        for host in ("proxy.example", "PROXY.example:99", "other.example:8443", "localhost"):
            assert (await bench.get("/api/history", headers={"host": host})).status_code == 200
        for host in ("other.example", "third.example"):
            await bench.problem(403, "GET", "/api/history", headers={"host": host})

    asyncio.run(ask())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_bindings_check_no_host_but_every_origin(tmp_path: Path, host: str) -> None:
    async def ask() -> None:
        bench = Bench(tmp_path, host=host)
        headers = {"host": "awf.example:2511"}
        assert (await bench.get("/api/history", headers=headers)).status_code == 200
        await bench.problem(403, "GET", "/api/history", headers={**headers, "origin": "http://evil.example"})
        own = {**headers, "origin": "http://awf.example:2511"}
        assert (await bench.get("/api/history", headers=own)).status_code == 200

    asyncio.run(ask())


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost:2511", "http://127.0.0.1", "https://127.0.0.1",
     "http://127.0.0.1:25110", "http://127.0.0.1:2511.evil.example", "file://127.0.0.1:2511", "127.0.0.1:2511", ""],
)  # fmt: skip
@scenario
async def test_foreign_origins_are_403_on_every_path(bench: Bench, method: str, origin: str) -> None:
    bench.workflow()
    response = await bench.client.request(method, "/api/workflows/hello/run", headers={"origin": origin})
    assert response.status_code == 403
    assert "--allow-origin" in response.json()["detail"]
    assert "access-control-allow-origin" not in response.headers
    assert bench.asked == 0


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:2511", URL),
        ("127.0.0.1:2511", URL.upper()),
        ("[::1]:2511", "http://[::1]:2511"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"),
        ("localhost:443", "https://localhost"),
    ],
)
@scenario
async def test_the_own_origin_is_let_in(bench: Bench, host: str, origin: str) -> None:
    headers = {"host": host, "origin": origin}
    assert (await bench.get("/api/history", headers=headers)).status_code == 200


def test_an_allowed_origin_gets_what_fetch_and_event_sources_need(tmp_path: Path) -> None:
    async def ask() -> None:
        bench = Bench(tmp_path, allow_origins=("https://Board.example/",))
        origin = {"origin": BOARD}
        for path, status in (
            ("/api/history", 200),
            ("/api/workflows/none", 404),
            ("/api/history?limit=x", 400),
        ):
            response = await bench.get(path, headers=origin)
            assert response.status_code == status
            assert response.headers["access-control-allow-origin"] == BOARD
            assert response.headers["vary"] == "origin"
            assert "link" in response.headers["access-control-expose-headers"]
        plain = await bench.get("/api/history")
        assert "access-control-allow-origin" not in plain.headers
        await bench.problem(
            403, "GET", "/api/history", headers={"origin": "https://board.example.evil.example"}
        )
        execution = await bench.run()
        async with bench.view(execution, **origin) as viewer:
            assert viewer.headers["access-control-allow-origin"] == BOARD

    asyncio.run(ask())


def test_a_preflight_is_answered_for_allowed_origins_only(tmp_path: Path) -> None:
    async def ask() -> None:
        bench = Bench(tmp_path, allow_origins=(BOARD,))
        asks = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
            "access-control-request-private-network": "true",
        }
        response = await bench.ask("OPTIONS", "/api/workflows/x/run", headers={"origin": BOARD, **asks})
        assert response.status_code == 204
        assert response.headers["access-control-allow-origin"] == BOARD
        assert {"POST", "DELETE"} <= set(response.headers["access-control-allow-methods"].split(", "))
        assert {"content-type", "last-event-id"} <= set(
            response.headers["access-control-allow-headers"].split(", ")
        )
        assert response.headers["access-control-allow-private-network"] == "true"
        refused = await bench.client.options(
            "/api/history", headers={"origin": "https://evil.example", **asks}
        )
        assert refused.status_code == 403

    asyncio.run(ask())


@scenario
async def test_a_closed_gate_answers_everything_with_503(bench: Bench) -> None:
    execution = await bench.run()
    async with bench.view(execution) as viewer:
        bench.app.gate.close()
        for method, path in (
            ("GET", "/api/history"),
            ("POST", "/api/workflows/x/run"),
            ("GET", "/nothing/here"),
        ):
            response = await bench.ask(method, path)
            assert response.status_code == 503
            assert response.json()["title"] == "Service Unavailable"
            assert response.json()["code"] == "SYSTEM.SERVER.DRAINING"
            assert int(response.headers["retry-after"]) > 0
            assert response.headers["connection"] == "close"
        assert not await bench.app.gate.wait_empty(0.01)
        viewer.leave()
        assert await bench.app.gate.wait_empty(5)
