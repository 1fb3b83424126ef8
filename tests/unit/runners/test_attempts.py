"""What a detached attempt leaves says whether it can be taken over."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import pytest

from awf.runners.attempts import Attempts, Record
from awf.runners.notes import Notes, boot
from awf.runners.processes import Leader, process

US = Path("/proc/self/stat")


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path / "attempts", Notes(tmp_path / "engines", "engine"))


def record(attempts: Attempts, *lines: str, end: str = "\n") -> str:
    """An attempt whose record has these lines; its id."""
    files = attempts.create("run.1.1")
    files.record_file.write_text("\n".join(lines) + end)
    return "run.1.1"


def test_one_that_lives_can_be_taken_over(attempts: Attempts) -> None:
    assert attempts.adoptable(record(attempts, boot(), US.read_text().strip()))


@pytest.mark.parametrize(("status", "counts"), [("0", True), ("7", True), ("143", False), ("137", False)])
def test_one_that_ended_can_be_taken_over_unless_it_was_killed(
    attempts: Attempts, status: str, counts: bool
) -> None:
    assert attempts.adoptable(record(attempts, boot(), US.read_text().strip(), status)) is counts


def test_one_of_another_boot_cannot(attempts: Attempts) -> None:
    assert not attempts.adoptable(record(attempts, "another", US.read_text().strip(), "0"))


def test_one_whose_id_is_anothers_by_now_cannot(attempts: Attempts) -> None:
    gone = subprocess.Popen(["sleep", "600"])
    found = process(gone.pid)
    assert found is not None
    line = Path(f"/proc/{gone.pid}/stat").read_text().strip()
    gone.kill()
    gone.wait()
    assert not attempts.adoptable(record(attempts, boot(), line))
    fields = US.read_text().strip().split(" ")
    fields[21] = str(int(fields[21]) - 1)
    attempts.files("run.1.1").record_file.write_text(f"{boot()}\n{' '.join(fields)}\n")
    assert not attempts.adoptable("run.1.1")


def test_one_that_never_began_and_one_that_is_unknown_cannot(attempts: Attempts) -> None:
    assert not attempts.adoptable(record(attempts, boot()))
    assert not attempts.adoptable("run.2.1")


def test_a_line_that_was_cut_off_does_not_count() -> None:
    us = process(os.getpid())
    assert us is not None
    text = f"{boot()}\n{US.read_text().strip()}\n1".encode()
    assert Record.parse(text) == Record(boot(), Leader(us.pid, us.start, us.start))
    assert Record.parse(text + b"2\n").status == 12
    assert Record.parse(b"") == Record("")


def test_what_is_forgotten_is_removed(attempts: Attempts) -> None:
    for name in ("a.1.1", "a.2.1", "b.1.1"):
        attempts.create(name)
    assert attempts.kept() == ["a.1.1", "a.2.1", "b.1.1"]
    removal = attempts.forget(["a.1.1", "b.1.1", "unknown"])
    assert removal is not None
    removal.join()
    assert attempts.kept() == ["a.2.1"]
    assert attempts.forget([]) is None


def test_a_file_in_the_place_of_the_directory_costs_what_is_in_it_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "attempts").write_text("")
    found = Attempts(tmp_path / "attempts", Notes(tmp_path / "engines", "engine"))
    assert found.kept() == []
    assert "Not a directory" in caplog.text
    assert not found.adoptable("a.1.1")
    with pytest.raises(OSError, match="attempts"):
        found.create("a.1.1")
    found.close()


def test_its_files_are_for_nobody_else(attempts: Attempts) -> None:
    files = attempts.create("a.1.1")
    assert files.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files.directory.iterdir()} == {0o600}


def test_what_its_links_lead_to_stays(attempts: Attempts, tmp_path: Path) -> None:
    """Files and links can be in directories; they are for nobody else either, and all is removed but what is elsewhere."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "kept").write_text("kept")
    files = attempts.create("a.1.1")
    files.keep("home/.tool/settings", "{}")
    files.link("home/.tool/data", str(tmp_path / "theirs"))
    assert (files.directory / "home/.tool/settings").stat().st_mode & 0o777 == 0o600
    assert (files.directory / "home/.tool").stat().st_mode & 0o777 == 0o700
    assert (files.directory / "home/.tool/data/kept").read_text() == "kept"
    files.remove()
    assert not files.directory.exists()
    assert (tmp_path / "theirs" / "kept").exists()


def test_a_file_that_has_no_room_is_no_half_file(attempts: Attempts) -> None:
    files = attempts.create("a.1.1")
    allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    try:
        with pytest.raises(OSError, match="too large"):
            files.keep("policy", "x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, most))
