from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.json_text import DEEPEST, deeper_than, is_text, parse_json

WHOLE_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WHOLE_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(WHOLE_TEXT, inner),
)


@given(VALUES)
def test_values_come_out_as_they_went_in(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[1,]", "Expecting value|trailing comma"),
        ("[NaN]", "NaN is no JSON value"),
        ("-Infinity", "-Infinity is no JSON value"),
        ("[1e400]", "1e400 is too large"),
        ("9" * 5_000, "digits"),
        ('{"a": "\\ud800"}', "it holds half of a character that JSON writes as two"),
        ('{"\\udfff": 1}', "it holds half of a character that JSON writes as two"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "it is nested more than 100 levels deep"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "it is nested more than 100 levels deep"),
        ("[" * 100_000, "it is nested more than 100 levels deep"),
    ],
)
def test_what_is_no_json_value_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_values_may_be_as_deep_as_documents() -> None:
    value = parse_json("[" * DEEPEST + "]" * DEEPEST)
    assert not deeper_than(value, DEEPEST)
    assert deeper_than(value, DEEPEST - 1)


def test_pairs_of_halves_are_a_character() -> None:
    assert parse_json('"\\ud83d\\ude00"') == "😀"
    assert is_text("😀")
    assert not is_text("a\udcffb")
