from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from awf.catalog import Catalog, catalog
from awf.domain.document import MAX_BYTES
from awf.engine.ports import WorkflowFile
from awf.errors import WorkflowNotFound
from privileges import unprivileged

OLD = 1_600_000_000


def text(name: str, description: str = "") -> str:
    return f"name: {name}\ndescription: '{description}'\nstates: {{initial: a, a: {{type: terminal}}}}\n"


def write(path: Path, content: str | bytes = "", *, when: int = OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (when, when))
    return path


@pytest.fixture
def local(tmp_path: Path) -> Path:
    directory = tmp_path / "project" / ".awf" / "workflows"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def files(tmp_path: Path, local: Path) -> Catalog:
    home = tmp_path / "home"
    return Catalog(tmp_path / "project", {"HOME": str(home), "AWF_WORKFLOWS_PATH": str(tmp_path / "extra")})


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as unchanged however short ago they were written."""
    monkeypatch.setattr(catalog, "_SETTLED", -1)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The identifiers of the files that were parsed, in order."""
    seen: list[str] = []
    real = catalog.load_workflow

    def counted(data: str | bytes, file: str, identifier: str, *more: Any) -> object:
        seen.append(identifier)
        return real(data, file, identifier, *more)

    monkeypatch.setattr(catalog, "load_workflow", counted)
    return seen


def shown(found: list[WorkflowFile]) -> list[tuple[str, str]]:
    return [(item.identifier, item.source) for item in found]


def test_sources_are_merged_and_the_first_one_wins(tmp_path: Path, local: Path, files: Catalog) -> None:
    write(tmp_path / "extra" / "both.yaml", text("both", "from env"))
    write(local / "both.yaml", text("both", "from local"))
    write(local / "mine.yml", text("mine"))
    write(tmp_path / "home" / ".config" / "awf" / "workflows" / "both.yaml", text("both", "from global"))
    write(tmp_path / "home" / ".config" / "awf" / "workflows" / "alone.yaml", text("alone"))
    assert shown(files.names()) == [("alone", "global"), ("both", "env"), ("mine", "local")]
    both = files.find("both")
    assert both.loaded.workflow is not None
    assert both.loaded.workflow.description == "from env"
    assert both.file == str(tmp_path / "extra" / "both.yaml")


def test_a_file_of_the_project_is_shown_from_its_root(local: Path, files: Catalog) -> None:
    write(local / "deploy.yaml", "name: deploy\nstates: {initial: x, a: {type: terminal}}\n")
    found = files.find("deploy")
    assert found.file == ".awf/workflows/deploy.yaml"
    assert str(found.loaded.errors[0]) == "initial state 'x' is not defined (.awf/workflows/deploy.yaml:2:19)"


def test_yaml_wins_over_yml_in_lists_and_look_ups(local: Path, files: Catalog) -> None:
    write(local / "x.yml", text("x", "yml"))
    write(local / "x.yaml", text("x", "yaml"))
    (listed,) = files.names()
    assert listed == files.find("x")
    assert listed.file.endswith("x.yaml")


def test_a_name_may_carry_the_extension(local: Path, files: Catalog) -> None:
    write(local / "x.yml", text("x"))
    write(local / "y.yaml.yaml", text("y.yaml"))
    assert files.find("x.yml").identifier == "x"
    assert files.find("y.yaml").identifier == "y.yaml"


def test_only_workflow_files_of_the_directory_itself_count(local: Path, files: Catalog) -> None:
    for name in (
        "notes.txt",
        ".hidden.yaml",
        ".yaml",
        "sub/inner.yaml",
        "x.yaml.bak",
        "new\nline.yaml",
        "q" * 201 + ".yaml",
    ):
        write(local / name, text("x"))
    (local / os.fsdecode(b"bad\xff.yaml")).touch()
    assert files.names() == []


def _directory(path: Path) -> None:
    path.mkdir()


def _broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_directory, "the file is a directory"),
        (_broken_link, "the file is a symbolic link to nothing"),
        (_loop, "the file is a symbolic link that leads back to itself"),
        (_pipe, "the file is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "the file is not a regular file"),
        (write, "the file is empty"),
        (lambda path: write(path, b"name: \xff"), "the file is not valid UTF-8"),
        (lambda path: write(path, b"x" * (10 * MAX_BYTES)), "the file is larger than 1 MiB"),
    ],
)
def test_what_cannot_be_read_is_listed_with_one_problem_and_hides_nothing(
    make: Callable[[Path], None], message: str, local: Path, files: Catalog
) -> None:
    make(local / "bad.yaml")
    write(local / "good.yaml", text("good"))
    bad, good = files.names()
    assert good.loaded.workflow is not None
    assert bad.identifier == "bad"
    assert [problem.message for problem in bad.loaded.problems] == [message]
    assert bad.loaded.workflow is None
    assert files.find("bad").loaded.errors == bad.loaded.errors


