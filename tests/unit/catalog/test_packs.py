"""Installed packs: found, checked, listed, and run as ``pack/workflow``."""

from __future__ import annotations

from pathlib import Path

import pytest

from awf.catalog import Catalog, catalog, packs
from awf.errors import PackNotFound, WorkflowNotFound

WORKFLOW = "name: {name}\nstates: {{initial: a, a: {{type: terminal}}}}\n"
MANIFEST = "name: {name}\nversion: 1.2.3\nworkflows: [{workflows}]\n"


class Place:
    """A project and a home with packs in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = root / "project"
        self.local = self.project / ".awf" / "workflow-packs"
        self.environ = {"HOME": str(root / "home"), "XDG_CONFIG_HOME": str(root / "shared")}
        self.project.mkdir()

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def pack(
        self, name: str, *workflows: str, where: Path | None = None, manifest: str | None = None
    ) -> Path:
        pack = (where or self.local) / name
        text = MANIFEST.format(name=name, workflows=", ".join(workflows)) if manifest is None else manifest
        self.write(pack / "manifest.yaml", text)
        for workflow in workflows:
            self.write(pack / "workflows" / f"{workflow}.yaml", WORKFLOW.format(name=workflow))
        return pack

    def catalog(self) -> Catalog:
        return Catalog(self.project, self.environ)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def problems(files: Catalog, name: str) -> list[str]:
    (found,) = [pack for pack in files.packs() if pack.name == name]
    return [f"{problem.severity}: {problem}" for problem in found.problems]


def test_workflows_of_packs_are_listed_and_found_under_the_packs_name(place: Place) -> None:
    place.pack("tools", "build", "test")
    place.write(place.project / ".awf/workflows/build.yaml", WORKFLOW.format(name="build"))
    files = place.catalog()
    assert [(file.identifier, file.source) for file in files.names()] == [
        ("build", "local"),
        ("tools/build", "pack"),
        ("tools/test", "pack"),
    ]
    found = files.find("tools/build")
    assert found.loaded.problems == ()
    assert found.loaded.workflow is not None
    assert found.loaded.workflow.identifier == "tools/build"
    assert found.file == ".awf/workflow-packs/tools/workflows/build.yaml"


def test_the_first_directory_that_has_a_pack_wins(place: Place) -> None:
    home = Path(place.environ["HOME"])
    shared = Path(place.environ["XDG_CONFIG_HOME"])
    order = [
        place.local,
        shared / ".awf/workflow-packs",
        shared / "awf/workflow-packs",
        home / ".local/share/awf/workflow-packs",
        home / ".awf/workflow-packs",
    ]
    for number, where in reversed(list(enumerate(order))):
        place.pack("tools", f"w{number}", where=where)
        assert [file.identifier for file in place.catalog().names()] == [f"tools/w{number}"]
        with pytest.raises(WorkflowNotFound):
            place.catalog().find(f"tools/w{number + 1}")


def test_what_is_no_pack_hides_none(place: Place) -> None:
    place.pack("tools", "build", where=Path(place.environ["HOME"]) / ".awf/workflow-packs")
    (place.local / "tools" / "notes").mkdir(parents=True)
    place.write(place.local / "README.md", "")
    assert [file.identifier for file in place.catalog().names()] == ["tools/build"]


def test_a_disabled_pack_is_not_listed_and_can_be_run(place: Place) -> None:
    pack = place.pack("tools", "build")
    place.write(pack / "state.json", '{"name": "tools", "enabled": false}')
    files = place.catalog()
    assert files.names() == []
    assert files.find("tools/build").loaded.errors == ()
    place.write(pack / "state.json", '{"name": "tools", "enabled": true}')
    assert [file.identifier for file in files.names()] == ["tools/build"]


def test_workflows_that_the_manifest_does_not_list_can_be_called_and_are_not_shown(place: Place) -> None:
    pack = place.pack("tools", "build")
    place.write(pack / "workflows/helper.yml", WORKFLOW.format(name="helper"))
    files = place.catalog()
    assert [file.identifier for file in files.names()] == ["tools/build"]
    assert files.find("tools/helper").loaded.workflow is not None


def test_everything_wrong_with_a_manifest_is_told_with_its_place(place: Place) -> None:
    manifest = (
        "name: other\nversion: one\nawf_version: soon\nworkflow: [x]\nworkflows:\n  - build\n  - Build\n"
        "plugins: {jira: [1]}\n"
    )
    place.pack("tools", "build", manifest=manifest)
    where = ".awf/workflow-packs/tools/manifest.yaml"
    assert problems(place.catalog(), "tools") == [
        f"error: name 'other' differs from the pack's directory 'tools' ({where}:1:7)",
        f"error: version 'one' is not MAJOR.MINOR.PATCH ({where}:2:10)",
        f"error: awf_version: 'soon' is not a constraint like >=0.5.0 ({where}:3:14)",
        f"warning: unknown key 'workflow' (did you mean 'workflows'?) ({where}:4:1)",
        f"error: workflow name: invalid name 'Build' ({where}:7:5)",
        f"error: 'plugins.jira' must be a version, not a list ({where}:8:17)",
    ]


def test_a_broken_pack_hides_no_other_and_its_workflows_run_with_warnings(place: Place) -> None:
    place.pack("bad", "one", manifest="name: [\n")
    place.pack("good", "two")
    files = place.catalog()
    assert [file.identifier for file in files.names()] == ["bad/one", "good/two"]
    one = files.find("bad/one").loaded
    assert one.workflow is not None
    assert one.errors == ()
    assert [problem.position.file for problem in one.warnings] == [".awf/workflow-packs/bad/manifest.yaml"]
    assert files.find("good/two").loaded.problems == ()


def test_a_listed_workflow_without_a_file_is_shown_with_the_reason(place: Place) -> None:
    pack = place.pack("tools", "build", "test")
    (pack / "workflows/test.yaml").unlink()
    files = place.catalog()
    assert [file.identifier for file in files.names()] == ["tools/build", "tools/test"]
    assert files.names()[1] == files.find("tools/test")
    (problem,) = files.find("tools/test").loaded.errors
    assert problem.message == "workflow 'test' is listed, and there is no workflows/test.yaml"
    assert str(problem.position) == ".awf/workflow-packs/tools/manifest.yaml:3:20"


@pytest.mark.parametrize("name", ["local", "global", "env", "Tools", "a_b", "-x"])
def test_packs_with_names_that_cannot_be_are_reported_and_not_listed(place: Place, name: str) -> None:
    place.pack(name, "build")
    files = place.catalog()
    assert files.names() == []
    assert problems(files, name)[0].startswith("error: pack name: ")
    with pytest.raises(WorkflowNotFound):
        files.find(f"{name}/build")


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ("{", "the file is not JSON: "),
        ('{"enabled": 1}', "'enabled' must be true or false"),
        ("[" * 100_000, "the file is not JSON: "),
    ],
)
def test_a_state_file_that_cannot_be_read_leaves_the_pack_enabled(
    place: Place, state: str, problem: str
) -> None:
    place.write(place.pack("tools", "build") / "state.json", state)
    files = place.catalog()
    assert [file.identifier for file in files.names()] == ["tools/build"]
    assert problem in problems(files, "tools")[0]


def test_what_is_not_there_is_said(place: Place) -> None:
    place.pack("tools", "build")
    files = place.catalog()
    with pytest.raises(WorkflowNotFound, match='workflow "nope" not found in pack "tools"'):
        files.find("tools/nope")
    with pytest.raises(PackNotFound, match="no pack 'nope' is installed"):
        files.find("nope/build")


def test_a_source_can_be_named(place: Place) -> None:
    everywhere = Path(place.environ["XDG_CONFIG_HOME"]) / "awf/workflows"
    place.write(place.project / ".awf/workflows/both.yaml", WORKFLOW.format(name="both"))
    place.write(everywhere / "both.yaml", WORKFLOW.format(name="both"))
    place.write(everywhere / "alone.yaml", WORKFLOW.format(name="alone"))
    files = place.catalog()
    assert files.find("local/both") == files.find("both")
    assert files.find("global/alone") == files.find("alone")
    other = files.find("global/both")
    assert (other.identifier, other.source, other.loaded.problems) == ("global/both", "global", ())
    for name in ("local/alone", "env/both", "local/tools/x", "global/../both"):
        with pytest.raises(WorkflowNotFound):
            files.find(name)


def test_files_of_packs_come_in_three_tiers(place: Place) -> None:
    pack = place.pack("tools", "build")
    place.write(
        pack / "workflows/build.yaml",
        "name: build\nstates:\n  initial: a\n"
        "  a: {type: step, script_file: '{{awf.scripts_dir}}/x.sh', on_success: b}\n  b: {type: terminal}\n",
    )
    script = "{{awf.scripts_dir}}/x.sh"
    place.write(Path(place.environ["XDG_CONFIG_HOME"]) / "awf/scripts/x.sh", "echo everybody's")
    assert place.catalog().find("tools/build").loaded.files == {script: "echo everybody's"}
    place.write(pack / "scripts/x.sh", "echo the pack's")
    assert place.catalog().find("tools/build").loaded.files == {script: "echo the pack's"}
    place.write(place.project / ".awf/scripts/tools/x.sh", "echo mine")
    assert place.catalog().find("tools/build").loaded.files == {script: "echo mine"}


def test_the_name_of_the_pack_is_known_in_it_alone(place: Place) -> None:
    text = "name: build\nstates:\n  initial: a\n  a: {type: step, command: 'echo {{awf.pack_name}}', on_success: b}\n  b: {type: terminal}\n"
    pack = place.pack("tools", "build")
    inside = place.write(pack / "workflows/build.yaml", text)
    outside = place.write(place.project / ".awf/workflows/build.yaml", text)
    files = place.catalog()
    assert files.find("tools/build").loaded.problems == ()
    assert files.find_path(inside).loaded.problems == ()
    assert files.find_path(inside).identifier == "tools/build"
    (problem,) = files.find_path(outside).loaded.errors
    assert problem.message.startswith("state 'a': awf has no property \"pack_name\" in ")


def test_an_unchanged_pack_is_not_read_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_SETTLED", -1)
    monkeypatch.setattr(packs, "SETTLED", -1)
    pack = place.pack("tools", "build")
    files = place.catalog()
    first = files.find("tools/build")
    assert files.known("tools/build") is first
    assert files.names() == [first]
    assert files.names()[0] is first
    place.write(pack / "manifest.yaml", "name: tools\nversion: 1\nworkflows: [build]\n")
    assert files.known("tools/build") is None
    assert [problem.message for problem in files.find("tools/build").loaded.warnings] == [
        "version '1' is not MAJOR.MINOR.PATCH"
    ]
