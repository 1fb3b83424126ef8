"""Commands about executions: status, history, cancel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awf.errors import ExecutionNotFound, RequestInvalid
from unit.cli.conftest import ECHO, FAILS, Call, write


@pytest.fixture
def ran(project: Path, call: Call) -> dict[str, str]:
    """Two executions that have ended: their ids by workflow."""
    write(project, "hello", ECHO)
    write(project, "broken", FAILS)
    assert call("run", "hello").exit_code == 0
    assert call("run", "broken").exit_code == 3
    found = json.loads(call("history", "-f", "json").stdout)
    return {each["workflow_name"]: each["id"] for each in found}


def test_an_execution_is_shown_with_its_steps(ran: dict[str, str], call: Call) -> None:
    shown = call("status", ran["broken"])
    assert "status:" in shown.stdout
    assert "failed" in shown.stdout
    (step,) = [line.split() for line in shown.stdout.splitlines() if line.startswith("1 ")]
    assert (step[:3], step[-1]) == (["1", "say", "failed"], "wrong")
    assert "hello" in call("status", ran["hello"], "--verbose").stdout


def test_an_execution_as_json_is_what_the_api_says(ran: dict[str, str], call: Call) -> None:
    found = json.loads(call("status", ran["hello"], "-f", "json").stdout)
    assert (found["execution_id"], found["status"], found["exit_code"]) == (ran["hello"], "completed", 0)
    assert [(step["name"], step["output"]) for step in found["steps"]] == [("say", "hello\n")]


def test_the_latest_executions_are_listed(ran: dict[str, str], call: Call) -> None:
    assert call("status", "-q").stdout.split() == [ran["broken"], ran["hello"]]
    assert call("-q", "status", "--limit", "1").stdout.split() == [ran["broken"]]


def test_the_history_can_be_narrowed(ran: dict[str, str], call: Call) -> None:
    assert call("history", "-q", "--status", "success").stdout.split() == [ran["hello"]]
    assert call("history", "-q", "--status", "completed").stdout.split() == [ran["hello"]]
    assert call("history", "-q", "-w", "broken").stdout.split() == [ran["broken"]]
    assert call("history", "-q", "--since", "1h", "-n", "1").stdout.split() == [ran["broken"]]
    assert call("history", "-q", "--until", "1h").stdout == ""
    assert call("history", "--until", "1h").stderr == "no finished execution matches\n"


def test_statistics_cover_everything_that_matches(ran: dict[str, str], call: Call) -> None:
    found = json.loads(call("history", "--stats", "-n", "1", "-f", "json").stdout)
    assert (found["TotalExecutions"], found["SuccessCount"], found["FailedCount"]) == (2, 1, 1)
    assert "executions: 1\n" in call("history", "--stats", "-w", "hello").stdout


def test_a_table_has_a_frame_and_loses_nothing(ran: dict[str, str], call: Call) -> None:
    shown = call("history", "-f", "table", env={"COLUMNS": "200"}).stdout
    assert shown.startswith("┏")
    assert ran["hello"] in shown


def test_questions_make_no_store(project: Path, call: Call) -> None:
    assert call("status").stderr == "nothing has run yet\n"
    assert json.loads(call("history", "-f", "json").stdout) == []
    assert json.loads(call("history", "--stats", "-f", "json").stdout)["TotalExecutions"] == 0
    with pytest.raises(ExecutionNotFound):
        call("status", "2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e")
    assert not (project / ".awf" / "storage").exists()


def test_what_has_ended_is_not_cancelled_again(ran: dict[str, str], call: Call) -> None:
    assert "has ended before: completed" in call("cancel", ran["hello"]).stdout
    with pytest.raises(ExecutionNotFound):
        call("cancel", ran["hello"], "nobody")


def test_a_time_that_is_none_is_refused_with_what_would_be(call: Call) -> None:
    with pytest.raises(RequestInvalid, match="--since: 'yesterday' is not a time; give a date"):
        call("history", "--since", "yesterday")
