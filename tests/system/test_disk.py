"""Disks that are full or may not be written: said clearly, and nothing that was accepted is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from acceptance.facts import Gate, until
from acceptance.server import Project

UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
"""Root without the right to pass over the permissions of files."""


@contextmanager
def tmpfs(place: Path, options: str) -> Iterator[None]:
    """A file system of its own on a directory."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def small(project: Project) -> Iterator[Project]:
    """A project whose storage is a disk of 8 MB."""
    with tmpfs(project.storage, "size=8m,mode=700"):
        yield project
        project.close()


def fill(directory: Path) -> Path:
    """Use up all space; the file that does."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 65536
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
    return ballast


def test_a_full_disk_is_told_and_nothing_that_was_accepted_is_lost(small: Project) -> None:
    gate = Gate(small.root / "gate")
    small.steps("gated", f"echo begun; {gate.wait}; echo one >>lines", "echo two >>lines")
    small.steps("sleeper", "echo begun; setsid sleep 600 & sleep 600")
    small.steps("short", 'echo "$AWF_EXECUTION_ID" >>ran')
    server = small.serve()
    gated, sleeper = server.run("gated"), server.run("sleeper")
    for execution in (gated, sleeper):
        server.wait_event(execution, "output", "s1")
    ballast = fill(small.storage)
    accepted: list[str] = []

    def refused() -> httpx.Response | None:
        response = server.post("/api/workflows/short/run")
        if response.status_code == 202:
            accepted.append(response.json()["body"]["execution_id"])
            return None
        return response

    response = until(refused, "the disk is full")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) > 0
    detail = response.json()["detail"]
    assert "the disk is full" in detail
    assert str(small.storage) in detail

    assert server.execution(gated)["status"] == "running"
    sleepers = small.sleepers()
    assert len(sleepers) == 2
    server.cancel(sleeper)
    assert until(lambda: not small.sleepers(), "the cancelled step has ended on a full disk")

    gate.open()
    until((small.root / "lines").exists, "the first step has ended")
    assert server.execution(gated)["status"] == "running"
    ballast.unlink()
    server.wait(gated)
    server.wait(sleeper, "cancelled")
    for execution in accepted:
        server.wait(execution)
    assert (small.root / "lines").read_text() == "one\ntwo\n"
    after = server.run("short")
    server.wait(after)
    assert (small.root / "ran").read_text().split() == [*accepted, after]


def test_a_disk_that_is_full_at_the_start_is_one_line(small: Project) -> None:
    fill(small.storage)
    done = small.awf("serve", "--port", "0")
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert "the disk is full" in line
    assert str(small.storage) in line


def one_line_about(project: Project, storage: Path, prefix: tuple[str, ...] = ()) -> str:
    """What a server says that cannot use its storage: one line that names it, exit status 4."""
    done = project.awf("serve", "--port", "0", "--storage", str(storage), prefix=prefix)
    assert (done.returncode, done.stdout) == (4, "")
    (line,) = done.stderr.splitlines()
    assert str(storage) in line
    assert "--storage" in line
    return line


def test_a_storage_on_a_read_only_file_system_is_one_line(project: Project) -> None:
    place = project.root / "disk"
    with tmpfs(place, "size=1m,ro"):
        one_line_about(project, place)
        one_line_about(project, place / "below")


def test_a_storage_without_permission_to_write_is_one_line(project: Project) -> None:
    place = project.root / "locked"
    place.mkdir(mode=0o500)
    assert "permission" in one_line_about(project, place, UNPRIVILEGED)
    assert "permission" in one_line_about(project, place / "below", UNPRIVILEGED)


def test_a_storage_that_has_become_read_only_is_one_line(project: Project) -> None:
    with project.serve():
        pass
    for place in (project.storage / "journal.db", project.storage):
        place.chmod(0o500)
    one_line_about(project, project.storage, UNPRIVILEGED)


def test_a_workflow_file_without_permission_to_read_hides_no_other(project: Project) -> None:
    project.steps("good", "true")
    project.steps("bad", "true").chmod(0)
    server = project.serve(prefix=UNPRIVILEGED)
    listed = {item["name"]: item for item in server.body("/api/workflows")["workflows"]}
    assert "permission denied" in listed["bad"]["error"]
    assert "bad.yaml" in listed["bad"]["error"]
    assert "error" not in listed["good"]
    run = server.post("/api/workflows/bad/run")
    assert run.status_code == 422
    assert "permission denied" in run.json()["detail"]
    assert server.wait(server.run("good"))


def test_what_the_storage_holds_is_for_its_owner_alone(project: Project) -> None:
    project.steps("short", "true")
    server = project.serve()
    server.wait(server.run("short"))
    assert (project.storage / "journal.db").is_file()
    for directory, _, files in os.walk(project.storage):
        assert not Path(directory).stat().st_mode & 0o077, directory
        for name in files:
            if name != ".gitignore":
                assert not Path(directory, name).stat().st_mode & 0o077, name
    assert (project.storage / ".gitignore").read_text().split() == ["*"]
