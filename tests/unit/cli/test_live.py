"""The live view, on a console that is no terminal but says that it is one."""

from __future__ import annotations

import io
import re
from typing import Any

from rich.console import Console

from awf.cli.access import Event
from awf.cli.live import LiveView

AT = "2026-05-17T20:39:00Z"
LATER = "2026-05-17T20:39:03Z"
NOW = 1779050340.0 + 75
"""A minute and a quarter later, in seconds since the epoch."""


class Screen:
    """A view that is drawn when it is told."""

    def __init__(self, width: int = 60, height: int = 24) -> None:
        self._file = io.StringIO()
        console = Console(
            file=self._file,
            force_terminal=True,
            width=width,
            height=height,
            color_system=None,
            legacy_windows=False,
        )
        self.view = LiveView("exec-1", console, clock=lambda: NOW)

    def show(self, name: str, **data: Any) -> None:
        self.view.show(Event(name, 1, data))

    def start(self, path: str, kind: str = "step", attempt: int = 1) -> None:
        self.show("state.entered", path=path, kind=kind)
        self.show("step.started", path=path, attempt=attempt, started_at=AT)

    def end(self, path: str, status: str = "completed", **more: Any) -> None:
        name = "step.completed" if status == "completed" else "step.failed"
        self.show(
            name, **{"path": path, "status": status, "duration_ms": 1500, "completed_at": LATER, **more}
        )

    def drawn(self) -> list[str]:
        """What is drawn now that was not before."""
        self._file.seek(0)
        self._file.truncate()
        self.view.draw()
        return self.taken()

    def taken(self) -> list[str]:
        text = re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", self._file.getvalue())
        return [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def test_what_runs_shows_its_time_and_its_last_line() -> None:
    screen = Screen()
    screen.start("build")
    screen.show("output", path="build", stream="stdout", output="one\ntwo\nthr")
    screen.show("output", path="build", stream="stdout", output="ee")
    (line,) = screen.drawn()
    assert line[2:] == "build 1m15s  three"


def test_of_a_line_that_is_written_over_the_last_version_is_shown() -> None:
    screen = Screen()
    screen.start("load")
    screen.show("output", path="load", stream="stderr", output="10 %\r50 %\r\x1b[31m90 %\x1b[0m\r")
    assert screen.drawn()[0].endswith("load 1m15s  90 %")


def test_blocks_are_indented_and_what_is_over_moves_up() -> None:
    screen = Screen()
    screen.start("all", "for_each")
    screen.start("all[3]/inner", "parallel")
    screen.start("all[3]/inner/x")
    assert [line[:13].rstrip() for line in screen.drawn()][:2] == ["▸ all", "  ▸ [3] inner"]
    screen.end("all[3]/inner/x", note="a note")
    lines = screen.drawn()
    assert lines[0] == "    ✓ x 1.5s  a note"
    assert [re.sub(r"[⠀-⣿]", "*", line) for line in lines[1:]] == ["* all 1m15s", "  * [3] inner 1m15s"]


def test_a_block_that_is_cancelled_has_taken_time_too() -> None:
    screen = Screen()
    screen.start("all", "for_each")
    screen.end("all", "failed", error="cancelled", duration_ms=0)
    assert screen.drawn()[1] == "✗ all 3s  cancelled"


def test_no_line_is_longer_than_the_terminal_is_wide_and_no_more_than_it_is_high() -> None:
    screen = Screen(width=40, height=10)
    for number in range(30):
        screen.start(f"branch-with-a-rather-long-name-{number}")
        screen.show(
            "output", path=f"branch-with-a-rather-long-name-{number}", stream="stdout", output="x" * 90
        )
    lines = screen.drawn()
    assert len(lines) == 8
    assert max(map(len, lines)) == 40
    assert lines[0].endswith("…")
    assert lines[-1] == "  and 23 more"


def test_a_failure_shows_what_the_step_wrote_last() -> None:
    screen = Screen()
    screen.start("test")
    screen.show("output", path="test", stream="stdout", output="".join(f"line {n}\n" for n in range(30)))
    screen.end("test", "failed", error="exit code 1 [see]", exit_code=1)
    lines = screen.drawn()
    assert lines[0] == "✗ test 1.5s  exit code 1 [see]"
    assert lines[1:] == [f"  │ line {n}" for n in range(20, 30)]


def test_the_end_is_a_summary() -> None:
    screen = Screen()
    screen.start("a")
    screen.show("step.retrying", path="a", error="no", delay_ms=100)
    screen.start("a", attempt=2)
    screen.end("a")
    screen.show("workflow.completed", status="completed", duration_ms=61_500)
    lines = screen.drawn()
    assert lines[-3:] == ["✓ completed", "  1m1.5s, 1 step, 1 retried", "  exec-1"]


def test_while_it_is_paused_it_leaves_the_terminal_alone() -> None:
    screen = Screen()
    screen.start("ask")
    screen.show("input.required", path="ask", prompt="Sure?", choices=["yes", "no"])
    assert "? ask waits for an answer: Sure? [yes, no]" in screen.drawn()
    screen.view.pause()
    screen.show("output", path="ask", stream="stdout", output="x\n")
    assert screen.drawn() == []
    screen.view.proceed()
    assert "waits for an answer" in screen.drawn()[0]
    screen.view.close()
    screen.view.close()
