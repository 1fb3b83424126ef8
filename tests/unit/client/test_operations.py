"""Requests, and what is made of answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from awf.client import operations
from awf.client.operations import Operation
from awf.client.problems import Answer, RemoteError
from awf.errors import (
    AwfError,
    ErrorEntry,
    ExecutionError,
    ExecutionNotFound,
    NotAnAwfServer,
    PackNotFound,
    RequestInvalid,
    ServerDraining,
    StoreIncompatible,
    StoreUnavailable,
    SystemFault,
    UserError,
    WorkflowError,
    WorkflowNotFound,
)

EXECUTION = {
    "execution_id": "e",
    "workflow_name": "w",
    "status": "running",
    "current_step": "s",
    "started_at": "2026-05-17T20:39:00Z",
    "updated_at": "2026-05-17T20:39:05.25Z",
}
DETAIL = {**EXECUTION, "steps": [], "inputs": {}}


def answered(operation: Operation[Any], body: Any, status: int = 200, **headers: str) -> Any:
    """What the operation makes of a body."""
    return operation.result(Answer(status, headers, json.dumps({"body": body}).encode(), "http://x"))


@pytest.mark.parametrize(
    ("operation", "method", "target", "sent", "repeatable"),
    [
        (operations.workflows(), "GET", "/api/workflows", None, True),
        (operations.workflow("pack/grüße?"), "GET", "/api/workflows/pack/gr%C3%BC%C3%9Fe%3F", None, True),
        (operations.validate("a"), "POST", "/api/workflows/a/validate", None, True),
        (operations.run("a", None), "POST", "/api/workflows/a/run", {"inputs": {}}, False),
        (operations.run("a/b", {"x": [1]}), "POST", "/api/workflows/a/b/run", {"inputs": {"x": [1]}}, False),
        (operations.cancel("e"), "DELETE", "/api/executions/e", None, True),
        (
            operations.resume("e", {"x": 1}, None, "latest"),
            "POST",
            "/api/executions/e/resume",
            {"input_overrides": {"x": 1}, "definition": "latest"},
            False,
        ),
        (
            operations.respond("e", "yes", "", None),
            "POST",
            "/api/executions/e/respond",
            {"response": "yes", "comment": "", "path": None},
            False,
        ),
        (operations.executions("a&b", "failed", 5, None), "GET", "/api/executions?workflow=a%26b&status=failed&limit=5", None, True),
        (operations.step_output("e", 3, "stderr"), "GET", "/api/executions/e/steps/3/output?stream=stderr", None, True),
        (operations.execution("../x"), "GET", "/api/executions/..%2Fx", None, True),
    ],
)  # fmt: skip
def test_requests(operation: Operation[Any], method: str, target: str, sent: Any, repeatable: bool) -> None:
    assert (operation.method, operation.target, operation.repeatable) == (method, target, repeatable)
    if sent is None:
        assert (operation.content, operation.headers) == (None, {})
    else:
        assert json.loads(operation.content or b"") == sent
        assert operation.headers == {"Content-Type": "application/json"}


def test_times_are_sent_with_their_zone() -> None:
    east = datetime(2026, 5, 17, 20, tzinfo=timezone(timedelta(hours=2)))
    query = operations.statistics(None, None, east, "2026-05-17T20:39:00Z").query
    assert query == {"since": "2026-05-17T20:00:00+02:00", "until": "2026-05-17T20:39:00Z"}
    assert (
        "since=2026-05-17T20%3A00%3A00%2B02%3A00"
        in operations.history(None, None, east, None, None, None).target
    )
    local = operations.statistics(None, None, datetime(2026, 5, 17, 20), None).query["since"]
    assert datetime.fromisoformat(local) == datetime(2026, 5, 17, 20).astimezone()


def test_members_that_are_not_known_are_ignored_and_absent_ones_have_their_defaults() -> None:
    found = answered(operations.execution("e"), {**DETAIL, "colour": {"a": 1}})
    assert found.updated_at == datetime(2026, 5, 17, 20, 39, 5, 250_000, UTC)
    assert (found.completed_at, found.waiting, found.warnings, found.finished) == (None, [], [], False)
    with pytest.raises(AttributeError):
        found.status = "failed"


def test_a_status_of_a_later_version_is_taken_as_it_is() -> None:
    assert answered(operations.execution("e"), {**DETAIL, "status": "paused"}).status == "paused"


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        ('</api/executions?limit=2&cursor=17>; rel="next"', "17"),
        ('<http://proxy/awf/api/executions?cursor=3>;rel="next"', "3"),
        ('</api/executions?cursor=3>; rel="prev"', None),
        ("", None),
    ],
)
def test_the_next_page(link: str, cursor: str | None) -> None:
    page = answered(operations.executions(None, None, None, None), {"executions": [EXECUTION]}, link=link)
    assert ([one.execution_id for one in page], len(page), page.cursor) == (["e"], 1, cursor)


def test_an_accepted_run_is_its_id() -> None:
    body = {"execution_id": "e", "status": "accepted"}
    assert answered(operations.run("a", None), body, 202) == "e"
    assert operations.cancel("e").result(Answer(204)) is None


def refused(status: int, **problem: Any) -> AwfError:
    """The error that an answer with a problem raises."""
    answer = Answer(status, {}, json.dumps({"status": status, "title": "T", **problem}).encode(), "http://x")
    with pytest.raises(AwfError) as caught:
        operations.workflows().result(answer)
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind", "exit_status"),
    [
        ("USER.FACADE.WORKFLOW_NOT_FOUND", WorkflowNotFound, 1),
        ("USER.FACADE.PACK_NOT_FOUND", PackNotFound, 1),
        ("USER.REQUEST.INVALID", RequestInvalid, 1),
        ("USER.REQUEST.FORBIDDEN", UserError, 1),
        ("WORKFLOW.LATER.CODE", WorkflowError, 2),
        ("EXECUTION.LATER.CODE", ExecutionError, 3),
        ("SYSTEM.SERVER.DRAINING", ServerDraining, 4),
        ("SYSTEM.INTERNAL.UNMAPPED", SystemFault, 4),
        ("LATER.LEVEL", AwfError, 4),
    ],
)
def test_a_problem_is_an_error_of_the_class_with_its_code(
    code: str, kind: type[AwfError], exit_status: int
) -> None:
    error = refused(418, detail="no", code=code)
    assert isinstance(error, kind)
    assert isinstance(error, RemoteError)
    assert (error.status, error.code, error.detail, str(error)) == (418, code, "no", "no")
    assert (error.exit_status, error.errors) == (exit_status, ())


@pytest.mark.parametrize("kind", [ExecutionNotFound, StoreUnavailable, StoreIncompatible])
def test_what_to_try_is_not_about_this_machine(kind: type[AwfError]) -> None:
    remedy = refused(404, detail="no", code=kind.code).remedy
    assert remedy
    assert "storage" not in remedy
    assert refused(404, detail="no", code=WorkflowNotFound.code).remedy == WorkflowNotFound.remedy


def test_the_findings_of_a_problem() -> None:
    error = refused(422, detail="no", code="X", errors=[{"location": "a", "message": "b", "more": 1}])
    assert error.entries == (ErrorEntry("a", "b"),)


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (502, b"<html>Bad\n Gateway</html>", "502 Bad Gateway: <html>Bad Gateway</html>"),
        (401, b"", "401 Unauthorized"),
        (404, b'{"detail": "Not Found"}', "404 Not Found: "),
        (302, b"", "302 Found"),
        (799, b"", "799"),
        (200, b"hello", "200 OK: hello"),
        (200, b'{"body": {"workflows": 5}}', "200 OK: "),
        (200, b"\xff" * 1000, "200 OK: "),
    ],
)
def test_an_answer_that_awf_does_not_give(status: int, content: bytes, said: str) -> None:
    with pytest.raises(NotAnAwfServer) as caught:
        operations.workflows().result(Answer(status, {}, content, "http://x"))
    assert str(caught.value).startswith(f"http://x answers, but not as an awf server does: {said}")
    assert len(str(caught.value)) < 300


def test_names_that_cannot_be_are_not_asked_for() -> None:
    for name in ("", ".", "..", "a/", "/a", "a/..", "a/b/c"):
        with pytest.raises(WorkflowNotFound):
            operations.run(name, None)
    for id in ("", ".."):
        with pytest.raises(ExecutionNotFound):
            operations.execution(id)
    for call in (
        lambda: operations.execution("\ud800"),
        lambda: operations.run("a", {"x": "\ud800"}),
        lambda: operations.run("a", {"x": [{"y": float("nan")}]}),
        lambda: operations.resume("a", {"x": float("inf")}, None, "pinned"),
    ):
        with pytest.raises(RequestInvalid):
            call()
