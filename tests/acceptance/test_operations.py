"""Operations that start programs, through the real server: what they get, and that nothing of them is left."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from acceptance.facts import processes, until
from acceptance.server import Project
from services.gh import install
from services.web import service

ISSUE = {"number": 5, "title": "t", "body": "b", "state": "OPEN", "labels": []}


def operation(project: Project, name: str, **keys: Any) -> None:
    states = {
        "initial": "a",
        "a": {"type": "operation", "on_success": "b", **keys},
        "b": {"type": "terminal", "message": "{{states.a.Response.title}}"},
    }
    project.workflow(name, json.dumps({"name": name, "states": states}))


def with_gh(project: Project, **world: Any) -> dict[str, str]:
    """The environment of a server that finds the stand-in for ``gh``."""
    programs = install(project.root / "bin")
    (project.root / "world.json").write_text(json.dumps(world))
    return {
        "PATH": f"{programs}:{project.environ()['PATH']}",
        "GH_CALLS": str(project.root / "calls"),
        "GH_WORLD": str(project.root / "world.json"),
    }


def running_gh(project: Project) -> list[Path]:
    program = str(project.root / "bin" / "gh").encode()
    found = []
    for place in processes():
        try:
            found += [place] if program in (place / "cmdline").read_bytes() else []
        except OSError:
            continue
    return found


def test_github_through_gh(project: Project) -> None:
    server = project.serve(env=with_gh(project, issue={"5": ISSUE}))
    operation(project, "read", operation="github.get_issue", inputs={"number": 5})
    execution = server.run("read")
    server.wait(execution)
    assert server.events(execution)[-1].data["message"] == "t"


def test_gh_does_not_outlive_its_step(project: Project) -> None:
    server = project.serve(env=with_gh(project, hang=True))
    operation(project, "read", operation="github.get_issue", inputs={"number": 5})
    cancelled = server.run("read")
    until(lambda: running_gh(project), "gh runs")
    server.cancel(cancelled)
    server.wait(cancelled, "cancelled")
    assert running_gh(project) == []


def test_gh_does_not_outlive_its_engine_for_long(project: Project) -> None:
    server = project.serve(env=with_gh(project, hang=True))
    operation(project, "read", operation="github.get_issue", inputs={"number": 5})
    execution = server.run("read")
    until((project.root / "calls.hangs").exists, "gh hangs")
    (before,) = running_gh(project)
    (project.root / "world.json").write_text(json.dumps({"issue": {"5": ISSUE}}))
    os.kill(project.engine(), 9)
    (step,) = server.wait(execution)["steps"]
    assert step["attempt"] == 2
    assert before not in running_gh(project)


def test_notifications_go_where_the_configuration_says(project: Project) -> None:
    with service() as web:
        web.answers("/hook", 204)
        (project.root / ".awf" / "config.yaml").write_text("notify: {default_backend: webhook}\n")
        inputs = {"message": "done", "webhook_url": f"{web.url}/hook"}
        operation(project, "tell", operation="notify.send", inputs=inputs)
        server = project.serve()
        (step,) = server.wait(server.run("tell"))["steps"]
        assert json.loads(step["output"])["backend"] == "webhook"
        assert web.calls[0].json["message"] == "done"
