"""Packs from directories, archives and repositories; and what must not get in."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from awf.catalog import fetching
from awf.catalog.installing import checksum, install, installed, remove
from awf.errors import PackInvalid, PackNotFound, RequestInvalid, SystemFault

MANIFEST = "name: tools\nversion: 1.2.0\nworkflows: [build]\n"
WORKFLOW = "name: build\nstates: {initial: a, a: {type: terminal}}\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "workflows").mkdir(parents=True)
    (root / "scripts").mkdir()
    (root / "manifest.yaml").write_text(MANIFEST)
    (root / "workflows" / "build.yaml").write_text(WORKFLOW)
    (root / "scripts" / "run.sh").write_text("#!/bin/sh\n")
    (root / "scripts" / "run.sh").chmod(0o755)
    return root


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return tmp_path / "packs"


def tarred(source: Path, path: Path, mode: str = "w:gz", top: str = "tools-1.2.0") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        archive.add(source, arcname=top)
    return path


def zipped(source: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(source.rglob("*")):
            archive.write(file, file.relative_to(source).as_posix())
    return path


def repository(source: Path) -> Path:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *identity, *arguments], cwd=source, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    git("tag", "v1.2.0")
    return source


SOURCES: dict[str, Callable[[Path, Path], str]] = {
    "directory": lambda source, tmp: str(source),
    "tar.gz": lambda source, tmp: str(tarred(source, tmp / "a.tar.gz")),
    "tar": lambda source, tmp: str(tarred(source, tmp / "a.tar", "w", ".")),
    "zip": lambda source, tmp: str(zipped(source, tmp / "a.zip")),
    "git": lambda source, tmp: f"file://{repository(source)}",
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_pack_is_the_same_from_wherever_it_comes(
    kind: str, source: Path, packs: Path, tmp_path: Path
) -> None:
    expected = checksum(source)
    named = SOURCES[kind](source, tmp_path)
    done = install(named, packs)
    assert (done.name, done.version, done.unchanged) == ("tools", "1.2.0", True)
    assert done.source["checksum"] == expected
    assert done.source["repository"] == named
    assert os.access(packs / "tools" / "scripts" / "run.sh", os.X_OK)
    assert sorted(path.name for path in packs.iterdir()) == ["tools"]
    assert not (packs / "tools" / ".git").exists()
    assert json.loads((packs / "tools" / "state.json").read_text())["enabled"] is True


def test_a_tag_of_a_repository_and_a_directory_in_it(source: Path, packs: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    source.rename(outer / "inner")
    os.symlink("/etc/passwd", outer / "elsewhere")
    repository(outer)
    done = install(f"file://{outer}", packs, ref="v1.2.0", subdirectory="inner")
    assert done.source["ref"] == "v1.2.0"
    assert len(done.source["commit"]) == 40
    with pytest.raises(RequestInvalid, match="no directory"):
        install(f"file://{outer}", packs, subdirectory="../..", force=True)
    with pytest.raises(RequestInvalid, match="git cannot clone"):
        install(f"file://{outer}", packs, ref="v9", force=True)


def test_changes_show(source: Path, packs: Path) -> None:
    install(str(source), packs)
    (packs / "tools" / "workflows" / "more.yaml").write_text(WORKFLOW)
    assert installed(packs / "tools").unchanged is False
    (packs / "tools" / "workflows" / "more.yaml").unlink()
    assert installed(packs / "tools").unchanged is True
    (packs / "tools" / "scripts" / "run.sh").chmod(0o644)
    assert installed(packs / "tools").unchanged is False


def test_an_installed_pack_is_replaced_only_by_force(source: Path, packs: Path) -> None:
    install(str(source), packs)
    (source / "manifest.yaml").write_text(MANIFEST.replace("1.2.0", "1.3.0"))
    with pytest.raises(RequestInvalid, match="--force"):
        install(str(source), packs)
    assert installed(packs / "tools").version == "1.2.0"
    assert install(str(source), packs, force=True).version == "1.3.0"
    assert [path.name for path in packs.iterdir()] == ["tools"]


def test_a_project_that_is_a_pack_is_installed_into_itself(source: Path) -> None:
    packs = source / ".awf" / "workflow-packs"
    first = install(str(source), packs)
    again = install(str(source), packs, force=True)
    assert first.source["checksum"] == again.source["checksum"]
    assert not (packs / first.name / ".awf" / "workflow-packs").exists()


def test_a_pack_is_removed_with_its_files(source: Path, packs: Path) -> None:
    install(str(source), packs)
    assert remove("tools", packs) == packs / "tools"
    assert list(packs.iterdir()) == []
    for name in ("tools", "../source", "", "."):
        with pytest.raises(PackNotFound):
            remove(name, packs)
    assert source.exists()


@pytest.mark.parametrize(
    ("manifest", "text"),
    [
        (None, "no manifest.yaml"),
        ("version: 1.0.0\nworkflows: [build]\n", r"required key 'name' is missing \(manifest.yaml:1:1\)"),
        ("name: local\nversion: 1.0.0\nworkflows: [build]\n", "reserved"),
        ("name: ../x\nversion: 1.0.0\nworkflows: [build]\n", "invalid name"),
        ("name: tools\nversion: one\nworkflows: [build]\n", "manifest.yaml:2:10"),
        ("name: tools\nversion: 1.0.0\nworkflows: [ship]\n", "'ship' is listed and has no file"),
        ("name: ''\nversion: 1.0.0\nworkflows: [build]\n", "says no name"),
        ("- x", r"holds a list \(manifest.yaml:1:1\)"),
        ("name: [", r"invalid YAML.* \(manifest.yaml:1:8\)"),
    ],
)
def test_what_is_no_pack_is_refused(manifest: str | None, text: str, source: Path, packs: Path) -> None:
    (source / "manifest.yaml").unlink()
    if manifest is not None:
        (source / "manifest.yaml").write_text(manifest)
    with pytest.raises(PackInvalid, match=text):
        install(str(source), packs)
    assert list(packs.iterdir()) == []


def test_what_is_no_source_is_refused(packs: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestInvalid, match="no such pack"):
        install(str(tmp_path / "nothing"), packs)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PackInvalid, match="no archive"):
        install(str(tmp_path / "text"), packs)
    with pytest.raises(RequestInvalid, match="--ref"):
        install(str(tmp_path), packs, ref="v1")
    with pytest.raises(RequestInvalid, match="git cannot clone"):
        install(f"file://{tmp_path}/nowhere.git", packs)


def member(name: str, data: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


BAD_MEMBERS = {
    "above": member("../evil"),
    "absolute": member("/tmp/evil"),
    "inner above": member("workflows/../../evil"),
    "symlink": member("link", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": member("link", b"", type=tarfile.LNKTYPE, linkname="manifest.yaml"),
    "device": member("null", b"", type=tarfile.CHRTYPE),
    "fifo": member("pipe", b"", type=tarfile.FIFOTYPE),
    "twice": member("manifest.yaml"),
    "backslash": member("a\\..\\b"),
    "drive": member("C:evil"),
    "long": member("x" * 600),
    "deep": member("/".join("d" * 40)),
    "file as directory": member("manifest.yaml/x"),
}


@pytest.mark.parametrize("bad", BAD_MEMBERS)
def test_a_tar_archive_cannot_reach_out(bad: str, packs: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as archive:
        for info, data in (member("manifest.yaml", MANIFEST.encode()), BAD_MEMBERS[bad]):
            archive.addfile(info, io.BytesIO(data))
    with pytest.raises((PackInvalid, SystemFault)):
        install(str(path), packs)
    assert list(packs.iterdir()) == []
    assert not (tmp_path / "evil").exists()
    assert not (packs / "evil").exists()


def test_a_zip_archive_cannot_reach_out(packs: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    for item in (zipfile.ZipInfo("../evil"), link):
        path = tmp_path / "bad.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.yaml", MANIFEST)
            archive.writestr(item, "/etc/passwd")
        with pytest.raises(PackInvalid):
            install(str(path), packs)
    assert list(packs.iterdir()) == []


def test_a_directory_cannot_reach_out(source: Path, packs: Path) -> None:
    (source / "scripts" / "key").symlink_to("/etc/passwd")
    with pytest.raises(PackInvalid, match="scripts/key"):
        install(str(source), packs)


def test_a_pack_has_bounds(
    source: Path, packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.yaml", MANIFEST)
        archive.writestr("zeros", bytes(3_000_000))
    assert (tmp_path / "bomb.zip").stat().st_size < 10_000
    monkeypatch.setattr(fetching, "MOST_BYTES", 1_000_000)
    with pytest.raises(PackInvalid, match="MiB"):
        install(str(tmp_path / "bomb.zip"), packs)
    monkeypatch.setattr(fetching, "MOST_FILES", 2)
    with pytest.raises(PackInvalid, match="more than 2 files"):
        install(str(source), packs)
    assert list(packs.iterdir()) == []


def test_a_broken_archive_is_refused(source: Path, packs: Path, tmp_path: Path) -> None:
    path = tarred(source, tmp_path / "a.tar.gz")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(PackInvalid, match="cannot be read"):
        install(str(path), packs)
