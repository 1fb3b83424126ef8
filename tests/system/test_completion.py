"""Completion in the real shells, set up as ``awf completion --help`` says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from acceptance.server import Project

BEGIN = {
    "bash": (
        ["--norc", "-i"],
        "mkdir -p ~/done; awf completion bash > ~/done/awf; source ~/done/awf",
    ),
    "zsh": (
        ["-f", "-i"],
        'mkdir -p ~/done; fpath=(~/done $fpath); awf completion zsh > "${fpath[1]}/_awf"; '
        "autoload -U compinit; compinit -u",
    ),
}
FISH = (
    "mkdir -p ~/.config/fish/completions; awf completion fish > ~/.config/fish/completions/awf.fish; "
    "complete -C $argv[1]"
)

Complete = Callable[[str], str]
"""The last word of a line in which the tab key is pressed at the end."""


@pytest.fixture
def environ(project: Project) -> dict[str, str]:
    project.workflow(
        "deploy-app",
        "name: deploy-app\ninputs:\n  - {name: environment, validation: {enum: [staging, production]}}\n"
        "states:\n  initial: publish\n  publish: {type: step, command: 'true', on_success: done}\n"
        "  done: {type: terminal}\n",
    )
    # What has been completed is shown, not run.
    _program(
        project.root / "bin" / "awf",
        f'[ -n "$_AWF_COMPLETE" ] || [ "$1" = completion ] && exec {sys.executable} -P -m awf "$@"\n'
        'printf "\\n@"; printf "<%s>" "$@"\n',
    )
    env = project.environ({"TERM": "vt100", "PS1": "", "LC_ALL": "C.UTF-8"})
    env["PATH"] = f"{project.root / 'bin'}:{env['PATH']}"
    return env


@pytest.fixture(params=[*BEGIN, "fish"])
def complete(request: pytest.FixtureRequest, project: Project, environ: dict[str, str]) -> Iterator[Complete]:
    if request.param == "fish":
        yield lambda line: _in_fish(line, project, environ)
        return
    arguments, begin = BEGIN[request.param]
    child = pexpect.spawn(
        request.param,
        arguments,
        cwd=str(project.root),
        env=environ,
        dimensions=(40, 200),
        encoding="utf-8",
        timeout=30,
    )
    child.sendline(f"{begin}; echo rea''dy")
    child.expect_exact("ready")

    def in_terminal(line: str) -> str:
        child.send(f"{line}\t; echo do''ne\r")
        child.expect_exact("done")
        return re.findall("<(.*?)>", (child.before or "").rpartition("\n@")[2])[-1]

    yield in_terminal
    child.close(force=True)


def _in_fish(line: str, project: Project, environ: dict[str, str]) -> str:
    done = subprocess.run(
        ["fish", "-c", FISH, line],
        cwd=project.root,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.rstrip("\n").partition("\t")[0]


def _program(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


def test_names_are_completed(complete: Complete) -> None:
    assert complete("awf run dep") == "deploy-app"
    assert complete("awf run deploy-app --step pu") == "publish"
    assert complete("awf run deploy-app -i env") == "environment="
    assert complete("awf run deploy-app -i environment=st").endswith("staging")
    assert complete("awf run -i environment=staging dep") == "deploy-app"
