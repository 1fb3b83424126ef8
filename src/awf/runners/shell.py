"""Runs the attempts of ``type: step``: one shell, its own session, no stdin, bounded output; a detached one so that it
outlives us (``awf.runners.detached``).

Rules: workflow language, "Shell: running". The process is started inline (``subprocess.Popen``, which uses vfork) and
watched through a pidfd; both beat asyncio's own subprocess support by a wide margin.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded, Written
from awf.domain.shell import preamble
from awf.domain.timestamps import duration_text
from awf.engine.cancel import Cancel
from awf.engine.ports import Clock, Emit, StepContext
from awf.journal.events import ShellCommand, StepStarted
from awf.runners.attempts import Attempts
from awf.runners.detached import Following, start
from awf.runners.environment import step_environment
from awf.runners.exits import exit_or
from awf.runners.notes import ticks
from awf.runners.pipes import Pipe
from awf.runners.processes import Leader, end
from awf.runners.starting import CANNOT_START_EXIT, made, started

LONGEST_ARGUMENT = 100 * 1024
"""Bytes of a command above which it is run from a file (the kernel's limit for one argument is 128 KiB)."""

TIMEOUT_EXIT = 124
LOST_EXIT = 137


class ShellRunner(Struct, frozen=True):
    """``shell``: an absolute path. ``grace``: seconds between SIGTERM and SIGKILL. ``attempts``: where starts are noted,
    and where detached steps leave what the next engine needs."""

    shell: str
    grace: float
    clock: Clock
    attempts: Attempts

    async def run(self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel) -> Outcome:
        """See ``awf.engine.ports.StepRunner``."""
        assert fact.command is not None
        began = self.clock.monotonic()
        directory = Path(context.working_dir, Path(fact.dir).expanduser())
        if not directory.is_dir():
            return Failed(f"working directory does not exist: {directory}", CANNOT_START_EXIT)
        try:
            script = await self._prepared(fact, fact.command, cancel)
        except OSError as error:
            what = "keep the output" if fact.detach else "write the command to a temporary file"
            return Failed(f"cannot {what}: {error.strerror}: {error.filename}", CANNOT_START_EXIT)
        env = step_environment(fact, context)
        if fact.detach:

            def start_detached() -> subprocess.Popen[bytes]:
                return start(self.attempts, fact.attempt_id, script.argv, cwd=directory, env=env)

            child = await started(start_detached, script.argv[0], cancel)
            return (
                child if isinstance(child, Failed) else await self._follow(fact, emit, cancel, began, child)
            )
        try:
            began_process = await started(
                lambda: self._start(script.argv, directory, fact, env), script.argv[0], cancel
            )
            if isinstance(began_process, Failed):
                return began_process
            pipes = began_process.pipes(emit, fact.max_output)
            return await self._watch(began_process, pipes, fact, cancel, began)
        finally:
            self.attempts.notes.ended(fact.attempt_id)
            script.remove()

    async def _prepared(self, fact: StepStarted, command: ShellCommand, cancel: Cancel) -> _Script:
        """Raises OSError. A detached step's files are on the disk of the journal: while that is full, nothing starts."""
        if not fact.detach:
            return _Script(self.shell, command, None)

        def make() -> _Script:
            files = self.attempts.create(fact.attempt_id)
            try:
                return _Script(self.shell, command, files.directory)
            except OSError:
                files.remove()
                raise

        return await made(make, cancel)

    async def adopt(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel, ran: float
    ) -> Outcome:
        """See ``awf.engine.ports.StepRunner``."""
        del context
        return await self._follow(fact, emit, cancel, self.clock.monotonic() - ran, None)

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """See ``awf.engine.ports.StepRunner``."""
        leaders = await asyncio.to_thread(self.attempts.notes.leaders, attempt_ids)
        await end(attempt_ids, leaders, grace=self.grace)

    async def spent(self, fact: StepStarted) -> None:
        """Commands are not paid for."""

    async def _follow(
        self,
        fact: StepStarted,
        emit: Emit,
        cancel: Cancel,
        began: float,
        child: subprocess.Popen[bytes] | None,
    ) -> Outcome:
        """A detached step, to its end; ``child`` None: of another engine."""
        timeout = fact.timeout
        if timeout is not None:
            timeout = max(0.0, timeout - (self.clock.monotonic() - began))
        following = Following(self.attempts, fact.attempt_id, emit, fact.max_output, self.grace)
        try:
            ended = await following.watch(child, cancel, timeout)
        except OSError as error:
            return Failed(f"the output of the detached step cannot be read: {error.strerror}", LOST_EXIT)
        duration = max(0.0, self.clock.monotonic() - began - ended.since)
        if ended.code is None and ended.stopped is None:
            return Failed(
                "the detached step ended without leaving its exit status", LOST_EXIT, duration, ended.written
            )
        code = LOST_EXIT if ended.code is None else ended.code
        return _outcome(ended.stopped, code, duration, ended.written, fact.timeout)

    def _start(self, argv: list[str], directory: Path, fact: StepStarted, env: Mapping[str, str]) -> _Process:
        """Raises OSError, ValueError; leaves nothing open."""
        with contextlib.ExitStack() as opened, contextlib.ExitStack() as writing:
            ends = []
            for _ in range(2):
                read, write = os.pipe()
                opened.callback(os.close, read)
                writing.callback(os.close, write)
                ends.append((read, write))
            earliest = ticks()
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=ends[0][1],
                stderr=ends[1][1],
                cwd=directory,
                env=env,
                start_new_session=True,
            )
            opened.pop_all()
            leader = self.attempts.notes.started(fact.attempt_id, child.pid, earliest)
            return _Process(child, leader, ends[0][0], ends[1][0])

    async def _watch(
        self,
        process: _Process,
        pipes: tuple[Pipe, Pipe],
        fact: StepStarted,
        cancel: Cancel,
        began: float,
    ) -> Outcome:
        out, err = pipes
        pidfd = os.pidfd_open(process.child.pid)
        try:
            stopped = await exit_or(pidfd, cancel, fact.timeout)
            if stopped is not None:
                await end([fact.attempt_id], [process.leader], grace=self.grace)
        finally:
            os.close(pidfd)
        code = process.child.wait()
        code = 128 - code if code < 0 else code
        stdout_tail, stderr_tail = out.finish(), err.finish()
        written = Written(out.total, err.total, stdout_tail, stderr_tail)
        return _outcome(stopped, code, self.clock.monotonic() - began, written, fact.timeout)


