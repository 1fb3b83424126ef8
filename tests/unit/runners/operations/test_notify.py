from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from awf.domain.outcomes import Failed, Outcome, Succeeded
from awf.engine.ports import StepContext
from awf.journal.events import OperationCall
from awf.runners.operations.notify import NotifySend
from awf.runners.operations.programs import Programs
from awf.runners.operations.runner import OperationRunner
from awf.runners.operations.web import Web
from awf.testing.builders import step_started
from awf.testing.clock import FakeClock
from services.web import service


def send(
    inputs: Mapping[str, Any], directory: Path, backend: str = "", platform: str = "linux", **environ: str
) -> Outcome:
    async def inside() -> Outcome:
        operation = NotifySend(Web(), Programs(0.2), backend, platform)
        call = OperationCall(name="notify.send", inputs=dict(inputs))
        context = StepContext("one", "line", {}, {"PATH": str(directory), **environ}, str(directory))
        runner = OperationRunner({"notify.send": operation}, FakeClock())
        started = step_started(kind="operation", operation=call)
        return await runner.run(started, context, lambda *_: None, asyncio.Event())

    return asyncio.run(inside())


def outputs(outcome: Outcome) -> Any:
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.product is not None
    return outcome.product.response


def error(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return outcome.error


def test_a_webhook(tmp_path: Path) -> None:
    with service() as server:
        server.answers("/hook", 202, "thänks")
        inputs = {
            "backend": "Webhook",
            "webhook_url": f"{server.url}/hook",
            "message": "é",
            "priority": "HIGH",
        }
        assert outputs(send(inputs, tmp_path)) == {
            "backend": "webhook",
            "status": "sent",
            "response": "thänks",
        }
        assert server.calls[0].json == {"title": "AWF Workflow", "message": "é", "priority": "high"}
        assert server.calls[0].headers["Content-Type"] == "application/json"
        outputs(send({**inputs, "title": "T", "metadata": '{"a": 1}'}, tmp_path))
        assert server.calls[1].json["metadata"] == {"a": 1}
        server.answers("/hook", 503, "", {"Retry-After": "3"})
        outcome = send(inputs, tmp_path)
        assert isinstance(outcome, Failed)
        assert (outcome.error, outcome.retry_after) == ("notify.send: webhook: status 503", 3)
    assert "notify.send: webhook: cannot connect to" in error(send(inputs, tmp_path))


@pytest.mark.parametrize(
    ("platform", "program", "argv"),
    [
        ("linux", "notify-send", ["--urgency=critical", "--", "-T", "--é"]),
        ("darwin", "osascript", ["-e", "on run argv", "-e", "display notification (item 1 of argv) with title (item 2 of argv)", "-e", "end run", "--", "--é", "-T"]),
    ],
)  # fmt: skip
def test_a_desktop(tmp_path: Path, platform: str, program: str, argv: list[str]) -> None:
    inputs = {"message": "--é", "title": "-T", "priority": "high"}
    assert f"'{program}' is not" in error(send(inputs, tmp_path, "desktop", platform))
    tool = tmp_path / program
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > said\n')
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    assert outputs(send(inputs, tmp_path, "desktop", platform))["backend"] == "desktop"
    assert (tmp_path / "said").read_text().splitlines() == argv
    tool.write_text("#!/bin/sh\necho no display >&2; exit 1\n")
    assert (
        error(send(inputs, tmp_path, "desktop", platform)) == f"notify.send: desktop: {program}: no display"
    )


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({}, "message is required"),
        ({"message": "m"}, "no backend specified and no default backend configured"),
        ({"message": "m", "backend": "fax"}, "backend must be one of: desktop, webhook"),
        ({"message": "m", "backend": "webhook"}, "webhook_url is required for the webhook backend"),
        ({"message": "m", "webhook_url": "x"}, "webhook_url must start with http:// or https://"),
        ({"message": "m", "priority": "p"}, 'invalid priority "p" (must be: low, default, high)'),
    ],
)
def test_what_is_wrong(tmp_path: Path, inputs: dict[str, Any], told: str) -> None:
    assert error(send(inputs, tmp_path)) == f"notify.send: {told}"
    assert error(send(inputs, tmp_path, AWF_TEST_MODE="1")) == f"notify.send: {told}"


def test_a_default_that_is_none(tmp_path: Path) -> None:
    told = error(send({"message": "m"}, tmp_path, "fax"))
    assert told == "notify.send: notify.default_backend must be one of: desktop, webhook"


def test_in_test_mode_nothing_is_sent(tmp_path: Path) -> None:
    with service() as server:
        inputs = {"message": "m", "backend": "webhook", "webhook_url": server.url}
        for backend in ("webhook", "desktop"):
            found = outputs(send({**inputs, "backend": backend}, tmp_path, AWF_TEST_MODE="1"))
            assert json.dumps(found) == json.dumps({"backend": backend, "status": "sent", "response": ""})
        assert server.calls == []
