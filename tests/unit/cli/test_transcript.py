"""``awf transcript``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awf.errors import ExecutionNotFound
from unit.cli.conftest import Call, write

ASK = (
    "  initial: ask\n"
    '  ask: {type: agent, provider: claude, prompt: "Hi\\nthere", options: {model: sonnet}, on_success: done}\n'
    "  done: {type: terminal}\n"
)


def test_one_json_object_per_line(project: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    write(project, "ask", ASK)
    assert call("run", "ask").exit_code == 3
    execution = call("status", "-q").stdout.strip()
    request, message, result = map(json.loads, call("transcript", execution).stdout.splitlines())
    assert (request["type"], request["provider"], request["model"]) == ("request", "claude", "sonnet")
    assert (message["role"], message["blocks"]) == ("user", [{"type": "text", "text": "Hi\nthere"}])
    assert (result["status"], result["exit_code"]) == ("failed", 127)
    assert "'claude' is not installed" in result["error"]
    assert call("transcript", execution, "--step", "ask").stdout.count("\n") == 3
    assert call("transcript", execution, "--step", "other").stdout == ""


def test_an_execution_that_is_not_there(project: Path, call: Call) -> None:
    with pytest.raises(ExecutionNotFound):
        call("transcript", "ab")
