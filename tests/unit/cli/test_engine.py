"""The engine process where it cannot begin."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from awf.compose import Layout, open_store
from awf.settings import load_settings


def test_an_engine_that_cannot_be_present_says_so_in_a_line(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    store = open_store(load_settings(tmp_path, {}, {"storage": storage}))
    asyncio.run(store.close())
    Layout(storage).engines.write_text("no directory")
    command = [sys.executable, "-m", "awf.cli.engine", "--root", str(tmp_path), "--storage", str(storage)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 4
    assert ended.stderr == f"awf-engine: the storage directory {storage} cannot be used: File exists\n"
