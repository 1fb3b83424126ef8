"""Runs the attempts of ``type: step``: one shell, its own session, no stdin, bounded output.

Rules: workflow language, "Shell: running". The process is started inline (``subprocess.Popen``, which uses vfork) and
watched through a pidfd; both beat asyncio's own subprocess support by a wide margin.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded, Written
from awf.domain.shell import preamble
from awf.domain.timestamps import duration_text
from awf.engine.ports import Clock, Emit, StepContext
from awf.journal.events import ShellCommand, StepStarted
from awf.runners.environment import step_environment
from awf.runners.notes import Notes, ticks
from awf.runners.pipes import Pipe
from awf.runners.processes import Leader, end

LONGEST_ARGUMENT = 100 * 1024
"""Bytes of a command above which it is run from a file (the kernel's limit for one argument is 128 KiB)."""

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})
"""What the machine has too little of just now; the step waits."""

EXHAUSTED_PAUSE = 0.2
"""Seconds between tries to start a process meanwhile."""

TIMEOUT_EXIT = 124
CANNOT_START_EXIT = 126
NOT_FOUND_EXIT = 127


@dataclass(frozen=True, slots=True)
class ShellRunner:
    """``shell``: an absolute path. ``grace``: seconds between SIGTERM and SIGKILL. ``notes``: where starts are noted."""

    shell: str
    grace: float
    clock: Clock
    notes: Notes

    async def run(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: asyncio.Event
    ) -> Outcome:
        """See ``awf.engine.ports.StepRunner``."""
        assert fact.command is not None
        began = self.clock.monotonic()
        directory = Path(context.working_dir, Path(fact.dir).expanduser())
        if not directory.is_dir():
            return Failed(f"working directory does not exist: {directory}", CANNOT_START_EXIT)
        try:
            script = _Script(self.shell, fact.command)
        except OSError as error:
            return Failed(
                f"cannot write the command to a temporary file: {error.strerror}", CANNOT_START_EXIT
            )
        while True:
            try:
                earliest = ticks()
                process, out_read, err_read = self._start(script.argv, directory, fact, context)
                leader = self.notes.started(fact.attempt_id, process.pid, earliest)
                break
            except (OSError, ValueError) as error:
                if getattr(error, "errno", None) in EXHAUSTED and not cancel.is_set():
                    await asyncio.sleep(EXHAUSTED_PAUSE)
                    continue
                script.remove()
                code = NOT_FOUND_EXIT if isinstance(error, FileNotFoundError) else CANNOT_START_EXIT
                return Failed(
                    f"cannot start {script.argv[0]}: {getattr(error, 'strerror', None) or error}", code
                )
        limit = fact.max_output
        pipes = Pipe(out_read, "stdout", emit, limit), Pipe(err_read, "stderr", emit, limit)
        try:
            return await self._watch(process, leader, pipes, fact, cancel, began)
        finally:
            self.notes.ended(fact.attempt_id)
            script.remove()

    def _start(
        self, argv: list[str], directory: Path, fact: StepStarted, context: StepContext
    ) -> tuple[subprocess.Popen[bytes], int, int]:
        """A process and the reading ends of its stdout and stderr. Raises OSError, ValueError; leaves nothing open."""
        with contextlib.ExitStack() as opened, contextlib.ExitStack() as writing:
            ends = []
            for _ in range(2):
                read, write = os.pipe()
                opened.callback(os.close, read)
                writing.callback(os.close, write)
                ends.append((read, write))
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=ends[0][1],
                stderr=ends[1][1],
                cwd=directory,
                env=step_environment(fact, context),
                start_new_session=True,
            )
            opened.pop_all()
            return process, ends[0][0], ends[1][0]

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """See ``awf.engine.ports.StepRunner``."""
        leaders = await asyncio.to_thread(self.notes.leaders, attempt_ids)
        await end(attempt_ids, leaders, grace=self.grace)

    async def _watch(
        self,
        process: subprocess.Popen[bytes],
        leader: Leader,
        pipes: tuple[Pipe, Pipe],
        fact: StepStarted,
        cancel: asyncio.Event,
        began: float,
    ) -> Outcome:
        out, err = pipes
        stopped = await _exit_or(process, cancel, fact.timeout)
        if stopped is not None:
            ending = asyncio.create_task(end([fact.attempt_id], [leader], grace=self.grace))
            await _exit_or(process, None, None)
            process.wait()
            await ending
        code = process.wait()
        code = 128 - code if code < 0 else code
        stdout_tail, stderr_tail = out.finish(), err.finish()
        written = Written(out.total, err.total, stdout_tail, stderr_tail)
        duration = self.clock.monotonic() - began
        if stopped == "cancel":
            return Cancelled(code, duration, written)
        if stopped == "timeout":
            error = f"timeout exceeded ({duration_text(fact.timeout or 0)})"
            return Failed(error, TIMEOUT_EXIT, duration, written)
        if code == 0:
            return Succeeded(0, duration, written)
        return Failed("", code, duration, written)


async def _exit_or(
    process: subprocess.Popen[bytes], cancel: asyncio.Event | None, timeout: float | None
) -> str | None:
    """Wait for the exit (None), the cancel event (``cancel``) or the timeout (``timeout``), whichever is first."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[str | None] = loop.create_future()
    pidfd = os.pidfd_open(process.pid)
    loop.add_reader(pidfd, _resolve, over, None)
    timer = loop.call_later(timeout, _resolve, over, "timeout") if timeout is not None else None
    cancelled = loop.create_task(_resolve_when(cancel, over)) if cancel is not None else None
    try:
        return await over
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        if timer is not None:
            timer.cancel()
        if cancelled is not None:
            cancelled.cancel()


def _resolve(over: asyncio.Future[str | None], how: str | None) -> None:
    if not over.done():
        over.set_result(how)


async def _resolve_when(cancel: asyncio.Event, over: asyncio.Future[str | None]) -> None:
    await cancel.wait()
    _resolve(over, "cancel")


class _Script:
    """The command line of one attempt. A long command goes through a file that only we can read, and so does a program
    (``#!``), which is handed to its interpreter as the kernel would."""

    def __init__(self, shell: str, command: ShellCommand) -> None:
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
        handle, self._file = tempfile.mkstemp(prefix="awf-command-", suffix=".sh")
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
