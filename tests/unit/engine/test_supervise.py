"""Who starts an engine, and who does not. The "engines" here are sleeping processes with a presence that we hold."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

from awf.engine.presence import Member, Presence, living
from awf.engine.supervise import Supervisor


class Engines:
    """Spawns stand-ins and remembers them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.members: list[Presence] = []
        self.processes: list[subprocess.Popen[bytes]] = []

    def add(self, version: str, fingerprint: str = "f", age: int = 0) -> Presence:
        number = len(self.members) + 1
        member = Member(f"e{number}", 1, version, age or number, fingerprint)
        self.members.append(Presence(self.directory, member))
        return self.members[-1]

    def spawner(self, version: str, fingerprint: str = "f") -> Callable[[], subprocess.Popen[bytes]]:
        def spawn() -> subprocess.Popen[bytes]:
            self.add(version, fingerprint)
            self.processes.append(subprocess.Popen(["sleep", "600"]))
            return self.processes[-1]

        return spawn

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for member in self.members:
            member.release()


def supervise(
    engines: Engines, version: str, fingerprint: str = "f", *, leaving: bool = False, looks: int = 3
) -> int:
    """How many engines a server of that version starts in so many looks."""

    async def inside() -> int:
        supervisor = Supervisor(
            engines.directory, version, fingerprint, engines.spawner(version, fingerprint), Path("engine.log")
        )
        if leaving:
            supervisor.leave()
        await supervisor._succeed()
        for _ in range(looks):
            await supervisor._look()
        return len(engines.processes)

    try:
        return asyncio.run(inside())
    finally:
        for process in engines.processes:
            process.kill()
            process.wait()
        engines.processes.clear()


def test_a_missing_engine_is_started_once(tmp_path: Path) -> None:
    engines = Engines(tmp_path)
    assert supervise(engines, "0.1.0") == 1
    engines.close()


def test_a_living_engine_is_left_alone(tmp_path: Path) -> None:
    engines = Engines(tmp_path)
    engines.add("0.1.0")
    assert supervise(engines, "0.1.0") == 0
    engines.close()


def test_an_upgrade_starts_a_successor_and_the_older_server_leaves_it_alone(tmp_path: Path) -> None:
    engines = Engines(tmp_path)
    engines.add("0.9.0")
    assert supervise(engines, "0.10.0") == 1
    assert [member.version for member in living(tmp_path)] == ["0.9.0", "0.10.0"]
    assert supervise(engines, "0.9.0", leaving=True) == 0
    engines.close()


def test_other_settings_get_a_successor_once_when_a_server_starts(tmp_path: Path) -> None:
    engines = Engines(tmp_path)
    engines.add("0.1.0", "old")
    assert supervise(engines, "0.1.0", "new") == 1
    engines.close()


def test_a_draining_engine_does_not_count(tmp_path: Path) -> None:
    engines = Engines(tmp_path)
    engines.add("0.1.0").drain()
    assert supervise(engines, "0.1.0") == 1
    engines.close()


def test_a_server_that_leaves_starts_none(tmp_path: Path) -> None:
    engines = Engines(tmp_path)
    assert supervise(engines, "0.1.0", leaving=True) == 0
    engines.close()
