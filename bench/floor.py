"""The floors: what a bare program pays on this machine for the same work, right now."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.fifo import Fifo

SOURCE = Path(__file__).with_name("floor.c")
SHELL = "/bin/sh"
"""The shell of the server's steps and of the floors."""
RECORD = b"x" * 1024


@dataclass(frozen=True, slots=True)
class Floor:
    """``program``: the compiled ``floor.c``, or None where there is no C compiler: then Python's ``posix_spawn``
    starts the shells, and ``date`` tells the time."""

    program: Path | None
    environ: Mapping[str, str]

    @property
    def how(self) -> str:
        """By what the floors are taken."""
        return "vfork+exec+wait in C" if self.program else "posix_spawn from Python (no C compiler)"

    def stamp(self, fifo: Fifo, milliseconds: int = 0) -> str:
        """A shell command that waits, writes the time into ``fifo`` as its last act, and ends."""
        if self.program:
            return f"exec {shlex.quote(str(self.program))} stamp {shlex.quote(str(fifo.path))} {milliseconds}"
        pause = f"sleep {milliseconds / 1000}; " if milliseconds else ""
        return f"{pause}date +%s%N > {shlex.quote(str(fifo.path))}"

    def shells(self, count: int, command: str, *, log: Path | None, sync: bool) -> list[tuple[int, int]]:
        """Begin and end (nanoseconds since the epoch) of ``count`` rounds of: one append to ``log``, durable if
        ``sync``, then one shell from its start to its end."""
        if self.program is None:
            return self._spawned(count, command, log=log, sync=sync)
        arguments = [str(count), str(log or "-"), str(int(sync)), SHELL, command]
        done = subprocess.run(
            [str(self.program), "loop", *arguments], env=dict(self.environ), check=True, capture_output=True
        )
        pairs = [line.split() for line in done.stdout.splitlines()]
        return [(int(begin), int(end)) for begin, end in pairs]

    def _spawned(self, count: int, command: str, *, log: Path | None, sync: bool) -> list[tuple[int, int]]:
        times = []
        file = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            for _ in range(count):
                begin = time.time_ns()
                os.write(file, RECORD)
                if log and sync:
                    os.fdatasync(file)
                os.waitpid(os.posix_spawn(SHELL, [SHELL, "-c", command], self.environ), 0)
                times.append((begin, time.time_ns()))
        finally:
            os.close(file)
        return times


def build_floor(directory: Path, environ: Mapping[str, str]) -> Floor:
    """Compile ``floor.c`` into ``directory``."""
    compiler = os.environ.get("CC") or shutil.which("cc")
    if compiler is None:
        return Floor(None, environ)
    program = directory / "floor"
    subprocess.run([*shlex.split(compiler), "-O2", "-o", str(program), str(SOURCE)], check=True)
    return Floor(program, environ)
