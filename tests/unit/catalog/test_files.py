from __future__ import annotations

import os
from pathlib import Path

import pytest

from awf.catalog import Catalog, catalog
from awf.catalog.files import Beside, unchanged
from awf.domain.files import MAX_BYTES, FileMissing, FileRefused
from privileges import unprivileged


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project" / ".awf" / "workflows").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture
def beside(project: Path, tmp_path: Path) -> Beside:
    return Beside(str(project / ".awf/workflows/w.yaml"), str(project), {"HOME": str(tmp_path / "home")})


def write(path: Path, text: str | bytes = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(beside: Beside, path: str) -> str:
    with pytest.raises(FileRefused) as refused:
        beside(path)
    return str(refused.value)


def test_relative_paths_start_at_the_workflow(project: Path, beside: Beside) -> None:
    write(project / ".awf/workflows/scripts/a.sh", "echo one")
    write(project / ".awf/b.sh", "echo two")
    assert beside("scripts/a.sh") == "echo one"
    assert beside("../b.sh") == "echo two"
    assert beside(str(project / ".awf/b.sh")) == "echo two"


def test_the_users_files(tmp_path: Path, beside: Beside) -> None:
    write(tmp_path / "home/mine.sh", "echo mine")
    assert beside("~/mine.sh") == "echo mine"
    assert refusal(beside, "~other/mine.sh") == "file not found: ~other/mine.sh"


def test_the_projects_own_directory_may_be_meant_from_its_root(project: Path, beside: Beside) -> None:
    write(project / ".awf/templates/t.yaml", "root")
    assert beside(".awf/templates/t.yaml") == "root"
    write(project / ".awf/workflows/.awf/templates/t.yaml", "nearer")
    assert beside(".awf/templates/t.yaml") == "nearer"


def test_awfs_own_directories_local_before_global(project: Path, tmp_path: Path, beside: Beside) -> None:
    path = "{{awf.scripts_dir}}/x.sh"
    assert refusal(beside, path) == f"file not found: {path}"
    write(tmp_path / "home/.config/awf/scripts/x.sh", "global")
    assert beside(path) == "global"
    write(project / ".awf/scripts/x.sh", "beside the workflows")
    assert beside(path) == "beside the workflows"
    write(project / ".awf/workflows/scripts/x.sh", "among the workflows")
    assert beside(path) == "among the workflows"
    write(tmp_path / "home/.config/awf/root.txt", "config")
    write(tmp_path / "home/.config/awf/roles/r.md", "role")
    write(tmp_path / "home/.local/share/awf/data.txt", "data")
    write(tmp_path / "home/.local/share/awf/plugins/p.txt", "plugin")
    assert beside("{{awf.config_dir}}/root.txt") == "config"
    assert beside("{{awf.roles_dir}}/r.md") == "role"
    assert beside("{{awf.data_dir}}/data.txt") == "data"
    assert beside("{{awf.plugins_dir}}/p.txt") == "plugin"


PLACES = [".awf/skills", ".agents/skills", ".claude/skills"]


def test_roles_and_skills_are_looked_for_in_all_their_places(
    project: Path, tmp_path: Path, beside: Beside
) -> None:
    path = "{{awf.skills_dir}}/go/SKILL.md"
    home = tmp_path / "home"
    places = [*(project / place for place in PLACES), home / ".config/awf/skills"]
    places += [home / ".agents/skills", home / ".claude/skills"]
    for number, place in reversed(list(enumerate(places))):
        write(place / "go/SKILL.md", str(number))
        assert beside(path) == str(number)
    write(home / ".claude/roles/r/AGENTS.md")
    write(project / ".agents/roles/reviewer/AGENTS.md", "r")
    assert beside("{{awf.roles_dir}}/reviewer/AGENTS.md") == "r"
    with pytest.raises(FileMissing) as missing:
        beside("{{awf.roles_dir}}/r/AGENTS.md")
    assert missing.value.names == ["reviewer"]
    with pytest.raises(FileMissing) as missing:
        beside("{{awf.scripts_dir}}/r/AGENTS.md")
    assert missing.value.names == []


def test_a_variable_takes_the_place_of_all_places(project: Path, tmp_path: Path) -> None:
    write(project / ".awf/roles/a/AGENTS.md", "not this")
    write(tmp_path / "home/r/a/AGENTS.md", "home")
    write(project / "own/b/AGENTS.md", "own")
    environ = {"HOME": str(tmp_path / "home"), "AWF_ROLES_PATH": "own::~/r"}
    beside = Beside(str(project / ".awf/workflows/w.yaml"), str(project), environ)
    assert beside("{{awf.roles_dir}}/a/AGENTS.md") == "home"
    assert beside("{{awf.roles_dir}}/b/AGENTS.md") == "own"


def test_a_pack_has_its_own_first(project: Path, tmp_path: Path) -> None:
    write(project / ".awf/roles/a/AGENTS.md", "project")
    write(tmp_path / "pack/roles/a/AGENTS.md", "pack")
    beside = Beside(
        str(tmp_path / "pack/workflows/w.yaml"), str(project), {"HOME": str(tmp_path / "home")}, "pack"
    )
    assert beside("{{awf.roles_dir}}/a/AGENTS.md") == "pack"


def test_what_is_not_a_text_of_one_mebibyte_is_refused(project: Path, beside: Beside) -> None:
    workflows = project / ".awf/workflows"
    write(workflows / "full", b"x" * MAX_BYTES)
    write(workflows / "large", b"x" * (MAX_BYTES + 1))
    write(workflows / "bytes", b"\xff\xfe")
    (workflows / "directory").mkdir()
    (workflows / "link").symlink_to("nothing")
    os.mkfifo(workflows / "pipe")
    assert len(beside("full")) == MAX_BYTES
    assert refusal(beside, "large") == "the file is larger than 1 MiB: large"
    assert refusal(beside, "bytes") == "the file is not valid UTF-8: bytes"
    assert refusal(beside, "directory") == "the file is a directory: directory"
    assert refusal(beside, "link") == "the file is a symbolic link to nothing: link"
    assert refusal(beside, "pipe") == "the file is not a regular file: pipe"
    assert refusal(beside, "") == "not a path: ''"
    assert refusal(beside, "a\0b") == "not a path: 'a\\x00b'"


def test_what_may_not_be_read_is_refused() -> None:
    with unprivileged() as root:
        write(root / ".awf/workflows/closed").chmod(0)
        beside = Beside(str(root / ".awf/workflows/w.yaml"), str(root), {"HOME": str(root)})
        assert refusal(beside, "closed") == "the file cannot be read: permission denied: closed"


def test_every_file_that_was_looked_at_counts(project: Path, beside: Beside) -> None:
    script = write(project / ".awf/workflows/a.sh")
    beside("a.sh")
    refusal(beside, "b.sh")
    assert unchanged(beside.seen)
    added = write(project / ".awf/workflows/b.sh")
    assert not unchanged(beside.seen)
    added.unlink()
    assert unchanged(beside.seen)
    write(script, "longer")
    assert not unchanged(beside.seen)


def test_a_workflow_is_loaded_again_when_its_script_changes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "_SETTLED", -1)
    write(
        project / ".awf/workflows/w.yaml",
        "name: w\nstates:\n  initial: a\n  a: {type: step, script_file: a.sh, on_success: b}\n  b: {type: terminal}\n",
    )
    files = Catalog(project, {})
    assert [str(problem) for problem in files.find("w").loaded.errors] == [
        "state 'a': script_file: file not found: a.sh (.awf/workflows/w.yaml:4:32)"
    ]
    script = write(project / ".awf/workflows/a.sh", "echo one")
    found = files.find("w")
    assert found.loaded.problems == ()
    assert found.loaded.files == {"a.sh": "echo one"}
    assert files.find("w") is found
    write(script, "echo \\{{.inputs.x}}")
    assert [str(problem) for problem in files.find("w").loaded.errors] == [
        "state 'a': script_file: a value directly after a backslash has no safe form (.awf/workflows/a.sh:1:7)"
    ]
