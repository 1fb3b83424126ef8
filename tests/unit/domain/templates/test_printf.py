from __future__ import annotations

import pytest

from awf.domain.problems import Position
from awf.domain.templates import TemplateFailure, parse_template, render


def formatted(pattern: str, *values: object) -> str:
    arguments = "".join(f" (index .values {place})" for place in range(len(values)))
    template = parse_template("{{printf .pattern" + arguments + "}}", Position("f", 1, 1))
    return render(template, {"pattern": pattern, "values": list(values)})


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("%v", "a b", "a b"),
        ("%v", 5000000.0, "5000000"),
        ("%+v", [1, "a"], '[1,"a"]'),
        ("%v", None, ""),
        ("%.2v", 12345.678, "1.2e+04"),
        ("%.1v", True, "true"),
        ("%s", "x", "x"),
        ("%s", 5, "5"),
        ("%.2s|", "héllo", "hé|"),
        ("%5s|", "ab", "   ab|"),
        ("%-5s|", "ab", "ab   |"),
        ("%05s", "ab", "000ab"),
        ("%q", 'a"b\n\u200b\x7fé', '"a\\"b\\n\\u200b\\x7fé"'),
        ("%+q", "é😀", '"\\u00e9\\U0001f600"'),
        ("%#q", "a\\b", "`a\\b`"),
        ("%d", 5, "5"),
        ("%d", 5.0, "5"),
        ("%05d", -42, "-0042"),
        ("%+d", 5, "+5"),
        ("% d", 5, " 5"),
        ("%-5d|", 5, "5    |"),
        ("%.3d", 5, "005"),
        ("%x", 255, "ff"),
        ("%#X", 255, "0XFF"),
        ("%x", -255, "-ff"),
        ("%x", "hé", "68c3a9"),
        ("% X", "hi", "68 69"),
        ("%o %%", 8, "10 %"),
        ("%08b", 5, "00000101"),
        ("%c", 233, "é"),
        ("%t", True, "true"),
        ("%5t|", False, "false|"),
        ("%f", 1, "1.000000"),
        ("%5.2f", 3.14159, " 3.14"),
        ("%08.3f", -3.14159, "-003.142"),
        ("%.0f", 2.5, "2"),
        ("%e", 12345.678, "1.234568e+04"),
        ("%.2E", 12345.678, "1.23E+04"),
        ("%g", 0.00001, "1e-05"),
        ("%g", 5000000.0, "5000000"),
        ("%G", 1e-7, "1E-07"),
        ("%.3g", 1234.5678, "1.23e+03"),
        ("100%%", None, "100%"),
    ],
)
def test_verbs_print_as_in_go(pattern: str, value: object, expected: str) -> None:
    values = () if pattern == "100%%" else (value,)
    assert formatted(pattern, *values) == expected


def test_values_are_taken_in_turn() -> None:
    assert formatted("%s-%d, %5.1f!", "a", 2, 3.14) == "a-2,   3.1!"


@pytest.mark.parametrize(
    ("pattern", "values", "message"),
    [
        ("%d", ("5",), "%d takes a whole number, not text"),
        ("%d", (1.5,), "%d takes a whole number, not a number"),
        ("%d", (True,), "%d takes a whole number, not a boolean"),
        ("%d", (None,), "%d takes a whole number, not nothing"),
        ("%10000d" * 1100, (1,) * 1100, "the text is larger than 10 MiB"),
        ("%f", ("x",), "%f takes a number, not text"),
        ("%t", ("true",), "%t takes a boolean, not text"),
        ("%c", (-1,), "%c takes the number of a character"),
        ("%d %d", (1,), "no argument for %d"),
        ("%d", (1, 2), "1 more argument than the format has verbs"),
        ("", (1, 2), "2 more arguments than the format has verbs"),
        ("%", (), "the format ends with %"),
        ("%z", (1,), "the verb %z is not known"),
        ("%#v", (1,), "the verb %#v is not known"),
        ("%[1]d", (1,), "the verb %[ is not known"),
        ("%*d", (1, 2), "the verb %* is not known"),
        ("%99999d", (1,), "%99999d is wider than 10000"),
        ("%.9999999999999d", (1,), "wider than 10000"),
        ("%d", (10**5000,), "the number is too large to print"),
        ("%f", (10**400,), "the number is too large for %f"),
    ],
)
def test_what_go_would_complain_of_in_the_text_is_a_failure(
    pattern: str, values: tuple[object, ...], message: str
) -> None:
    with pytest.raises(TemplateFailure) as caught:
        formatted(pattern, *values)
    assert caught.value.message.startswith("template: printf: ")
    assert message in caught.value.message
