"""A pack of the kind that people have: ten workflows of shell, agents, prompt and script files."""

from __future__ import annotations

from pathlib import Path

import pytest

from awf.catalog import Catalog
from awf.engine.linking import link
from awf.engine.pinned import pin

PACKS = Path(__file__).parents[2] / "fixtures" / "packs"
WORKFLOWS = sorted(path.stem for path in (PACKS / "release-tools" / "workflows").iterdir())


@pytest.fixture
def files(tmp_path: Path) -> Catalog:
    (tmp_path / ".awf").mkdir()
    (tmp_path / ".awf" / "workflow-packs").symlink_to(PACKS)
    return Catalog(tmp_path, {"HOME": str(tmp_path / "home")})


def test_it_has_ten_workflows_of_which_one_is_not_listed(files: Catalog) -> None:
    assert len(WORKFLOWS) == 10
    (pack,) = files.packs()
    assert pack.problems == ()
    listed = [file.identifier for file in files.names()]
    assert listed == [f"release-tools/{name}" for name in WORKFLOWS if name != "rollback"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_it_validates_without_a_false_error(files: Catalog, name: str) -> None:
    loaded = files.find(f"release-tools/{name}").loaded
    assert [str(problem) for problem in loaded.problems] == []


def test_a_run_pins_what_it_calls_in_the_pack(files: Catalog) -> None:
    pins = pin(link(files.find("release-tools/release"), files))
    called = {role.removeprefix("workflow:") for role in pins.definition if role.startswith("workflow:")}
    names = ("build", "deploy", "rollback", "test-matrix", "write-notes")
    assert called == {f"release-tools/{name}" for name in names}
    assert "file:release-tools/build:{{awf.scripts_dir}}/build.sh" in pins.definition
