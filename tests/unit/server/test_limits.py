"""How long a request may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unit.server.bench import Bench, scenario

JSON = {"content-type": "application/json"}


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 1000


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large_is_413_and_read_to_its_end(tmp_path: Path, chunked: bool) -> None:
    async def ask() -> None:
        bench = Bench(tmp_path, max_body=10_000)
        bench.workflow()
        content = chunks(11) if chunked else b" " * 11_000
        problem = await bench.problem(413, "POST", "/api/workflows/hello/run", content=content, headers=JSON)
        assert problem["title"] == "Request Entity Too Large"
        assert problem["detail"] == "the request body is over 10000 bytes"

    asyncio.run(ask())


def test_a_body_of_just_the_limit_is_read(tmp_path: Path) -> None:
    async def ask() -> None:
        bench = Bench(tmp_path, max_body=10_000)
        bench.workflow()
        content = b'{"inputs": {"who": "' + b"x" * (10_000 - 23) + b'"}}'
        assert len(content) == 10_000
        response = await bench.post("/api/workflows/hello/run", content=content, headers=JSON)
        assert response.status_code == 202

    asyncio.run(ask())


def test_a_client_that_asks_first_is_answered_without_its_body(tmp_path: Path) -> None:
    async def ask() -> None:
        bench = Bench(tmp_path, max_body=10_000)
        read = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal read
            read += 1
            yield b" " * 20_000

        headers = {**JSON, "expect": "100-continue", "content-length": "20000"}
        response = await bench.post("/api/workflows/hello/run", content=body(), headers=headers)
        assert response.status_code == 413
        assert response.headers["connection"] == "close"
        assert read == 0

    asyncio.run(ask())


@scenario
async def test_long_paths_and_queries_are_refused(bench: Bench) -> None:
    problem = await bench.problem(404, "GET", f"/api/workflows/{'x' * 9000}")
    assert len(problem["detail"]) < 100
    problem = await bench.problem(400, "GET", f"/api/history?workflow={'x' * 9000}")
    assert problem["detail"] == "the query string is over 8192 bytes"


@scenario
async def test_nul_in_a_query_is_refused(bench: Bench) -> None:
    problem = await bench.problem(400, "GET", "/api/history?workflow=a%00b")
    assert problem["detail"] == "the query string holds a NUL character"
