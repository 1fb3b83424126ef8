"""Programs that run beside the server in processes of their own, so that nobody's interpreter lock slows another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from bench.figures import NotMeasured


class Peer:
    """A module of this package as a process. It speaks lines of JSON on its standard output."""

    def __init__(self, module: str, *arguments: str | int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"bench.peers.{module}", *map(str, arguments)],
            cwd=Path(__file__).parents[2],
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._name = module

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def tell(self, value: Any) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Its next line. Raises NotMeasured where it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NotMeasured(f"bench.peers.{self._name} ended with status {self._process.wait()}")
        return json.loads(line)


def say(value: Any) -> None:
    """Send the bench a line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
