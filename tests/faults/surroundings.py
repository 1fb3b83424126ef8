"""What the steps of these workflows need beside a shell: a command-line agent, and a service that operations ask.

Both leave a line in the file of effects, as shell steps do: the agent its attempt's id, the service one per request.
"""

from __future__ import annotations

import itertools
import os
import shlex
import threading
from collections.abc import Mapping
from pathlib import Path

from agents.tools import install
from faults.workflows import EFFECT, SERVICE
from services.web import Call, Service

ANSWER = b"answered"


class Surroundings:
    """Of the executions of one project. ``close`` ends the service."""

    def __init__(self, root: Path) -> None:
        self._effects = root / "effects"
        self._programs = self._install(root)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._service = Service()
        self._service.otherwise(self._answer)

    def environ(self) -> Mapping[str, str]:
        """What engines need to find the agent."""
        return {"PATH": f"{self._programs}:{os.environ['PATH']}"}

    def placed(self, text: str) -> str:
        """A workflow, with the address of the service in it."""
        return text.replace(SERVICE, self._service.url)

    def close(self) -> None:
        """Nobody asks any more."""
        self._service.close()

    @staticmethod
    def _install(root: Path) -> Path:
        real = install(root / "agents", "claude")
        programs = root / "programs"
        programs.mkdir()
        script = programs / "claude"
        script.write_text(f'#!/bin/sh\n{EFFECT}exec {shlex.quote(str(real / "claude"))} "$@"\n')
        script.chmod(0o755)
        return programs

    def _answer(self, call: Call) -> None:
        place = call.body.decode()
        with self._lock, self._effects.open("a") as file:
            file.write(f"{place}.request{next(self._numbers)}\n")
        # Without the time, which would be another one in every execution.
        call.handler.send_response_only(200)
        call.handler.send_header("Content-Length", str(len(ANSWER)))
        call.handler.end_headers()
        call.raw(ANSWER)
