"""What attempts leave outside the journal, so that the next engine finds them: notes of who was started, and the files of
detached attempts.

A detached attempt has a directory ``<storage>/attempts/<attempt id>/``: ``stdout`` and ``stderr`` as they were written,
what it was given (``command-*``), and ``record``, of which every complete line counts: the boot's id, the
wrapper's ``/proc/PID/stat`` at its start, and the exit status once there is one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from awf.domain.outcomes import KILLED
from awf.runners.notes import Notes, boot
from awf.runners.processes import Leader, parse_stat, process

log = logging.getLogger("awf.runners")


class Record(Struct, frozen=True):
    """How far a detached attempt has come: in which boot, with which wrapper (None: it has not got that far), and with
    which exit status (None: none yet)."""

    boot: str
    wrapper: Leader | None = None
    status: int | None = None

    @classmethod
    def parse(cls, text: bytes) -> Record:
        """From the complete lines of a record file."""
        lines = [line for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
        wrapper, status = None, None
        with contextlib.suppress(ValueError, IndexError):
            pid = int(lines[1].split(b" ", 1)[0])
            found = parse_stat(lines[1], pid)
            wrapper = Leader(pid, found.start, found.start) if found else None
            status = int(lines[2])
        return cls(lines[0].decode("ascii", "replace").strip() if lines else "", wrapper, status)

    def is_alive(self) -> bool:
        """Does the wrapper live?"""
        found = process(self.wrapper.pid) if self.wrapper is not None else None
        return found is not None and self.wrapper is not None and self.wrapper.is_at(found.start)


class AttemptFiles(Struct, frozen=True):
    """The files of one detached attempt."""

    directory: Path

    @property
    def stdout(self) -> Path:
        """What it wrote to its standard output."""
        return self.directory / "stdout"

    @property
    def stderr(self) -> Path:
        """What it wrote to its standard error."""
        return self.directory / "stderr"

    @property
    def record_file(self) -> Path:
        """Where the wrapper writes what :meth:`record` reads."""
        return self.directory / "record"

    def create(self, this_boot: str) -> None:
        """Make the directory and its empty files, for nobody but us. Raises OSError, and leaves nothing then."""
        self.directory.mkdir(mode=0o700)
        try:
            _write_new(self.stdout, b"")
            _write_new(self.stderr, b"")
            _write_new(self.record_file, f"{this_boot}\n".encode())
        except OSError:
            self.remove()
            raise

    def keep(self, name: str, text: str) -> Path:
        """Write a further file, for nobody but us; ``name`` may have directories. Raises OSError."""
        path = self._place(name)
        _write_new(path, text.encode(errors="replace"))
        return path

    def link(self, name: str, target: str) -> None:
        """Make a symbolic link. Raises OSError."""
        self._place(name).symlink_to(target)

    def _place(self, name: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def remove(self) -> None:
        """Remove all of it, as far as that can be; not what links lead to."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def record(self) -> Record:
        """What is known of it. Raises OSError."""
        return Record.parse(self.record_file.read_bytes())


class Attempts:
    """``awf.engine.ports.AttemptKeeper``: the attempts of one storage directory, as one engine sees them."""

    def __init__(self, directory: Path, notes: Notes) -> None:
        self._directory = directory
        self._boot = boot()
        self.notes = notes

    def files(self, attempt: str) -> AttemptFiles:
        """Where the files of a detached attempt are."""
        return AttemptFiles(self._directory / attempt)

    def create(self, attempt: str) -> AttemptFiles:
        """The files of an attempt about to start. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = self.files(attempt)
        files.create(self._boot)
        return files

    def adoptable(self, attempt: str) -> bool:
        """See ``awf.engine.ports.AttemptKeeper``."""
        files = self.files(attempt)
        try:
            record = files.record()
            if record.boot != self._boot:
                return False
            if record.status is None:
                # Looked at in this order, so that an end between the two looks is not missed.
                return record.is_alive() or self._ended(files.record())
        except OSError:
            return False
        return self._ended(record)

    @staticmethod
    def _ended(record: Record) -> bool:
        return record.status is not None and record.status not in KILLED

    def kept(self) -> list[str]:
        """See ``awf.engine.ports.AttemptKeeper``."""
        try:
            return sorted(path.name for path in self._directory.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            # Without it nothing can be taken over, and everything else goes on.
            log.warning("what detached steps left cannot be read: %s", error)
            return []

    def forget(self, attempts: Collection[str]) -> threading.Thread | None:
        """See ``awf.engine.ports.AttemptKeeper``. A large file takes a while, and nobody waits for it: returns the thread
        that removes, if there is anything."""
        kept = [self.files(attempt) for attempt in attempts]
        if not kept:
            return None
        removal = threading.Thread(target=_remove, args=(kept,), name="awf-forget")
        removal.start()
        return removal

    def sweep(self, owners: Collection[str]) -> None:
        """See ``awf.engine.ports.AttemptKeeper``."""
        self.notes.sweep(owners)

    def close(self) -> None:
        """The engine leaves."""
        self.notes.close()


def _remove(kept: list[AttemptFiles]) -> None:
    for files in kept:
        files.remove()


def _write_new(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:  # all of it, or OSError: half a policy would allow what it is to forbid
        file.write(content)
