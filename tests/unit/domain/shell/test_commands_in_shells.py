"""Real-looking commands do with harmless values what they do with the values pasted."""

from __future__ import annotations

import pytest

from awf.domain.shell import ShellScript, shell_script
from shells.corpus import VALUES, corpus, differences, pasted
from shells.running import SHELLS, parts_of

COMMANDS = corpus()


def test_the_corpus_is_large():
    assert len({command.source for command in COMMANDS}) == len(COMMANDS) > 500


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_do_the_same_with_harmless_values_as_with_pasted_text(shell, tmp_path):
    assert differences(shell, tmp_path) == []


def test_people_see_the_command_with_its_values():
    for source, _ in COMMANDS:
        script = shell_script(parts_of(source, VALUES))
        if "# " not in source:
            assert script.display == pasted(source)
        assert script.script.count("\n") == source.count("\n")


def test_a_command_without_values_is_left_alone():
    assert shell_script(parts_of("echo 'a", {})) == ShellScript("echo 'a", (), "echo 'a")
