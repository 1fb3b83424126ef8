"""Showing an execution as it goes, from its journal: plain lines about steps on stderr, their output where they wrote it."""

from __future__ import annotations

import asyncio
from typing import Literal, TypeAlias

import click

from awf.domain.timestamps import duration_text
from awf.journal.events import (
    FINAL,
    Entry,
    ExecutionAccepted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    HookFinished,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepRetrying,
    StepStarted,
    Stream,
)
from awf.journal.store import Store

Shown: TypeAlias = Literal["streaming", "buffered", "silent"]

PAGE = 500
"""Entries read at once."""


class Follower:
    """Shows one execution. ``look`` says that its journal may have grown; ``run`` returns after its final fact, or after
    ``close``. ``last`` is the fact that came last."""

    def __init__(self, store: Store, execution: str, shown: Shown) -> None:
        self._store = store
        self._execution = execution
        self._shown = shown
        self._woken = asyncio.Event()
        self._closed = False
        self._seq = 0
        self._began = 0
        self._started: dict[int, int] = {}
        self._written: dict[int, list[tuple[Stream, str]]] = {}
        self.last: Entry | None = None

    def look(self) -> None:
        """There may be something new."""
        self._woken.set()

    def close(self) -> None:
        """Show what there is, then return from ``run``."""
        self._closed = True
        self._woken.set()

    async def run(self) -> None:
        """Show it to the end. Raises StoreUnavailable."""
        while True:
            self._woken.clear()
            while page := await self._store.journal(self._execution, after=self._seq, limit=PAGE):
                for entry in page:
                    self._show(entry)
                self._seq, self.last = page[-1].seq, page[-1]
            if self._closed or (self.last is not None and isinstance(self.last.fact, FINAL)):
                return
            await self._woken.wait()

    def _show(self, entry: Entry) -> None:
        match entry.fact:
            case ExecutionAccepted(warnings=warnings):
                self._began = entry.at
                for warning in warnings:
                    _say(f"warning: {warning}")
            case StepStarted() as fact:
                self._started[fact.step] = entry.at
                if self._shown != "silent":
                    _say(f"{fact.path} started" + (f" (attempt {fact.attempt})" if fact.attempt > 1 else ""))
            case StepOutput() as fact:
                self._output(fact)
            case StepRetrying() as fact:
                self._flush(fact.step)
                self._step(f"{fact.path} failed: {fact.error}; again in {duration_text(fact.delay)}")
            case StepCompleted() as fact:
                self._flush(fact.step)
                note = f": {fact.note}" if fact.note else ""
                self._step(
                    f"{fact.path} completed in {self._since(entry, self._started.get(fact.step))}{note}"
                )
            case StepFailed() as fact:
                self._flush(fact.step)
                self._step(f"{fact.path} failed: {fact.error} (exit code {fact.exit_code})")
            case HookFinished(message=message) if message:
                self._step(message.rstrip("\n"))
            case ExecutionCompleted(message=message):
                self._end(entry, f"completed{f': {message}' if message else ''}")
            case ExecutionFailed(error=error):
                self._end(entry, f"failed: {error}")
            case ExecutionCancelled():
                self._end(entry, "cancelled")
            case _:
                pass

    def _output(self, fact: StepOutput) -> None:
        if self._shown == "streaming":
            _write(fact.stream, fact.text)
        elif self._shown == "buffered":
            self._written.setdefault(fact.step, []).append((fact.stream, fact.text))

    def _flush(self, step: int) -> None:
        for stream, text in self._written.pop(step, ()):
            _write(stream, text)

    def _step(self, text: str) -> None:
        if self._shown != "silent":
            _say(text)

    def _end(self, entry: Entry, how: str) -> None:
        if self._shown != "silent" or not isinstance(entry.fact, ExecutionCompleted):
            _say(f"{how} ({self._since(entry, self._began)}, execution {self._execution})")

    @staticmethod
    def _since(entry: Entry, began: int | None) -> str:
        return duration_text(round((entry.at - (began or entry.at)) / 1_000_000, 3))


def _say(text: str) -> None:
    click.echo(f"awf: {text}", err=True)


def _write(stream: Stream, text: str) -> None:
    click.echo(text, nl=False, err=stream == "stderr")