class _Process(Struct, frozen=True):
    """A child of ours, and the reading ends of its output."""

    child: subprocess.Popen[bytes]
    leader: Leader
    stdout: int
    stderr: int

    def pipes(self, emit: Emit, limit: int | None) -> tuple[Pipe, Pipe]:
        """Its output, read from now on."""
        return Pipe(self.stdout, "stdout", emit, limit), Pipe(self.stderr, "stderr", emit, limit)


def _outcome(
    stopped: str | None, code: int, duration: float, written: Written, timeout: float | None
) -> Outcome:
    if stopped == "cancel":
        return Cancelled(code, duration, written)
    if stopped == "timeout":
        error = f"timeout exceeded ({duration_text(timeout or 0)})"
        return Failed(error, TIMEOUT_EXIT, duration, written)
    return Failed("", code, duration, written) if code else Succeeded(0, duration, written)


class _Script:
    """The command line of one attempt. A long command goes through a file that only we can read (in ``directory``, if
    given), and so does a program (``#!``), which is handed to its interpreter as the kernel would."""

    def __init__(self, shell: str, command: ShellCommand, directory: Path | None = None) -> None:
        self._file: str | None = None
        interpreter = _interpreter(command.script) if command.program else []
        first, rest = "", command.script
        if interpreter:
            first, line_break, rest = command.script.partition("\n")
            first += line_break
            shell = _shell_of(interpreter)
        text = first + preamble(command.variables, Path(shell).name) + rest
        if not interpreter and len(text.encode()) <= LONGEST_ARGUMENT:
            self.argv = [shell, "-c", text]
            return
        handle, self._file = tempfile.mkstemp(prefix="awf-command-", suffix=".sh", dir=directory)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            self.remove()
            raise
        self.argv = [*(interpreter or [shell]), self._file]

    def remove(self) -> None:
        if self._file is not None:
            Path(self._file).unlink(missing_ok=True)


def _interpreter(script: str) -> list[str]:
    """What the first line of a program says to start it with: a path, and at most one argument."""
    return script.partition("\n")[0].removeprefix("#!").strip().split(None, 1)


def _shell_of(interpreter: list[str]) -> str:
    """The program that reads the script in the end: behind ``env``, its argument."""
    words = " ".join(interpreter).split()
    behind = [word for word in words[1:] if not word.startswith("-")] if words[0].endswith("/env") else []
    return behind[0] if behind else words[0]


def choose_shell(setting: str | None, environ_shell: str | None) -> str:
    """The shell of steps: the setting, else ``$SHELL`` where it is an existing sh, bash, dash, ksh or zsh, else
    ``/bin/sh``."""
    if setting:
        return setting
    if environ_shell and Path(environ_shell).is_absolute() and Path(environ_shell).is_file():
        if Path(environ_shell).name in {"sh", "bash", "dash", "ksh", "zsh"}:
            return environ_shell
    return "/bin/sh"
