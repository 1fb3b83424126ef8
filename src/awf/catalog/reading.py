"""Reading one workflow file without ever waiting for it, and saying in one problem why it cannot be read."""

from __future__ import annotations

import errno
import os
import stat

from msgspec import Struct

from awf.domain.document import MAX_BYTES

_REASONS = {
    errno.ENOENT: "is a symbolic link to nothing",
    errno.ELOOP: "is a symbolic link that leads back to itself",
    errno.EACCES: "cannot be read: permission denied",
    errno.EPERM: "cannot be read: permission denied",
    errno.ENXIO: "is not a regular file",
}

SETTLED = 100_000_000
"""Nanoseconds. A file modified less than this before it was read may change again within one tick of the file
system's clock and keep its time and size: what was read from it is not taken as current."""


class Version(Struct, frozen=True):
    """What tells one content of a file from another without reading it. Times are nanoseconds."""

    device: int
    inode: int
    modified: int
    changed: int
    size: int


class Unreadable(Exception):
    """``reason`` goes on from the file's name: ``is a directory``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def version_of(status: os.stat_result) -> Version:
    return Version(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


def read(path: str) -> tuple[bytes, Version]:
    """The content of a regular file and its version from before it was read. Of a file that is too large for a
    workflow only as much is read as shows it. Raises Unreadable."""
    try:
        return _read(path)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"cannot be read: {error.strerror}")
        raise Unreadable(reason) from None


def _read(path: str) -> tuple[bytes, Version]:
    _check_regular(os.stat(path))  # noqa: PTH116 - opening a pipe or a device can have effects: look first
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        _check_regular(status)
        parts: list[bytes] = []
        missing = MAX_BYTES + 1
        while missing and (part := os.read(descriptor, missing)):
            parts.append(part)
            missing -= len(part)
    finally:
        os.close(descriptor)
    return b"".join(parts), version_of(status)


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is not a regular file")
