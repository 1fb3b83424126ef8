"""Wake-ups between the processes of one store: Unix datagrams as hints, nothing more.

Every process binds a socket in a short private directory and sends an empty datagram to the sockets of the others when
something may have changed for them. What a datagram says is ignored, only that one came counts; a lost one costs its
receiver a poll. Cancel marks are the one thing that lives in this directory: an empty file that tells the engine to
end an execution's processes while the disk of the store is full and no intent can be written.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

Role = Literal["server", "engine"]

_MARK = "cancel-"


def runtime_directory(storage: Path, bases: Sequence[Path] | None = None) -> Path | None:
    """A private directory with a short name for this store's sockets; None where there is no safe one.

    It follows from the user and the store alone, so that processes started in different surroundings find each other.
    """
    if bases is None:
        bases = Path(f"/run/user/{os.getuid()}"), Path("/tmp")  # noqa: S108 - owner and mode are checked
    name = hashlib.sha256(os.fsencode(storage.resolve())).hexdigest()[:16]
    for base in bases:
        path = base / f"awf-{os.getuid()}-{name}"
        if _is_private(path):
            return path
    return None


def _is_private(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return False


class Wakeups:
    """Our end: ``listen`` to be woken, ``notify`` (bound to a role) to wake the others."""

    def __init__(self, directory: Path | None, role: Role, member: str) -> None:
        self._directory = directory
        self._path = directory / f"{role}-{member[:12]}.sock" if directory else None
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._receiver: socket.socket | None = None
        self._seen: tuple[int, list[str]] = (-1, [])
        self._due: set[Role] = set()

    def listen(self, woken: Callable[[], None]) -> None:
        """Call ``woken`` on the running loop whenever something may have changed, until ``mute``."""
        if self._path is None or self._receiver is not None:
            return
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setblocking(False)
        try:
            receiver.bind(os.fspath(self._path))
        except OSError:
            receiver.close()
            return
        self._receiver = receiver
        asyncio.get_running_loop().add_reader(receiver, self._drain, receiver, woken)

    @staticmethod
    def _drain(receiver: socket.socket, woken: Callable[[], None]) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                receiver.recv(16)
        woken()

    def notify(self, role: Role) -> None:
        """Wake every process of that role, once for all calls of one turn of the event loop. Never blocks, never
        fails."""
        if not self._due:
            asyncio.get_running_loop().call_soon(self._send_due)
        self._due.add(role)

    def _send_due(self) -> None:
        due, self._due = self._due, set()
        for name in self._sockets():
            if name.startswith(tuple(due)):
                try:
                    self._sender.sendto(b"", f"{self._directory}/{name}")
                except BlockingIOError:
                    pass  # Its queue is full: it has been woken often enough.
                except OSError:
                    self._forget(name)

    def _sockets(self) -> list[str]:
        if self._directory is None:
            return []
        with contextlib.suppress(OSError):
            changed = self._directory.stat().st_mtime_ns
            if changed != self._seen[0]:
                self._seen = changed, [name for name in os.listdir(self._directory) if name.endswith(".sock")]
        return self._seen[1]

    def _forget(self, name: str) -> None:
        """The socket of a process that died."""
        if self._directory is not None:
            with contextlib.suppress(OSError):
                (self._directory / name).unlink()

    def mark_cancel(self, execution: str) -> bool:
        """Leave a cancel mark. False where there is no private directory."""
        if self._directory is None:
            return False
        with contextlib.suppress(OSError):
            (self._directory / f"{_MARK}{execution}").touch(mode=0o600)
            return True
        return False

    def cancel_marks(self) -> list[str]:
        """Executions that have a cancel mark."""
        if self._directory is None:
            return []
        with contextlib.suppress(OSError):
            names = os.listdir(self._directory)
            return [name.removeprefix(_MARK) for name in names if name.startswith(_MARK)]
        return []

    def clear_mark(self, execution: str) -> None:
        """Remove a mark that has been obeyed."""
        if self._directory is not None:
            with contextlib.suppress(OSError):
                (self._directory / f"{_MARK}{execution}").unlink()

    def mute(self) -> None:
        """Stop listening: nobody spends anything on waking us."""
        if self._receiver is not None and self._path is not None:
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._receiver)
            self._receiver.close()
            self._receiver = None

    def close(self) -> None:
        """Send what is due, stop listening, and remove the directory if we were the last. Twice is safe."""
        if self._sender.fileno() >= 0:
            self._send_due()
        self.mute()
        self._sender.close()
        if self._directory is not None:
            with contextlib.suppress(OSError):
                self._directory.rmdir()
