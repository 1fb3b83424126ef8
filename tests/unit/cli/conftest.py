from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from awf.cli.main import awf
from awf.cli.options import Options

FOREIGN = (
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "AWF_CONFIG_HOME",
    "AWF_CONFIG_PATH",
    "AWF_PORT",
    "AWF_STORAGE",
    "AWF_SERVER",
    "NO_COLOR",
)

Call = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that is the current directory."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".awf" / "workflows").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(project: Path) -> Call:
    """Runs a command in this process, in the project; what it raises comes through."""

    def run(*arguments: str, **more: Any) -> Result:
        return CliRunner().invoke(awf, arguments, catch_exceptions=False, obj=Options(), **more)

    return run


def write(project: Path, name: str, states: str, more: str = "") -> Path:
    """A workflow file."""
    path = project / ".awf" / "workflows" / f"{name}.yaml"
    path.write_text(f"name: {name}\nversion: 1.0.0\ndescription: A test\n{more}states:\n{states}")
    return path


ECHO = (
    "  initial: say\n  say: {type: step, command: 'echo hello', on_success: done}\n  done: {type: terminal}\n"
)
FAILS = (
    "  initial: say\n"
    "  say: {type: step, command: 'echo wrong >&2; exit 7', on_success: done}\n"
    "  done: {type: terminal}\n"
)
