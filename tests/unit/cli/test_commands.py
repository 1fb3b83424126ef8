"""Commands that look at files alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from unit.cli.conftest import ECHO, Call, write

WORKFLOW = "name: build\nstates: {initial: a, a: {type: terminal}}\n"


@pytest.fixture
def pack(project: Path) -> Path:
    pack = project / ".awf" / "workflow-packs" / "tools"
    (pack / "workflows").mkdir(parents=True)
    (pack / "manifest.yaml").write_text("name: tools\nversion: 1\nworkflows: [build]\n")
    (pack / "workflows" / "build.yaml").write_text(WORKFLOW)
    return project


def test_a_workflow_that_cannot_be_run_is_listed_with_the_first_reason(project: Path, call: Call) -> None:
    folder = project / ".awf" / "workflows"
    folder.joinpath("bad.yaml").write_text("name: bad\nstates:\n  initial: a\n  b: {type: stp}\n")
    folder.joinpath("empty.yaml").write_text("")
    lines = call("list").stdout.splitlines()
    assert lines[1].endswith("'a' is not defined (.awf/workflows/bad.yaml:3:12); …")
    assert lines[2].endswith("cannot be run: the file is empty (.awf/workflows/empty.yaml:1:1)")


def test_a_list_is_of_the_files_as_they_are_now(project: Path, call: Call) -> None:
    """Also where nothing but the content of a file tells that it is another one."""
    one, two = write(project, "one", ECHO), write(project, "two", ECHO)
    assert call("list", "-q").stdout.split() == ["one", "two"]
    before = one.stat()
    one.write_text(one.read_text().replace("A test", "Better"))
    os.utime(one, ns=(before.st_atime_ns, before.st_mtime_ns))
    two.write_text(two.read_text().replace("on_success: done", "on_success: gone"))
    (_, better, broken) = call("list").stdout.splitlines()
    assert better.endswith("Better")
    assert "cannot be run" in broken
    two.unlink()
    assert call("list", "-q").stdout.split() == ["one"]


def test_packs_are_listed_with_what_is_wrong_with_them(pack: Path, call: Call) -> None:
    result = call("list")
    assert "tools/build" in result.stdout
    assert "manifest.yaml:2:10: error: version '1' is not MAJOR.MINOR.PATCH" in result.stderr


def test_a_packs_workflow_is_validated_by_name_and_by_path(pack: Path, call: Call) -> None:
    for argument in ("tools/build", ".awf/workflow-packs/tools/workflows/build.yaml"):
        result = call("validate", argument)
        assert result.exit_code == 0
        assert result.stdout.endswith("tools/build: valid, 1 warning\n")


def test_what_a_workflow_calls_is_validated_with_it(pack: Path, call: Call) -> None:
    (pack / ".awf" / "workflows" / "parent.yaml").write_text(
        "name: parent\nstates:\n  initial: c\n  c: {type: call_workflow, workflow: child, on_success: d}\n"
        "  d: {type: call_workflow, workflow: parent, on_success: z}\n  z: {type: terminal}\n"
    )
    result = call("validate", "parent")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        ".awf/workflows/parent.yaml:4:38: warning: state 'c': sub-workflow not found: child "
        "[WORKFLOW.VALIDATION.MISSING_WORKFLOW]",
        ".awf/workflows/parent.yaml:5:38: error: circular workflow call detected: parent -> parent "
        "[WORKFLOW.VALIDATION.CIRCULAR_CALL]",
    ]
    assert result.stderr == "parent: 1 error\n"


def test_settings_are_shown_with_their_sources(
    project: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".awf" / "config.yaml").write_text(
        "inputs: {region: eu, api_token: hush-hush}\nengine: {slots: 3}\nserver: {prot: 80}\n"
    )
    monkeypatch.setenv("AWF_PORT", "99")
    result = call("config", "show")
    lines = {line.split()[0]: line.split(None, 2)[1:] for line in result.stdout.splitlines() if line}
    assert lines["server.port"] == ["99", "AWF_PORT"]
    assert lines["server.host"] == ["127.0.0.1", "default"]
    assert lines["engine.slots"] == ["3", f"{project}/.awf/config.yaml: engine.slots"]
    assert lines["inputs.region"][0] == '"eu"'
    assert lines["inputs.api_token"][0] == "***"
    assert "config.yaml:3:10: warning: server: unknown key 'prot' (did you mean 'port'?)" in result.stderr


def test_the_schema_is_json(pack: Path, call: Call) -> None:
    assert json.loads(call("schema").stdout)["$schema"].startswith("https://json-schema.org/")


def test_columns_are_as_wide_as_a_terminal_shows_them(project: Path, call: Call) -> None:
    write(project, "日本", ECHO)
    write(project, "wörter", ECHO)
    _, *lines = call("list").stdout.splitlines()
    assert [line.partition("1.0.0")[0] for line in lines] == ["wörter  ", "日本    "]
