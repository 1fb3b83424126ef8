"""What every row works with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.fifo import Fifo
from bench.floor import Floor
from bench.server import Server


@dataclass(slots=True)
class Context:
    """``work``: a directory of this run, on the disk of the checkout. ``quick``: fewer samples."""

    work: Path
    quick: bool
    floor: Floor
    environ: Mapping[str, str]
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def many(self, full: int, quick: int) -> int:
        """A number of samples."""
        return quick if self.quick else full

    def directory(self, name: str) -> Path:
        """A new directory."""
        path = self.work / f"{name}-{next(self._count)}"
        path.mkdir()
        return path

    def fifo(self, name: str) -> Fifo:
        """A new named pipe."""
        return Fifo(self.work / f"{name}-{next(self._count)}.fifo")

    def server(self, name: str, workflows: Mapping[str, str], **settings: str) -> Server:
        """A server over a new project, not started yet; ``settings`` are environment variables."""
        return Server(self.directory(name), workflows, self.environ, **settings)
