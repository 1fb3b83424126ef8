"""Tests of file permissions: root is bound by none, so they drop its privileges first."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Run the block as ``nobody`` if we are root; gives a directory that the block may use and others may enter."""
    directory = Path(tempfile.mkdtemp(prefix="awf-nobody-"))
    root = os.geteuid() == 0
    if root:
        os.chown(directory, NOBODY, NOBODY)
        directory.chmod(0o755)
        os.seteuid(NOBODY)
    try:
        yield directory
    finally:
        if root:
            os.seteuid(0)
        shutil.rmtree(directory)
