"""An execution on a terminal, from its events: what runs stays at the bottom with a spinner, the time it has taken and the
last line it wrote; what is over moves up, one line each, nested blocks indented.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from awf.cli.access import Event
from awf.cli.controls import visible
from awf.cli.options import current
from awf.cli.view import ending, question
from awf.domain.timestamps import duration_text

TICK = 0.1
"""Seconds between two pictures."""

EXCERPT = 10
"""Lines of a failed step's output that are shown."""

LONGEST_LINE = 500
"""Characters of a line that a step wrote."""

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BLOCKS = frozenset({"for_each", "while", "parallel", "call_workflow"})


class _Running(Struct):
    """A step in flight. ``since`` in seconds since the epoch; ``lines`` are the last it wrote, ``rest`` is unfinished."""

    label: str
    depth: int
    since: float
    attempt: int = 1
    state: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=EXCERPT))
    rest: str = ""

    def write(self, text: str) -> None:
        """It wrote something. A carriage return begins its line again, as a terminal shows it."""
        *lines, rest = (self.rest + text).replace("\r\n", "\n").split("\n")
        self.lines.extend(_visible(line) for line in lines[-EXCERPT:] if line.strip())
        self.rest = rest[-LONGEST_LINE:]

    @property
    def last(self) -> str:
        """The last line with anything on it."""
        rest = _visible(self.rest)
        return rest if rest.strip() or not self.lines else self.lines[-1]


