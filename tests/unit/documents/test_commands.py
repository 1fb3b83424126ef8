"""The page of the command line says what the commands say."""

from __future__ import annotations

from awf.cli.main import COMMANDS
from documents.commands import PAGE, page


def test_the_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_command_is_on_it() -> None:
    for name in COMMANDS:
        assert f"\n## awf {name}\n" in page()
    assert "\n### awf workflow install\n" in page()
