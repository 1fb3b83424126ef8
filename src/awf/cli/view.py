"""An execution on plain lines, from its events: what happens to steps on standard error, their output where they wrote it.

For files, pipes and logs; ``awf.cli.live`` is for terminals. Both are a ``View``.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Literal, Protocol, TypeAlias

import click

from awf.cli.access import Event
from awf.cli.controls import visible
from awf.cli.options import again, current
from awf.cli.outlet import Outlet
from awf.domain.timestamps import duration_text

Shown: TypeAlias = Literal["streaming", "buffered", "silent"]
"""When steps' output is shown: as it comes, when the step has ended, not at all (nor anything else that goes well)."""


class View(Protocol):
    """Shows one execution. Between ``pause`` and ``proceed`` it leaves the terminal alone."""

    def show(self, event: Event) -> None:
        """Something happened."""
        ...

    def say(self, text: str) -> None:
        """Something that people should read now."""
        ...

    def pause(self) -> None: ...

    def proceed(self) -> None: ...

    def close(self) -> None:
        """Show what there is; nothing more comes. Twice is safe."""
        ...


def choose_view(shown: Shown | None, execution: str) -> View:
    """The view of a run for how output is to be shown; None: live on a terminal, streaming elsewhere."""
    for_people = current().format in {"text", "table"}
    if shown is None and can_draw() and for_people:
        from awf.cli.live import LiveView

        return LiveView(execution)
    if not for_people:
        shown = "silent"
    return PlainView(shown or "streaming", execution, lasts=True)


def can_draw() -> bool:
    """Whether people look at both streams, at a terminal where the cursor can be moved."""
    return (
        sys.stdout.isatty()
        and sys.stderr.isatty()
        and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}
    )


class PlainView:
    """See the module. Where what it writes cannot be written, OSError is raised, or, if it ``lasts``, that is dropped."""

    def __init__(self, shown: Shown, execution: str, *, lasts: bool = False) -> None:
        self._shown = shown
        self._execution = execution
        self._outlet = Outlet(lasts=lasts)
        self._written: dict[str, list[tuple[bool, str]]] = {}
        self._held: list[Event] | None = None

    def show(self, event: Event) -> None:
        if self._held is not None:
            self._held.append(event)
            return
        data, path = event.data, event.path
        match event.name:
            case "execution.accepted":
                for warning in data.get("warnings", ()):
                    self.say(f"warning: {warning}")
            case "state.entered" if current().verbose:
                self._step(f"{path} entered ({data['kind']}, {data['via']})")
            case "hook.started" if current().verbose:
                self._step(f"{path or 'workflow'}: hook {data['hook']}[{data['index']}]")
            case "step.started":
                attempt = data["attempt"]
                for warning in data.get("warnings", ()) if current().verbose else ():
                    self.say(f"warning: {path}: {warning}")
                self._step(f"{path} started" + (f" (attempt {attempt})" if attempt > 1 else ""))
            case "output":
                self._output(path, data)
            case "step.retrying":
                self._flush(path)
                self._step(f"{path} failed: {data['error']}; again in {_seconds(data['delay_ms'])}")
            case "step.completed":
                self._flush(path)
                note = f": {data['note']}" if data.get("note") else ""
                self._step(f"{path} completed in {_seconds(data['duration_ms'])}{note}")
            case "step.failed":
                self._flush(path)
                code = f"exit code {data['exit_code']}"
                self._step(
                    f"{path} failed: {data['error']}" + (f" ({code})" if code not in data["error"] else "")
                )
            case "hook.finished" if data.get("message"):
                self._step(data["message"].rstrip("\n"))
            case "input.required":
                self.say(question(path, data))
                self.say(
                    f"answer with `{again()} respond {self._execution} {next(iter(data['choices']), 'ANSWER')}`"
                )
            case "input.received":
                self._step(f"{path} was answered: {data['response']}")
            case "workflow.completed" | "workflow.failed":
                self._end(data)
            case _:
                pass

    def say(self, text: str) -> None:
        self._outlet.line(f"awf: {visible(text)}")

    def pause(self) -> None:
        if self._held is None:
            self._held = []

    def proceed(self) -> None:
        held, self._held = self._held, None
        for event in held or ():
            self.show(event)

    def close(self) -> None:
        self.proceed()
        for path in list(self._written):
            self._flush(path)

    def _output(self, path: str, data: dict[str, Any]) -> None:
        if self._shown == "streaming":
            self._outlet.pass_on(data["output"], err=data["stream"] == "stderr")
        elif self._shown == "buffered":
            self._written.setdefault(path, []).append((data["stream"] == "stderr", data["output"]))

    def _flush(self, path: str) -> None:
        for err, text in self._written.pop(path, ()):
            self._outlet.pass_on(text, err=err)

    def _step(self, text: str) -> None:
        if self._shown != "silent":
            self.say(text)

    def _end(self, data: dict[str, Any]) -> None:
        if self._shown != "silent" or data["status"] != "completed":
            self.say(f"{ending(data)} ({_seconds(data['duration_ms'])}, execution {self._execution})")


def say(text: str) -> None:
    """A line of our own on standard error."""
    click.echo(f"awf: {visible(text)}", err=True)


def question(path: str, data: dict[str, Any]) -> str:
    """What a step asks a person."""
    choices = f" [{', '.join(data['choices'])}]" if data["choices"] else ""
    return f"{path} waits for an answer: {data['prompt']}{choices}"


def ending(data: dict[str, Any]) -> str:
    """How an execution ended, from the data of its last event."""
    if data["status"] == "failed":
        return f"failed: {data['error']}"
    return str(data["status"]) + (f": {data['message']}" if data.get("message") else "")


def _seconds(milliseconds: int) -> str:
    return duration_text(milliseconds / 1000)
