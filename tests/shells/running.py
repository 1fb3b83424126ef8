"""Shells that are installed, and commands with values for them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from awf.domain.shell import Hole, ShellScript, preamble, shell_script
from awf.domain.templates import Text, Value

EVERY_SHELL = ("dash", "bash", "ksh", "zsh")
SHELLS = [name for name in EVERY_SHELL if shutil.which(name)]

MARK = re.compile(r"«([A-Za-z0-9_]*)»")


def parts_of(source: str, values: Mapping[str, str], escaped: Sequence[str] = ()) -> list[Text | Value]:
    """``«name»`` in the source stands for a value."""
    parts: list[Text | Value] = []
    for place, piece in enumerate(MARK.split(source)):
        if place % 2 and piece in escaped:
            quoted = "'" + values[piece].replace("'", "'\\''") + "'"
            parts.append(Value(quoted, quoted, escaped=True))
        elif place % 2:
            parts.append(Value(values[piece], values[piece]))
        elif piece:
            parts.append(Text(piece))
    return parts


def static_parts_of(source: str) -> list[Text | Hole]:
    pieces = enumerate(MARK.split(source))
    return [Hole() if place % 2 else Text(piece) for place, piece in pieces if place % 2 or piece]


def whole(script: ShellScript, shell: str = "sh") -> str:
    return preamble(script.variables, shell) + script.script


def script_of(source: str, **values: str) -> ShellScript:
    return shell_script(parts_of(source, values))


def run_shell(shell: str, code: str, directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [shell, "-c", code, shell, *arguments],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(directory)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
