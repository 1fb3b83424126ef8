"""The commands, speaking to a server from a directory that has no project."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from acceptance.facts import Gate
from acceptance.server import Project, Server

Far: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Project]:
    """Where a person sits whose server runs somewhere else."""
    other = Project(tmp_path / "elsewhere")
    yield other
    assert not other.storage.exists(), "a remote command has made a store"
    other.close()


@pytest.fixture
def near(tmp_path: Path) -> Iterator[Project]:
    """Where the server runs."""
    project = Project(tmp_path / "near")
    yield project
    project.close()


@pytest.fixture
def server(near: Project) -> Server:
    return near.serve()


@pytest.fixture
def far(server: Server, elsewhere: Project) -> Far:
    """Runs a command elsewhere that speaks to the server; it must end with ``status``."""

    def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = elsewhere.awf(*arguments, env={"AWF_SERVER": server.url})
        assert done.returncode == status, (done.stdout, done.stderr)
        return done

    return run


def read(done: subprocess.CompletedProcess[str]) -> Any:
    """What a command with ``-f json`` says."""
    return json.loads(done.stdout)


def test_what_is_shown_is_the_same_near_and_far(near: Project, server: Server, far: Far) -> None:
    near.steps("good", "echo one", "echo grüße")
    near.steps("bad", "echo wrong >&2; exit 7")
    near.workflow("broken", "name: broken\nversion: '1'\nstates: {initial: nowhere}\n")
    good, bad = server.run("good"), server.run("bad")
    server.wait(good)
    server.wait(bad, "failed")
    for command in (
        ("status",),
        ("status", good),
        ("status", bad, "--verbose"),
        ("history",),
        ("history", "-s", "failed", "-w", "bad", "--since", "1h"),
        ("history", "--stats"),
        ("history", "-q", "-n", "1"),
    ):
        for form in ("json", "text", "quiet"):
            here = near.awf(*command, "-f", form)
            there = far(*command, "-f", form)
            assert (there.stdout, there.stderr) == (here.stdout, here.stderr), command
    for each in (here := read(near.awf("list", "-f", "json"))):
        each.pop("source")
    assert read(far("list", "-f", "json")) == here
    assert "cannot be run" in far("list").stdout


def test_a_run_is_cancelled_from_afar(near: Project, server: Server, far: Far) -> None:
    gate = Gate(near.root / "gate")
    near.steps("long", gate.wait)
    execution = server.run("long")
    server.wait_event(execution, "step.started")
    assert "cancel requested" in far("cancel", execution).stdout
    server.wait(execution, "cancelled")
    assert "has ended before: cancelled" in far("cancel", execution).stdout


def test_what_the_server_refuses_is_one_paragraph(far: Far) -> None:
    missing = "00000000-0000-0000-0000-000000000000"
    text = far("status", missing, status=1).stderr
    assert text.startswith(f"awf: execution not found: {missing}; try `awf status`")
    assert len(text.splitlines()) == 1
    found = json.loads(far("status", missing, "-f", "json", status=1).stderr)["error"]
    assert found["code"] == "USER.FACADE.EXECUTION_NOT_FOUND"


def test_nobody_there_is_one_paragraph(elsewhere: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
    for command in (("list",), ("status",), ("history", "--stats"), ("cancel", "x")):
        done = elsewhere.awf("--server", url, *command)
        assert done.returncode == 4
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"awf: no server answers at {url}: ")
        assert "try `awf serve` there, or another address" in line
    done = elsewhere.awf("list", "--server", url, "-f", "json")
    assert json.loads(done.stderr)["error"]["code"] == "SYSTEM.NET.UNREACHABLE"
