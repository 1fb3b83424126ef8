from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from awf.runners.agents import lines as module
from awf.runners.agents.lines import Lines


def read(path: Path, heard: list[str], *, most: int = 1 << 30) -> tuple[Lines, asyncio.Event]:
    too_much = asyncio.Event()
    return Lines(path, heard.append, too_much, most), too_much


def test_lines_are_whole_whatever_the_pieces_are(tmp_path: Path) -> None:
    text = "one\n\nzwei ü€𝄞\r\nhalf \x00 line\nlast"
    whole: list[str] = []
    (tmp_path / "whole").write_bytes(text.encode())
    lines, _ = read(tmp_path / "whole", whole)
    assert lines.finish() == (len(text.encode()), "")
    assert whole == ["one", "", "zwei ü€𝄞", "half \x00 line", "last"]
    for size in (1, 2, 3, 7):
        pieces: list[str] = []
        file = tmp_path / f"by {size}"
        file.touch()
        lines, _ = read(file, pieces)
        data = text.encode()
        with file.open("ab") as writer:
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                writer.flush()
                assert lines.read() is False
        lines.finish()
        assert pieces == whole


def test_what_is_no_utf_8_is_replaced(tmp_path: Path) -> None:
    heard: list[str] = []
    (tmp_path / "f").write_bytes(b"a\xff\nb\xe2\x82")
    lines, _ = read(tmp_path / "f", heard)
    lines.finish()
    assert heard == ["a\ufffd", "b\ufffd"]


def test_a_long_line_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 10)
    monkeypatch.setattr(module, "_READ", 4)
    heard: list[str] = []
    (tmp_path / "f").write_text("x" * 25 + "\nshort\n" + "y" * 10 + "\n")
    lines, _ = read(tmp_path / "f", heard)
    lines.finish()
    assert heard == ["x" * 10, "short", "y" * 10]


def test_others_get_their_turn_while_there_is_much(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x\n" * 1_000_000)
    heard: list[str] = []
    lines, _ = read(tmp_path / "f", heard)
    assert lines.read() is True
    assert len(heard) == module.AT_ONCE * 64 * 1024 // 2
    lines.finish()
    assert len(heard) == 1_000_000


def test_a_file_that_was_emptied_is_read_on(tmp_path: Path) -> None:
    heard: list[str] = []
    (tmp_path / "f").write_text("one\ntwo\n")
    lines, _ = read(tmp_path / "f", heard)
    lines.read()
    (tmp_path / "f").write_text("three\n")
    assert (lines.finish(), heard) == ((14, ""), ["one", "two", "three"])


def test_no_more_is_read_than_a_tool_may_write(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("abc\ndef\n")
    heard: list[str] = []
    lines, too_much = read(tmp_path / "f", heard, most=6)
    assert lines.read() is False
    assert (too_much.is_set(), heard, lines.total) == (True, ["abc"], 6)
    lines.close()
    lines.close()
