"""A file that a detached step writes is read as its pipe would be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from awf.runners.following import Follower

MIB = 1024 * 1024


class Heard:
    """What a follower delivered."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, bool]] = []

    def __call__(self, stream: str, text: str, truncated: bool) -> None:
        assert stream == "stdout"
        self.pieces.append((text, truncated))

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)

    @property
    def marks(self) -> int:
        return sum(truncated for _, truncated in self.pieces)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stdout"
    path.touch()
    return path


def write(path: Path, data: bytes) -> None:
    with path.open("ab") as out:
        out.write(data)


def test_what_is_written_is_delivered_in_order(file: Path) -> None:
    heard = Heard()
    follower = Follower(file, "stdout", heard)
    whole = "é€😀 one\n".encode()
    for cut in range(0, len(whole), 3):
        write(file, whole[cut : cut + 3])
        follower.read()
    assert follower.finish() == (len(whole), "")
    assert heard.text == whole.decode()
    assert heard.marks == 0


def test_whoever_begins_again_hears_the_same_text(file: Path) -> None:
    first, second = Heard(), Heard()
    live = Follower(file, "stdout", first, limit=20)
    for piece in (b"a\xffb\xe2\x82", b"\xac and so on ", b"to the end", b" and further"):
        write(file, piece)
        live.read()
    again = Follower(file, "stdout", second, limit=20)
    assert live.finish() == again.finish()
    assert (first.text, first.marks) == (second.text, second.marks)


def test_the_beginning_is_recorded_and_the_end_is_kept(file: Path) -> None:
    heard = Heard()
    follower = Follower(file, "stdout", heard, limit=10)
    write(file, b"0123456789abcdef")
    assert follower.finish() == (16, "bcdef")
    assert heard.pieces == [("01234", True)]


def test_exactly_what_is_recorded_needs_no_mark(file: Path) -> None:
    heard = Heard()
    write(file, b"01234")
    assert Follower(file, "stdout", heard, limit=10).finish() == (5, "")
    assert (heard.text, heard.marks) == ("01234", 0)


def test_what_nobody_will_read_is_given_back(file: Path) -> None:
    heard = Heard()
    follower = Follower(file, "stdout", heard, limit=4 * MIB)
    for number in range(40):
        write(file, bytes([65 + number % 26]) * MIB)
        follower.read()
        os.sync()
        assert file.stat().st_blocks * 512 <= 7 * MIB
    assert file.stat().st_size == 40 * MIB
    total, tail = follower.finish()
    assert total == 40 * MIB
    assert heard.text == "A" * MIB + "B" * MIB
    assert tail == "M" * MIB + "N" * MIB


def test_a_step_that_empties_its_own_output_is_followed_on(file: Path) -> None:
    heard = Heard()
    follower = Follower(file, "stdout", heard)
    write(file, b"before\n")
    follower.read()
    file.write_bytes(b"now\n")
    follower.read()
    write(file, b"after\n")
    follower.read()
    assert follower.finish() == (17, "")
    assert heard.text == "before\nnow\nafter\n"


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Follower(tmp_path / "none", "stdout", Heard())
