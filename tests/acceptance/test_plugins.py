"""The sample plug-in, installed as a package, through the real server; and plug-ins that are broken beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acceptance.facts import until
from acceptance.server import CHECKOUT, Project, Server

SAMPLE = CHECKOUT / "examples" / "plugin"

BROKEN = {
    "imports": ("awf.operations", "broken.imports", "no_such_module:It"),
    "old": ("awf.providers", "broken_old", "broken_old:It"),
    "raises": ("awf.states", "broken_raises", "broken_raises:It"),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sample plug-in, and with packages that are broken, each in its way."""
    target = tmp_path_factory.mktemp("packages")
    source = tmp_path_factory.mktemp("source") / "plugin"
    subprocess.run(["cp", "-r", str(SAMPLE), str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--target", str(target), str(source)], check=True
    )
    for name, (group, called, value) in BROKEN.items():
        info = target / f"broken_{name}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: broken-{name}\nVersion: 0.1\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{called} = {value}\n")
    (target / "broken_old.py").write_text("class It:\n    api_version = 0\n    name = 'broken_old'\n")
    (target / "broken_raises.py").write_text("raise RuntimeError('half installed')\n")
    return target


@pytest.fixture
def plugged(project: Project, packages: Path) -> Project:
    (project.root / "env").write_text(str(packages))
    project.workflow(
        "sample", (SAMPLE / "workflow.yaml").read_text().replace("name: workflow", "name: sample")
    )
    return project


def env(packages: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(packages)}


def state(project: Project, name: str, **keys: Any) -> None:
    states = {"initial": "a", "a": {"on_success": "b", **keys}, "b": {"type": "terminal"}}
    project.workflow(name, json.dumps({"name": name, "states": states}))


@pytest.fixture
def plugin_server(plugged: Project, packages: Path) -> Server:
    return plugged.serve(env=env(packages))


def test_a_workflow_of_plugins_runs(plugged: Project, plugin_server: Server, packages: Path) -> None:
    assert plugged.awf("validate", "sample", env=env(packages)).stdout == "sample: valid\n"
    execution = plugin_server.run("sample", text="to be or not to be")
    found = plugin_server.wait(execution)
    assert [step["name"] for step in found["steps"]] == ["count", "ask", "write", "wait"]
    assert json.loads(found["steps"][0]["output"]) == {"words": 6, "longest": "not"}
    events = plugin_server.events(execution)
    assert events[-1].data["message"] == "6 words: to be or not to be"
    said = "".join(event.data["output"] for event in events if event.name == "output")
    assert "6 words: to be or not to be" in said
    failed = plugin_server.wait(plugin_server.run("sample", text=" \n"), "failed")
    assert failed["steps"][0]["error"] == "sample.count_words: only 0 words"


def test_a_state_of_a_plugin_is_retried_times_out_and_is_cancelled(
    plugged: Project, plugin_server: Server
) -> None:
    (plugged.root / "there").write_text("something else")
    state(
        plugged,
        "retried",
        type="wait_for_file",
        path="there",
        holds="it",
        retry={"max_attempts": 3, "initial_delay": "1ms"},
    )
    state(plugged, "late", type="wait_for_file", path="not-there", timeout="200ms")
    state(plugged, "waiting", type="wait_for_file", path="not-there")
    (step,) = plugin_server.wait(plugin_server.run("retried"), "failed")["steps"]
    assert (step["attempt"], step["error"]) == (3, "wait_for_file: there does not hold 'it'")
    (step,) = plugin_server.wait(plugin_server.run("late"), "failed")["steps"]
    assert (step["exit_code"], step["error"]) == (124, "timeout exceeded (200ms)")
    execution = plugin_server.run("waiting")
    until(lambda: plugin_server.execution(execution)["steps"], "it waits")
    plugin_server.cancel(execution)
    plugin_server.wait(execution, "cancelled")


def test_a_state_of_a_plugin_survives_its_engine(plugged: Project, plugin_server: Server) -> None:
    state(plugged, "waiting", type="wait_for_file", path="later")
    execution = plugin_server.run("waiting")
    until(lambda: plugin_server.execution(execution)["steps"], "it waits")
    subprocess.run(["kill", "-9", str(plugged.engine())], check=True)
    (plugged.root / "later").write_text("here")
    (step,) = plugin_server.wait(execution)["steps"]
    assert (step["attempt"], json.loads(step["output"])["text"]) == (2, "here")


def test_broken_plugins_are_reported_and_hide_nothing(
    plugged: Project, plugin_server: Server, packages: Path
) -> None:
    reasons = {
        "broken.imports": "broken-imports 0.1: no_such_module:It cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'",
        "broken_old": "broken-old 0.1: broken_old:It is made for version 0 of the plug-in API; this awf has 1",
        "broken_raises": "broken-raises 0.1: broken_raises:It cannot be loaded: RuntimeError: half installed",
    }
    listed = plugged.awf("operations", env=env(packages))
    assert listed.returncode == 0
    assert "awf-sample 1.0.0 " in listed.stdout
    for name, reason in reasons.items():
        assert f"'{name}' cannot be used: {reason}" in listed.stderr
    state(plugged, "one", type="operation", operation="broken.imports", on_failure="b")
    state(plugged, "two", type="agent", provider="broken_old", prompt="p", on_failure="b")
    state(plugged, "three", type="broken_raises")
    for file, name in (("one", "broken.imports"), ("two", "broken_old"), ("three", "broken_raises")):
        assert reasons[name] in plugged.awf("validate", file, env=env(packages)).stdout
    for file in ("one", "two"):
        assert plugin_server.wait(plugin_server.run(file))["steps"][0]["status"] == "failed"
    assert plugin_server.post("/api/workflows/three/run", {}).status_code == 422
    log = (plugged.storage / "engine.log").read_text()
    assert all(reason in log for reason in reasons.values())


def test_the_command_line_shows_what_plugins_add(plugged: Project, packages: Path) -> None:
    listed = json.loads(plugged.awf("operations", "-f", "json", env=env(packages)).stdout)
    found = {each["name"]: each for each in listed}
    assert found["sample.count_words"]["from"] == "awf-sample 1.0.0"
    assert [each["name"] for each in found["wait_for_file"]["inputs"]] == ["path", "holds"]
    one = plugged.awf("operations", "sample.count_words", env=env(packages)).stdout
    assert "The text. (string; required)" in one
    schema = json.loads(plugged.awf("schema", env=env(packages)).stdout)
    assert set(schema["$defs"]["wait_for_file_state"]["required"]) == {"path", "type"}
    unknown = plugged.awf("operations", "sample.count_wrods", env=env(packages))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "did you mean 'sample.count_words'?" in unknown.stderr


def test_a_plugin_that_is_gone_fails_its_executions_with_its_name(plugged: Project, packages: Path) -> None:
    server = plugged.serve(env=env(packages))
    state(plugged, "waiting", type="wait_for_file", path="never")
    execution = server.run("waiting")
    until(lambda: server.execution(execution)["steps"], "it waits")
    server.kill()
    subprocess.run(["kill", "-9", str(plugged.engine())], check=True)
    without = plugged.serve()
    found = without.wait(execution, "failed")
    assert "unknown type 'wait_for_file'" in json.dumps(found)
