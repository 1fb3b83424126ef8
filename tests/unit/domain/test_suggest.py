from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from awf.domain.suggest import closest, did_you_mean


def test_the_nearest_word_is_suggested() -> None:
    assert closest("comand", ["type", "command", "commander"]) == "command"
    assert did_you_mean("timout", ["timeout"]) == " (did you mean 'timeout'?)"
    assert did_you_mean("timout", ["timeout"], '"') == ' (did you mean "timeout"?)'


def test_another_case_wins_over_another_word() -> None:
    assert closest("OUTPUT", ["Output", "OUTPUTS"]) == "Output"


def test_nothing_is_suggested_for_what_resembles_nothing() -> None:
    assert closest("zebra", ["command", "type"]) is None
    assert did_you_mean("zebra", []) == ""
    assert closest("x" * 10_000, ["x" * 9_999]) is None


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=6))
def test_the_order_of_the_candidates_does_not_matter(word: str, candidates: list[str]) -> None:
    assert closest(word, candidates) == closest(word, reversed(candidates))
