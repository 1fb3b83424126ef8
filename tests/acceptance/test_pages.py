"""Every page of the documentation, tried as it is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from acceptance.facts import Gate
from acceptance.pages import (
    CHECKOUT,
    PAGES,
    SERVER,
    SESSIONS,
    blocks,
    said,
    script,
    shown,
    starts_a_server,
    workflow_of,
)
from acceptance.ports import free_port
from acceptance.server import Project, Server
from conformance.loading import checked

RUN = {"bash", *SESSIONS}
CONTRIBUTORS = {"benchmarks.md", "contributing.md", "testing.md"}
"""Pages about the checkout itself: their commands take minutes, or are this test."""
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]+)?\)")


def waiting(project: Project, server: Server) -> dict[str, str]:
    """An execution that waits for what a person says of a step that was cut short."""
    gate = Gate(project.root / "gate")
    state = {"type": "step", "command": gate.wait, "on_crash": "ask", "on_success": "done"}
    states = {"initial": "deploy", "deploy": state, "done": {"type": "terminal"}}
    project.workflow("careful", json.dumps({"name": "careful", "version": "1.0.0", "states": states}))
    execution = server.run("careful")
    server.wait_event(execution, "step.started")
    os.kill(project.engine(), signal.SIGKILL)
    server.wait_event(execution, "input.required", query="?events=all")
    return {"EXEC_ID": execution}


def nothing(_project: Project, _server: Server) -> dict[str, str]:
    """Most readers have the examples alone."""
    return {}


BEFORE = {"waiting.md": waiting}
"""What a reader of a page has besides the examples, as variables."""

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
tried = pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in CONTRIBUTORS], ids=lambda page: page.name
)


@pytest.fixture
def reader(project: Project) -> Project:
    """A checkout as a reader has it after ``make setup``, with the examples."""
    project.take_examples()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, project.root)
    shutil.copytree(CHECKOUT / "requirements", project.root / "requirements")
    binaries = project.root / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "awf").symlink_to(Path(sys.executable).with_name("awf"))
    (binaries.parent / ".run").touch()
    return project


@tried
def test_commands_and_sessions(page: Path, reader: Project) -> None:
    found = blocks(page)
    runnable = [block for block in found if block.place is not None or block.language in RUN]
    if not any(block.language in RUN for block in runnable):
        return
    port, known = free_port(), {}
    if _speaks_to_a_server(page) and not starts_a_server(found):
        server = reader.serve()
        port, known = server.port, BEFORE.get(page.name, nothing)(reader, server)
    done = _bash(reader, script(runnable, port), known)
    assert done.returncode == 0, f"{page.name}: {done.stderr}"
    assert said(found, "console", done.stdout) == shown(found, "console")
    for there, here in zip(said(found, "terminal", done.stdout), shown(found, "terminal"), strict=True):
        rest = iter(there.splitlines())
        assert [line for line in here.splitlines() if line not in rest] == [], there


@pages
def test_what_is_written_down_is_valid(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "yaml":
            _check_yaml(where, block.text, tmp_path, page.read_text())
        else:
            known = {"", "bash", "console", "dockerfile", "ini", "nginx", "python", "terminal", "text"}
            assert block.language in known, where


@tried
def test_python(page: Path, reader: Project) -> None:
    programs = [block for block in blocks(page) if block.language == "python"]
    if not programs:
        return
    server = reader.serve()
    for block in programs:
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                re.sub(r"(?<=localhost:)2511", str(server.port), block.text),
            ],
            cwd=reader.root,
            env=reader.environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{page.name}:{block.line}: {done.stderr}"


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor and there.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            anchors = {
                re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
            }
            assert anchor[1:] in anchors, f"{page.name}: {target}{anchor}"


@pytest.mark.parametrize("name", sorted(CONTRIBUTORS))
def test_the_targets_that_contributors_are_told_of_exist(name: str) -> None:
    page = CHECKOUT / "docs" / name
    for target in set(re.findall(r"\bmake ([a-z-]+)", page.read_text())):
        done = subprocess.run(
            ["make", "-n", target], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_every_page_is_linked_from_the_index() -> None:
    index = (CHECKOUT / "docs" / "README.md").read_text()
    linked = {target for target, _ in LINK.findall(index)}
    assert {page.name for page in PAGES if page.parent.name == "docs" and page.name != "README.md"} <= linked


def _speaks_to_a_server(page: Path) -> bool:
    return "localhost:2511" in page.read_text() or any(SERVER.search(block.text) for block in blocks(page))


def _bash(project: Project, text: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash"],
        input=text,
        cwd=project.root,
        env=project.environ({"COLUMNS": "120", "TERM": "xterm-256color", **variables}),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def _check_yaml(where: str, text: str, root: Path, page: str) -> None:
    value = yaml.safe_load(text)
    assert isinstance(value, dict), where
    if "states" in value or all(isinstance(part, dict) and "type" in part for part in value.values()):
        if not {"name", "states"} <= value.keys():
            around = workflow_of(value.get("states", value))
            text = yaml.safe_dump(
                {**around, "inputs": value.get("inputs", around["inputs"])}, sort_keys=False
            )
        name = value["name"] if "name" in value and "states" in value else "page"
        linked = checked({f".awf/workflows/{name}.yaml": text}, name)
        wrong = [problem for problem in linked.errors if not _is_of_the_page(problem.message, page)]
        assert not wrong, f"{where}: {wrong}"
    else:
        config = root / ".awf" / "config.yaml"
        config.parent.mkdir(exist_ok=True)
        config.write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "awf", "config", "show"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"{where}: {done.stderr}"


def _is_of_the_page(message: str, page: str) -> bool:
    """Whether a type of state is not known because a plug-in that the page is about adds it."""
    unknown = re.search(r"unknown type '(\w+)'", message)
    return unknown is not None and f"| a state type | `awf.states` | `type: {unknown[1]}` |" in page
