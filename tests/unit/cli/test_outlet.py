"""What steps wrote and awf's own lines, on streams that lead to one place or to two."""

from __future__ import annotations

import os
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
    assert call("run", "red", "-f", "table").stdout == RED
    execution = call("status", "-q", "--limit", "1").stdout.strip()
    assert call("logs", execution).stdout == RED


@pytest.mark.parametrize("full", ["stdout", "stderr"])
def test_what_cannot_be_written_is_dropped_where_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    with Path("/dev/full").open("w") as nowhere, (tmp_path / "said").open("w") as said:
        monkeypatch.setattr(f"sys.{full}", nowhere)
        monkeypatch.setattr("sys.stderr" if full == "stdout" else "sys.stdout", said)
        outlet = Outlet(lasts=True)
        for number in range(2):
            outlet.pass_on(f"{number}\n", err=False)
            outlet.line(f"awf: {number}")
        monkeypatch.undo()
    shown = (tmp_path / "said").read_text().splitlines()
    if full == "stderr":
        assert shown == ["0", "1"]
    else:
        assert shown[0].startswith(
            "awf: standard output cannot be written: No space left on device; `awf logs`"
        )
        assert shown[1:] == ["awf: 0", "awf: 1"]


def test_what_cannot_be_written_is_an_error_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as nowhere:
        monkeypatch.setattr("sys.stdout", nowhere)
        with pytest.raises(OSError, match="No space left"):
            Outlet().pass_on("x", err=False)
        monkeypatch.undo()
        # What is in its buffer goes where there is space.
        with Path("/dev/null").open("w") as null:
            os.dup2(null.fileno(), nowhere.fileno())
