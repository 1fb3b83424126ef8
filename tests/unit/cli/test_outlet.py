"""What steps wrote and awf's own lines, on streams that lead to one place or to two."""

from __future__ import annotations

from pathlib import Path

import pytest

from awf.cli.outlet import Outlet
from unit.cli.conftest import Call, write

RED = "\x1b[31mred\x1b[0m"


def written(outlet: Outlet) -> None:
    outlet.pass_on(RED, err=False)
    outlet.line("awf: one ended")
    outlet.pass_on("b\n", err=False)
    outlet.pass_on("c", err=True)
    outlet.line("awf: another ended")
    outlet.line("awf: that is all")


def test_in_one_place_no_line_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "both").open("a") as out, (tmp_path / "both").open("a") as err:
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", err)
        written(Outlet())
        monkeypatch.undo()
    assert (tmp_path / "both").read_text() == (
        f"{RED}\nawf: one ended\nb\nc\nawf: another ended\nawf: that is all\n"
    )


def test_in_two_places_both_are_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", err)
        written(Outlet())
        monkeypatch.undo()
    assert (tmp_path / "out").read_text() == f"{RED}b\n"
    assert (tmp_path / "err").read_text() == "awf: one ended\nc\nawf: another ended\nawf: that is all\n"


def test_the_colours_of_steps_are_passed_on(project: Path, call: Call) -> None:
    write(
        project,
        "red",
        "  initial: say\n"
        "  say: {type: step, command: 'printf \"\\033[31mred\\033[0m\"', on_success: done}\n"
        "  done: {type: terminal}\n",
    )
    for shown in ("streaming", "buffered"):
        assert call("run", "red", "-o", shown, "--no-color").stdout == RED
    execution = call("status", "-q", "--limit", "1").stdout.strip()
    assert call("logs", execution).stdout == RED
