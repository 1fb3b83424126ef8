"""Every error has the same shape."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

import pytest

from awf import errors
from awf.errors import AwfError, ErrorEntry, InputsInvalid, ReplayDiverged, StoreUnavailable
from awf.journal.store import ExecutionRow
from awf.server.problems import answer, title
from awf.stores.memory import MemoryStore
from unit.server.bench import Bench, scenario


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(400, "Bad Request"), (404, "Not Found"), (413, "Request Entity Too Large"), (422, "Unprocessable Entity"),
     (500, "Internal Server Error"), (503, "Service Unavailable")],
)  # fmt: skip
def test_titles_are_the_classic_phrases(status: int, phrase: str) -> None:
    assert title(status) == phrase


def every_error() -> list[type[AwfError]]:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AwfError)]
    assert len(found) > 15
    return found


@pytest.mark.parametrize("kind", every_error())
def test_every_error_of_the_tree_has_its_status_and_code(kind: type[AwfError]) -> None:
    made = answer(kind("said so"), method="GET", path="/x")
    assert made.status == kind.http_status
    assert f'"code":"{kind.code}"'.encode() in made.body
    assert b"said so" in made.body
    assert HTTPStatus(made.status)


def test_findings_are_listed() -> None:
    error = InputsInvalid("two things", entries=[ErrorEntry("a", "is missing"), ErrorEntry("b", "is wrong")])
    made = answer(error, method="POST", path="/x")
    assert (
        b'"errors":[{"location":"a","message":"is missing"},{"location":"b","message":"is wrong"}]'
        in made.body
    )


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/nothing", "/docs/none", "/api/workflows/a/b/c"])
@scenario
async def test_paths_without_a_handler_name_where_to_look(bench: Bench, path: str) -> None:
    problem = await bench.problem(404, "GET", path)
    assert "/docs" in problem["detail"]
    assert "/api/workflows" in problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/workflows", "GET, HEAD, OPTIONS"),
        ("GET", "/api/workflows/x/run", "OPTIONS, POST"),
        ("PUT", "/api/executions/x", "DELETE, GET, HEAD, OPTIONS"),
        ("TRACE", "/api/history/stats", "GET, HEAD, OPTIONS"),
        ("DELETE", "/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
@scenario
async def test_a_wrong_method_is_405_with_the_right_ones(
    bench: Bench, method: str, path: str, allowed: str
) -> None:
    response = await bench.client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == f"{method} is not a method of {path}"
    options = await bench.client.options(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")


@scenario
async def test_options_of_nothing_is_404(bench: Bench) -> None:
    await bench.problem(404, "OPTIONS", "/nothing")


@pytest.mark.parametrize(
    "path", ["/api/workflows", "/api/history/stats", "/docs", "/openapi.json", "/api/nothing"]
)
@scenario
async def test_head_is_get_without_the_body(bench: Bench, path: str) -> None:
    got, head = await bench.client.get(path), await bench.client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    for name in ("content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


@scenario
async def test_head_of_a_stream_ends_after_the_headers(bench: Bench) -> None:
    response = await bench.client.head(f"/api/executions/{await bench.run()}/events")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert len(bench.app.feeds) == 0


class Broken(MemoryStore):
    """Raises what it is told to."""

    error: Exception

    async def execution(self, execution: str) -> ExecutionRow | None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (RuntimeError("secret plans"), "internal error"),
        (ReplayDiverged("entry 3 cannot be read"), "entry 3 cannot be read"),
    ],
)
@scenario
async def test_a_bug_is_500_with_a_reference_that_the_log_has(
    bench: Bench, error: Any, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Broken()
    store.error = error
    broken = Bench(bench.root / "broken", store)
    with caplog.at_level(logging.INFO):
        problem = await broken.problem(500, "GET", "/api/executions/abc")
    reference = re.fullmatch(rf"{shown}; the server's log has it as ([0-9a-f]{{8}})", problem["detail"])
    assert reference
    assert "secret plans" not in str(problem)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "awf.server"]
    assert line.startswith(f"[{reference[1]}] GET '/api/executions/abc': {type(error).__name__}: ")
    assert str(error) in line
    assert "\n" not in line


@scenario
async def test_a_store_that_cannot_be_used_is_logged_when_that_changes_and_not_at_every_request(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    store = Broken()
    broken = Bench(bench.root / "broken", store)
    with caplog.at_level(logging.INFO):
        for text in ("full", "full", "full", "read-only", "full"):
            store.error = StoreUnavailable(text)
            problem = await broken.problem(503, "GET", "/api/executions/abc")
            assert problem["detail"] == text
    assert [record.getMessage() for record in caplog.records if record.name == "awf.server"] == [
        f"GET '/api/executions/abc': SYSTEM.STORE.UNAVAILABLE: {text}"
        for text in ("full", "read-only", "full")
    ]
