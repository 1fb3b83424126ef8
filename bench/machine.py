"""Facts of the machine and of what was measured, without which numbers mean little."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def machine_facts(work: Path) -> dict[str, Any]:
    """``work`` lies on the disk that is measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_kib": int(_first("/proc/meminfo", "MemTotal").split()[0]),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "file_system": _file_system(work),
        "load_average": list(os.getloadavg()),
        "commit": _commit(),
    }


def headline(facts: Mapping[str, Any]) -> str:
    """The facts that say how much to trust the table, in a line."""
    before, after = facts["load_average"][0], facts["load_average_after"][0]
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['file_system']}, Linux {facts['kernel']}, "
        f"Python {facts['python']}, SQLite {facts['sqlite']}, commit {facts['commit']}, "
        f"load {before:.1f} before and {after:.1f} after"
    )


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown 0"


def _file_system(directory: Path) -> str:
    """The type of the innermost mount that holds the directory."""
    found = ("", "unknown")
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if directory.resolve().is_relative_to(mount) and len(mount) >= len(found[0]):
            found = (mount, kind)
    return found[1]


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
