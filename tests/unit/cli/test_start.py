"""What the command line loads: it must be there at once (docs/adr/0017-values-are-structs.md)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = "import sys; from awf.cli.main import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules, file=sys.stderr)"
NEVER_TO_LIST = {
    "asyncio", "awf.compose", "awf.engine.engine", "awf.server", "awf.stores", "dataclasses", "difflib", "httpx",
    "litestar", "logging", "re2", "rich", "sqlite3", "subprocess",
}  # fmt: skip


def loaded(arguments: list[str], directory: Path) -> set[str]:
    """The modules that a command has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *arguments],
        cwd=directory,
        env={"HOME": str(directory), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_says_how_to_use_awf_loads_nothing_of_it(option: str, tmp_path: Path) -> None:
    found = loaded([option], tmp_path)
    assert {name for name in found if name.startswith("awf.")} == {
        "awf.cli",
        "awf.cli.main",
        "awf.cli.options",
    }
    assert not found & {"dataclasses", "msgspec", "yaml"}


def test_a_list_loads_the_language_and_nothing_that_runs_it(tmp_path: Path) -> None:
    folder = tmp_path / ".awf" / "workflows"
    folder.mkdir(parents=True)
    (folder / "one.yaml").write_text("name: one\nstates: {initial: done, done: {type: terminal}}\n")
    found = loaded(["list"], tmp_path)
    assert "awf.domain.load" in found
    assert found & NEVER_TO_LIST == set()
