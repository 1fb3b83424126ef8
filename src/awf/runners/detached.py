"""Processes that outlive the engine that started them, and whatever engine there is follows them to their end.

Such a process is started through a wrapper in a session of its own. Its output goes to files, the wrapper keeps its exit
status, and both are found by the attempt's id (``awf.runners.attempts``). Nothing here knows what the process is: a shell
step and an agent are started, followed and adopted alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from awf.domain.outcomes import Written
from awf.engine.cancel import Cancel
from awf.engine.ports import Emit
from awf.runners.attempts import AttemptFiles, Attempts
from awf.runners.exits import exit_or
from awf.runners.following import Follower, Reader
from awf.runners.notes import ticks
from awf.runners.processes import Leader, end, opened, process

log = logging.getLogger("awf.runners")

POLL = 0.03
"""Seconds between looks at the files."""

WRAPPER = """\
trap : HUP INT QUIT TERM
read -r stat </proc/$$/stat
printf '%s\\n' "$stat" >>"$0"
"$@"
code=$?
printf '%s\\n' "$code" >>"$0"
exit "$code"
"""
"""A caught signal, unlike an ignored one, is not inherited: the process has the default dispositions, and the wrapper
lives through the SIGTERM that ends its group, until it has written the status. ``$0`` is the record."""


_LET_GO: list[subprocess.Popen[bytes]] = []
"""Children that go on without us. Python would report one that is dropped while it runs, so they are kept until they have
ended."""


class Ended(Struct, frozen=True):
    """How a followed process ended. ``stopped``: by ``cancel`` or ``timeout``, None by itself. ``code`` None: nobody
    knows. ``since``: seconds ago."""

    stopped: str | None
    code: int | None
    written: Written
    since: float = 0.0


def start(
    attempts: Attempts,
    attempt: str,
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
) -> subprocess.Popen[bytes]:
    """Start a process whose files have been created. ``stdin`` is what it reads; it is never on a disk.

    Raises OSError, ValueError; leaves nothing open."""
    files = attempts.files(attempt)
    with contextlib.ExitStack() as opened_files:

        def open_file(path: Path, flags: int) -> int:
            fd = os.open(path, flags | os.O_CLOEXEC)
            opened_files.callback(os.close, fd)
            return fd

        given = _memory(stdin) if stdin else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        opened_files.callback(os.close, given)
        earliest = ticks()
        child = subprocess.Popen(
            ["/bin/sh", "-c", WRAPPER, str(files.record_file), *argv],
            stdin=given,
            stdout=open_file(files.stdout, os.O_WRONLY | os.O_APPEND),
            stderr=open_file(files.stderr, os.O_WRONLY | os.O_APPEND),
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        attempts.notes.started(attempt, child.pid, earliest)
        return child


def _memory(data: bytes) -> int:
    """A descriptor from which this can be read. Raises OSError."""
    fd = os.memfd_create("awf-stdin", os.MFD_CLOEXEC)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
    except OSError:
        os.close(fd)
        raise
    return fd


class Following(Struct, frozen=True):
    """One detached attempt, followed to its end. ``limit``: bytes of each stream that are kept. ``grace``: seconds
    between SIGTERM and SIGKILL. ``stdout`` reads the file with its standard output; None: as the output of a step.
    Cancelling ``watch`` lets go of the process, which goes on."""

    attempts: Attempts
    attempt: str
    emit: Emit
    limit: int | None
    grace: float
    stdout: Callable[[Path], Reader] | None = None

    async def watch(
        self, child: subprocess.Popen[bytes] | None, cancel: Cancel, timeout: float | None
    ) -> Ended:
        """Follow ``child``, or (None) the process that another engine started. Output is delivered from its beginning.
        Raises OSError where the files are gone."""
        files = self.attempts.files(self.attempt)
        out: Reader = (
            Follower(files.stdout, "stdout", self.emit, self.limit)
            if self.stdout is None
            else self.stdout(files.stdout)
        )
        with contextlib.ExitStack() as open_ones:
            open_ones.callback(_let_go, child)
            open_ones.enter_context(contextlib.closing(out))
            err = open_ones.enter_context(
                contextlib.closing(Follower(files.stderr, "stderr", self.emit, self.limit))
            )
            stopped = await self._until_over(child, files, (out, err), cancel, timeout)
            await _catch_up(out)
            code, since = self._status(child, files)
            (out_bytes, out_tail), (err_bytes, err_tail) = out.finish(), err.finish()
        self.attempts.notes.ended(self.attempt)
        written = Written(out_bytes, err_bytes, out_tail, err_tail)
        return Ended(stopped, code, written, 0.0 if stopped else since)

    async def _until_over(
        self,
        child: subprocess.Popen[bytes] | None,
        files: AttemptFiles,
        followers: tuple[Reader, Reader],
        cancel: Cancel,
        timeout: float | None,
    ) -> str | None:
        leader = _leader(child) if child is not None else files.record().wrapper
        if leader is None:
            return None
        pump = asyncio.create_task(_pump(followers))
        try:
            stopped = None
            with contextlib.suppress(ProcessLookupError), opened(leader.pid, leader.earliest) as pidfd:
                stopped = await exit_or(pidfd, cancel, timeout)
            if stopped is not None or files.record().status is None:
                # Where the wrapper died without a word, what it started is nobody's any more.
                await end([self.attempt], [leader], grace=self.grace)
            return stopped
        finally:
            pump.cancel()

    @staticmethod
    def _status(child: subprocess.Popen[bytes] | None, files: AttemptFiles) -> tuple[int | None, float]:
        """The exit status, and how many seconds ago the process of another engine left it."""
        status = files.record().status
        if child is None:
            # Ended before we came, perhaps.
            return status, max(
                0.0, time.time() - files.record_file.stat().st_mtime
            ) if status is not None else 0.0
        code = child.wait()
        return status if status is not None else 128 - code if code < 0 else code, 0.0


def _let_go(child: subprocess.Popen[bytes] | None) -> None:
    """Nobody watches this child any more; it may go on."""
    _LET_GO[:] = [each for each in _LET_GO if each.poll() is None]
    if child is not None and child.returncode is None:
        _LET_GO.append(child)


def _leader(child: subprocess.Popen[bytes]) -> Leader | None:
    """Our own child, as long as it has not ended: its id cannot be another's before we have waited for it."""
    found = process(child.pid)
    return None if found is None else Leader(found.pid, found.start, found.start)


async def _catch_up(reader: Reader) -> None:
    while True:
        if not reader.read():
            return
        await asyncio.sleep(0)


async def _pump(readers: tuple[Reader, Reader]) -> None:
    while True:
        more = False
        for reader in readers:
            try:
                more |= reader.read()
            except OSError as error:
                log.warning("output of a detached step cannot be read: %s", error)
        await asyncio.sleep(0 if more else POLL)
