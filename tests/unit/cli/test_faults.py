"""How commands end that cannot do what they were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awf.cli import project as cli_project
from awf.cli.main import main


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as exit_:
        main(list(arguments))
    assert isinstance(exit_.value.code, int)
    out, err = capsys.readouterr()
    assert out == ""
    return exit_.value.code, err


def test_a_paragraph_says_what_and_what_to_try(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ended(capsys, "run", "nope")
    assert status == 1
    assert said.startswith("awf: workflow not found: nope; try `awf list`")


def test_the_same_as_an_object(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ended(capsys, "run", "nope", "-f", "json")
    found = json.loads(said)["error"]
    assert (status, found["exit_status"]) == (1, 1)
    assert found["code"] == "USER.FACADE.WORKFLOW_NOT_FOUND"
    assert found["message"] == "workflow not found: nope"


@pytest.mark.parametrize(
    "arguments",
    [("list", "--nope"), ("nope",), ("status", "--limit", "x"), ("cancel",), ("-f", "xml", "list")],
)
def test_a_command_line_that_cannot_be_understood(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, said = ended(capsys, *arguments)
    assert status == 1
    assert said.startswith("awf: ")
    assert "--help`" in said
    if "xml" not in arguments:
        status, said = ended(capsys, *arguments, "-f", "json")
        assert json.loads(said)["error"]["code"] == "USER.REQUEST.INVALID"


def test_a_bug_shows_a_reference_that_the_log_has_too(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(cli_project, "settings_of", broken)
    status, said = ended(capsys, "list", "-f", "json")
    found = json.loads(said)["error"]
    assert (status, found["code"]) == (4, "SYSTEM.INTERNAL.UNMAPPED")
    assert "secret detail" not in said
    assert "Traceback" not in said
    log = Path(found["log"])
    assert log == project / "home" / ".local" / "state" / "awf" / "cli.log"
    assert f"reference {found['reference']}, awf list" in log.read_text()
    assert "ZeroDivisionError: secret detail" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_a_bug_without_a_place_for_its_log(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli_project, "settings_of", broken)
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    status, said = ended(capsys, "list")
    assert status == 4
    assert "cannot be written" in said


def test_ctrl_c_is_no_fault(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_project, "settings_of", interrupted)
    assert ended(capsys, "list") == (130, "\nawf: interrupted\n")
