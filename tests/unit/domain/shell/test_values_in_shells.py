"""Any text, in every kind of place, in the shells that are installed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awf.domain.shell import ShellPlaceError, preamble
from shells.properties import ATTACKS, CODE, PROPERTIES
from shells.running import SHELLS, run_shell, script_of, whole


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: holds.__name__)
def test_values_are_data(holds, shell):
    holds(shell)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(CODE) | st.text(max_size=3), max_size=30).map("".join), st.sampled_from(ATTACKS)
)
def test_every_value_of_any_command_is_placed_or_refused(source, value):
    try:
        script = script_of(source, v=value)
    except ShellPlaceError:
        return
    assert "pwned" not in script.script


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell in {"dash", "bash"}])
def test_unquoted_values_glob_and_follow_ifs_as_a_variable_does(shell, tmp_path):
    for name in ("a.txt", "b.txt", "c.log"):
        (tmp_path / name).touch()
    result = run_shell(
        shell, whole(script_of("echo «g»; IFS=,; set -- «c»; echo $#", g="*.txt", c="x,y")), tmp_path
    )
    assert result.stdout == b"a.txt b.txt\n2\n"


def test_the_preamble_is_plain_assignments_on_one_line():
    assert (
        preamble((("__awf_1", "it's"), ("__awf_2_words", "a b")))
        == "__awf_1='it'\\''s'; __awf_2_words='a b'; "
    )
    assert preamble(()) == ""
