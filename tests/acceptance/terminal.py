"""``awf`` in a real pseudo-terminal, driven by what it shows."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import pexpect

from acceptance.server import Project

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class Terminal:
    """One command in a terminal of its own. ``shown`` has everything that it has shown, without what moves the cursor."""

    def __init__(
        self, project: Project, *arguments: str, columns: int = 80, env: Mapping[str, str] | None = None
    ) -> None:
        self._child = pexpect.spawn(
            sys.executable,
            ["-P", "-m", "awf", *arguments],
            cwd=str(project.root),
            env={"TERM": "xterm-256color", **project.environ(env)},
            dimensions=(24, columns),
            encoding="utf-8",
            timeout=30,
        )
        self._seen: list[str] = []

    def expect(self, text: str) -> None:
        """Until it shows this; what is looked for next comes after it."""
        self._child.expect_exact(text)
        self._seen += [self._child.before or "", str(self._child.after)]

    def answer(self, text: str) -> None:
        """Type a line at the next prompt."""
        self.expect("> ")
        self._child.sendline(text)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._child.sendintr()

    def end_of_input(self) -> None:
        """Ctrl-D at the next prompt."""
        self.expect("> ")
        self._child.sendeof()

    def ended(self) -> int:
        """Its exit status, once it has ended."""
        self._child.expect(pexpect.EOF)
        self._seen.append(self._child.before or "")
        self._child.close()
        assert isinstance(self._child.exitstatus, int), self.raw
        return self._child.exitstatus

    @property
    def raw(self) -> str:
        return "".join(self._seen)

    @property
    def shown(self) -> str:
        return _CONTROL.sub("", self.raw)

    @property
    def lines(self) -> list[str]:
        """Every line that was on the screen at some time, as it was then."""
        return [line for line in re.split(r"[\r\n]+", self.shown) if line.strip()]
