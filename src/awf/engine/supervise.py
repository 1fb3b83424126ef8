"""Seeing to it that an engine lives: every server watches, one wins the respawn.

An engine that dies is replaced within a quarter of a second (plus its start). One of another version (an upgrade) gets
a successor, which claims from then on, and leaves when it has finished what it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from awf.engine.presence import exclusive, living, sweep

log = logging.getLogger("awf.supervise")

WATCH = 0.25
START_LIMIT = 15.0
BACKOFF_MAX = 30.0


class Supervisor:
    """``spawn`` starts an engine process; ``log_file`` is where it writes what goes wrong."""

    def __init__(
        self, engines: Path, version: str, spawn: Callable[[], subprocess.Popen[bytes]], log_file: Path
    ) -> None:
        self._engines = engines
        self._version = version
        self._spawn = spawn
        self._log_file = log_file
        self._children: list[subprocess.Popen[bytes]] = []
        self._backoff = 0.0
        self._stopped: set[int] = set()
        engines.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def run(self) -> None:
        """Watch until cancelled."""
        sweep(self._engines)
        while True:
            try:
                await self._ensure()
            except OSError as error:
                log.warning("cannot look after the engine: %s", error)
            self._reap()
            self._report_stopped()
            await asyncio.sleep(WATCH + self._backoff)

    def _report_stopped(self) -> None:
        """Say once of an engine that it has been stopped (SIGSTOP): it stays the owner of what it runs."""
        stopped = {member.pid for member in living(self._engines) if _is_stopped(member.pid)}
        for pid in stopped - self._stopped:
            log.warning(
                "engine %d is stopped (SIGSTOP): what it runs waits until it goes on (kill -CONT %d)",
                pid,
                pid,
            )
        self._stopped = stopped

    async def wait_for_children(self, patience: float) -> None:
        """Wait until the engines that we started have ended, at most ``patience`` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while self._children and loop.time() < deadline:
            await asyncio.sleep(0.02)
            self._reap()

    def _served(self) -> bool:
        members = living(self._engines)
        return bool(members) and members[-1].version == self._version

    async def _ensure(self) -> None:
        if self._served():
            self._backoff = 0.0
            return
        with exclusive(self._engines / "spawn") as won:
            if won and not self._served():
                await self._start()

    async def _start(self) -> None:
        child = self._spawn()
        self._children.append(child)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_LIMIT
        while loop.time() < deadline and child.poll() is None:
            if self._served():
                return
            await asyncio.sleep(0.01)
        self._backoff = min(BACKOFF_MAX, self._backoff * 2 or 1.0)
        log.error("the engine does not start (status %s); see %s", child.poll(), self._log_file)

    def _reap(self) -> None:
        self._children = [child for child in self._children if child.poll() is None]
        if os.getpid() == 1:
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass


def _is_stopped(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return text[text.rindex(b")") + 2 :][:1] in {b"T", b"t"}
