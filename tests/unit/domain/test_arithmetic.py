from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.arithmetic import ArithmeticFailure, whole_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        (" 12\n", 12),
        ("-4", -4),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("7 / 2", 3),
        ("7 % 4", 3),
        ("1.5 * 4", 6),
        ("-(2 - 5)", 3),
        ("1" + "0" * 22, 10**22),
    ],
)
def test_numbers_and_arithmetic(text: str, value: int) -> None:
    assert whole_number(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be an integer"),
        ("many", "must be an integer"),
        ("1 +", "must be an integer"),
        ("2 ** 3", "must be an integer"),
        ("2 3", "must be an integer"),
        ("(1", "must be an integer"),
        ("(" * 1_000 + "1" + ")" * 1_000, "must be an integer"),
        ("1 / 0", "division by zero"),
        ("1 % (2 - 2)", "division by zero"),
        ("9" * 400, "the result is too large"),
        ("*".join(["9" * 200] * 3), "the result is too large"),
        ("9" * 400 + " % 3", "the result is too large"),
    ],
)
def test_what_is_none_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ArithmeticFailure, match=f'^value ".*" is invalid: {why}$') as refusal:
        whole_number(text)
    assert len(str(refusal.value)) < 100


@given(st.text("0123456789+-*/%(). \n", max_size=60) | st.text(max_size=20))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        whole_number(text)
    except ArithmeticFailure:
        return
