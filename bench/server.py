"""A real server over a project of its own, started as a user would start it."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from bench.client import Client
from bench.figures import NotMeasured
from bench.processes import children, command_name

START_LIMIT = 30.0


class Server:
    """``awf serve`` and the engine it started. ``project`` gets a ``.awf`` directory with the given workflows."""

    def __init__(
        self, project: Path, workflows: Mapping[str, str], environ: Mapping[str, str], **settings: str
    ) -> None:
        self.project = project
        self.storage = project / ".awf" / "storage"
        self._environ = {**environ, **settings}
        folder = project / ".awf" / "workflows"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in workflows.items():
            (folder / f"{name}.yaml").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is not None:
            sys.stderr.write(self._complaints())
        self.stop()

    def start(self) -> None:
        """Start it; returns when it listens and its engine lives. Raises NotMeasured where it does not."""
        with (self.project / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*AWF, "serve", "--port", "0", "--storage", str(self.storage)],
                cwd=self.project,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        output = self._process.stdout
        assert output is not None
        line = output.readline() if select.select([output], [], [], START_LIMIT)[0] else b""
        found = re.search(rb"listening on http://\S+?:(\d+)", line)
        if found is None:
            raise NotMeasured(f"awf serve does not start: {line!r} {self._complaints()}")
        self.port = int(found[1])
        threading.Thread(target=output.read, daemon=True).start()
        self.wait_for_engine()

    def client(self) -> Client:
        """A new connection."""
        return Client(self.port)

    @property
    def pid(self) -> int:
        """The API process."""
        assert self._process is not None
        return self._process.pid

    def engine(self) -> int | None:
        """The engine process, where one lives."""
        for child in children(self.pid):
            try:
                if command_name(child) == "awf-engine":
                    return child
            except OSError:
                continue
        return None

    def wait_for_engine(self, *, other_than: int | None = None) -> int:
        """The engine, once there is one (another one)."""
        deadline = time.monotonic() + START_LIMIT
        while (engine := self.engine()) is None or engine == other_than:
            if time.monotonic() > deadline:
                raise NotMeasured("there is no engine")
            pause(0.005)
        return engine

    def _complaints(self) -> str:
        """The ends of the logs."""
        logs = (self.project / "server.log", self.storage / "engine.log")
        return "".join(f"{log.name}:\n{log.read_text()[-2000:]}\n" for log in logs if log.exists())

    def stop(self) -> None:
        """End the server, its engine and all steps; returns when they are gone."""
        if self._process is None:
            return
        subprocess.run(
            [*AWF, "stop", "--now", "--storage", str(self.storage)],
            cwd=self.project,
            env=self._environ,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
        self._process.wait(30)
        self._process = None


AWF = [sys.executable, "-m", "awf"]


def pause(seconds: float) -> None:
    """Let time pass where it is time that is measured."""
    threading.Event().wait(seconds)


def clean_environment(home: Path, runtime: Path) -> dict[str, str]:
    """An environment that holds nothing of the user's own settings."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "SHELL": "/bin/sh",
        "XDG_RUNTIME_DIR": str(runtime),
    }
