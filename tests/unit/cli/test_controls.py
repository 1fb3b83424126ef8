"""What a terminal would obey is not shown."""

from __future__ import annotations

import pytest

from awf.cli.controls import visible
from awf.cli.show import one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("grüße 你好 🎉\tone\ntwo", "grüße 你好 🎉\tone\ntwo"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
        ("a\x1b7b\x9b2Jc\rd\x00\x7f", "ab2Jcd"),
    ],
)
def test_text_and_its_lines_are_left(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_one_line_of_a_text() -> None:
    assert one_line("\n\x1b[2Jfirst\nsecond") == "first"
    assert one_line("x" * 70) == "x" * 59 + "…"
    assert one_line("x" * 70, None) == "x" * 70