def test_a_file_without_permission_is_listed_with_its_problem() -> None:
    with unprivileged() as root:
        (root / ".awf" / "workflows").mkdir(parents=True)
        write(root / ".awf" / "workflows" / "bad.yaml", text("bad")).chmod(0)
        (bad,) = Catalog(root, {"HOME": str(root)}).names()
    assert [problem.message for problem in bad.loaded.problems] == [
        "the file cannot be read: permission denied"
    ]


def test_links_to_files_are_followed(tmp_path: Path, local: Path, files: Catalog) -> None:
    write(tmp_path / "real.yaml", text("linked"))
    (local / "linked.yaml").symlink_to(tmp_path / "real.yaml")
    assert files.find("linked").loaded.problems == ()


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "A/b",
        "a/B",
        "a/b/c",
        "a/",
        "/etc/passwd",
        "a\\b",
        "a\0b",
        "a\nb",
        "..x",
        ".hidden",
        "x" * 201,
        "\ud800",
        "a\x7f",
        "~",
    ],
)
def test_names_that_cannot_be_are_refused_without_a_look(
    name: str, files: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = os.path.lexists
    monkeypatch.setattr(os.path, "lexists", lambda path: looked.append(str(path)) or real(path))
    with pytest.raises(WorkflowNotFound) as refused:
        files.find(name)
    assert refused.value.name == name
    assert looked == [] or name == "~"


def test_an_unknown_name_is_not_found(files: Catalog) -> None:
    with pytest.raises(WorkflowNotFound, match="workflow not found: nonexistent"):
        files.find("nonexistent")


def test_a_project_without_workflows_has_none(tmp_path: Path) -> None:
    assert Catalog(tmp_path / "nothing", {"HOME": str(tmp_path)}).names() == []


@pytest.mark.usefixtures("settled")
def test_unchanged_files_are_not_parsed_again(local: Path, files: Catalog, parsed: list[str]) -> None:
    for number in range(50):
        write(local / f"w{number:02}.yaml", text(f"w{number:02}"))
    first = files.names()
    assert len(parsed) == 50
    assert all(one is other for one, other in zip(files.names(), first, strict=True))
    assert files.find("w07") is first[7]
    assert len(parsed) == 50


@pytest.mark.usefixtures("settled")
def test_edited_added_and_removed_files_are_seen_at_once(
    local: Path, files: Catalog, parsed: list[str]
) -> None:
    kept, edited, removed = (
        write(local / f"{name}.yaml", text(name)) for name in ("kept", "edited", "removed")
    )
    files.names()
    parsed.clear()
    write(edited, text("edited", "now longer"), when=OLD)
    removed.unlink()
    write(local / "added.yaml", text("added"))
    assert [item.identifier for item in files.names()] == ["added", "edited", "kept"]
    assert sorted(parsed) == ["added", "edited"]
    assert kept.exists()


@pytest.mark.usefixtures("settled")
def test_a_replacement_with_the_same_size_and_time_is_seen(local: Path, files: Catalog) -> None:
    write(local / "x.yaml", text("x", "one"))
    assert files.find("x").loaded.workflow is not None
    write(local / "next", text("x", "two")).replace(local / "x.yaml")
    found = files.find("x").loaded.workflow
    assert found is not None
    assert found.description == "two"


def test_a_file_that_may_still_be_written_to_is_not_taken_as_current(
    local: Path, files: Catalog, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "_SETTLED", 10**18)
    write(local / "x.yaml", text("x"))
    files.names()
    files.names()
    assert parsed == ["x", "x"]


@pytest.mark.usefixtures("settled")
def test_a_file_that_comes_to_stand_in_front_wins_at_once(
    tmp_path: Path, local: Path, files: Catalog
) -> None:
    write(local / "x.yaml", text("x"))
    assert shown(files.names()) == [("x", "local")]
    front = write(tmp_path / "extra" / "x.yaml", text("x"))
    assert shown(files.names()) == [("x", "env")]
    front.unlink()
    assert shown(files.names()) == [("x", "local")]


def test_a_file_anywhere_by_its_path(tmp_path: Path, local: Path, files: Catalog) -> None:
    found = files.find_path(write(tmp_path / "some" / "flow.yaml", text("flow")))
    assert (found.identifier, found.source) == ("flow", "path")
    assert found.file == str(tmp_path / "some" / "flow.yaml")
    assert found.text == text("flow")
    assert files.find_path(write(local / "in.txt", text("in"))).file == ".awf/workflows/in.txt"
    assert files.find_path(local).loaded.errors[0].message == "the file is a directory"
    with pytest.raises(WorkflowNotFound):
        files.find_path(tmp_path / "nothing.yaml")


def test_threads_share_one_catalog(local: Path, files: Catalog) -> None:
    for number in range(20):
        write(local / f"w{number:02}.yaml", text(f"w{number:02}"))
    results: list[int] = []

    def work() -> None:
        for number in range(20):
            results.append(len(files.names()))
            assert files.find(f"w{number:02}").loaded.workflow is not None

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [20] * 80