class LiveView:
    """See the module. Draws on standard error, every tenth of a second while an event loop runs."""

    def __init__(
        self, execution: str, console: Console | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._execution = execution
        self._console = console or Console(
            stderr=True, no_color=not current().color, highlight=False, emoji=False, markup=False
        )
        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._kinds: dict[str, str] = {}
        self._over: list[Text] = []
        self._steps = self._retries = 0
        self._frame = 0
        self._begun = False
        self._live: Live | None = None
        self._ticking: asyncio.Task[None] | None = None

    # View

    def show(self, event: Event) -> None:
        if not self._begun:
            self._begun = True
            self.proceed()
            with contextlib.suppress(RuntimeError):
                self._ticking = asyncio.get_running_loop().create_task(self._tick())
        data, path = event.data, event.path
        match event.name:
            case "execution.accepted":
                for warning in data.get("warnings", ()):
                    self._line(0, "!", "yellow", warning)
            case "state.entered":
                self._kinds[path] = data["kind"]
            case "step.started":
                self._started(path, data)
            case "output":
                if path in self._running:
                    self._running[path].write(data["output"])
            case "step.retrying":
                self._retries += 1
                running = self._running.get(path)
                if running is not None:
                    again = f"again in {_seconds(data['delay_ms'])}"
                    running.state = again
                    self._line(running.depth, "↻", "yellow", running.label, f"{data['error']}; {again}")
            case "step.completed" | "step.failed":
                self._ended(path, data)
            case "hook.finished" if data.get("message"):
                self._line(_depth(path), "·", "dim", _visible(data["message"].strip()))
            case "input.required":
                if path in self._running:
                    self._running[path].state = "waits for an answer"
                self._line(_depth(path), "?", "cyan", question(path, data))
            case "input.received":
                if path in self._running:
                    self._running[path].state = ""
                self._line(_depth(path), "·", "dim", f"{path} was answered: {data['response']}")
            case "workflow.completed" | "workflow.failed":
                self._running.clear()
                self._summary(data)
            case _:
                pass

    def say(self, text: str) -> None:
        self._line(0, "·", "bold", text)
        self.draw()

    def pause(self) -> None:
        self.draw()
        if self._live is not None:
            self._live.update("", refresh=True)
            self._live.stop()
            self._live = None

    def proceed(self) -> None:
        if self._live is None:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                vertical_overflow="crop",
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        self.pause()

    def draw(self) -> None:
        """Move up what is over, and draw what runs."""
        if self._live is None:
            return
        over, self._over = self._over, []
        self._frame += 1
        if over:
            # Printing draws the last picture again, below what is printed: it must not be one of what is over.
            self._live.update("", refresh=True)
            self._console.print(Group(*over))
        self._live.update(self._picture(), refresh=True)

    # The picture

    async def _tick(self) -> None:
        while True:
            self.draw()
            await asyncio.sleep(TICK)

    def _picture(self) -> Group:
        rows = max(1, self._console.size.height - 2)
        running = list(self._running.values())
        hidden = len(running) - rows
        if hidden > 0:
            running = running[: rows - 1]
        lines = [self._row(each) for each in running]
        if hidden > 0:
            lines.append(_cut(Text(f"  and {hidden + 1} more", style="dim")))
        return Group(*lines)

    def _row(self, running: _Running) -> Text:
        spinner = _SPINNER[self._frame % len(_SPINNER)]
        attempt = f" (attempt {running.attempt})" if running.attempt > 1 else ""
        took = _clock_text(max(0.0, self._clock() - running.since))
        line = Text.assemble(
            "  " * running.depth, (spinner, "cyan"), " ", running.label, attempt, " ", (took, "dim")
        )
        said = running.state or running.last
        if said:
            line.append("  ")
            line.append(said, style="yellow" if running.state else "dim")
        return _cut(line)

    def _line(self, depth: int, sign: str, style: str, text: str, more: str = "") -> None:
        line = Text.assemble("  " * depth, (sign, style), " ", visible(text))
        if more:
            line.append(f"  {visible(more)}", style="dim")
        self._over.append(line)

    # What happens to steps

    def _started(self, path: str, data: dict[str, Any]) -> None:
        depth, label = _depth(path), _label(path)
        if path not in self._running:
            self._running[path] = _Running(label, depth, _epoch(data["started_at"], self._clock))
            if self._kinds.get(path) in _BLOCKS:
                self._line(depth, "▸", "cyan", label)
        running = self._running[path]
        running.attempt, running.state = data["attempt"], ""

    def _ended(self, path: str, data: dict[str, Any]) -> None:
        running = self._running.pop(path, None) or _Running(_label(path), _depth(path), 0.0)
        block = self._kinds.pop(path, "") in _BLOCKS
        self._steps += not block
        took = _seconds(data["duration_ms"])
        if block and not data["duration_ms"] and running.since:
            # A block that is cancelled tells no duration.
            took = _seconds(round(1000 * (_epoch(data["completed_at"], self._clock) - running.since)))
        if data["status"] == "completed":
            said = _visible(data.get("note") or "") or running.last
            self._over.append(
                _cut(
                    Text.assemble(
                        "  " * running.depth,
                        ("✓", "green"),
                        " ",
                        running.label,
                        " ",
                        (took, "dim"),
                        (f"  {said}" if said else "", "dim"),
                    )
                )
            )
            return
        self._line(running.depth, "✗", "red", f"{running.label} {took}", data["error"])
        for line in (*running.lines, _visible(running.rest)) if not block else ():
            if line.strip():
                self._over.append(_cut(Text(f"{'  ' * running.depth}  │ {line}", style="dim")))

    def _summary(self, data: dict[str, Any]) -> None:
        good = data["status"] == "completed"
        retried = f", {self._retries} retried" if self._retries else ""
        steps = f"{self._steps} step{'s' * (self._steps != 1)}{retried}"
        sign, style = ("✓", "bold green") if good else ("✗", "bold red")
        self._over.append(Text.assemble((f"{sign} {visible(ending(data))}", style)))
        self._over.append(Text(f"  {_seconds(data['duration_ms'])}, {steps}", style="dim"))
        # On a line of its own, for it to be copied whole where the terminal is narrow.
        self._over.append(Text(f"  {self._execution}", style="dim"))
        if not good:
            self._over.append(Text("  awf resume takes it up again, awf logs shows its output", style="dim"))


def _cut(line: Text) -> Text:
    """One line, whatever the width."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _depth(path: str) -> int:
    return path.count("/")


def _label(path: str) -> str:
    """What a step is called below its block: ``loop[3]/step`` is step 3 of it."""
    above, _, name = path.rpartition("/")
    index = above.rpartition("/")[2].partition("[")[2]
    return f"[{index} {name}" if index else name


def _visible(text: str) -> str:
    """Text without what moves the cursor or colours the terminal; of a line that was written over, its last version."""
    last = next((part for part in reversed(text.split("\r")) if part.strip()), "")
    return visible(last)[:LONGEST_LINE]


def _seconds(milliseconds: int) -> str:
    return duration_text(milliseconds / 1000)


def _clock_text(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 60 else duration_text(int(seconds))


def _epoch(text: str, clock: Callable[[], float]) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return clock()
