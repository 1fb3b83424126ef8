"""The generated parts of the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from awf.domain import kinds
from awf.domain.keys import FLAG, TEXT, Schema, choice, either, listed, ref, whole
from documents.__main__ import DOCS
from documents.tables import TABLES, filled, shared_names, values

PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_what_the_code_says(page: Path) -> None:
    text = page.read_text()
    assert filled(text) == text, "`make docs` writes it anew"


def test_every_table_is_on_the_page_of_the_language() -> None:
    page = (DOCS / "language.md").read_text()
    assert [name for name in TABLES if f"<!-- generated: {name} -->" not in page] == []


def test_every_key_of_every_state_is_in_a_table() -> None:
    for kind, keys in kinds.STATE_KEYS.items():
        table = TABLES["step" if kind == "command" else kind]() + TABLES["every state"]()
        assert [name for name in keys.read if f"| `{name}`" not in table] == [], kind


def test_keys_that_all_have_are_told_of_once() -> None:
    assert {"type", "on_success", "retry"} <= shared_names()
    assert "`on_success`" not in TABLES["step"]()
    assert "`call_workflow`" in TABLES["every state"]()


def test_what_stands_between_the_marks_is_replaced() -> None:
    page = "a\n<!-- generated: retry -->\nold\n<!-- end -->\nb <!-- end -->\n"
    assert (
        filled(page) == f"a\n<!-- generated: retry -->\n{TABLES['retry']()}\n<!-- end -->\nb <!-- end -->\n"
    )
    with pytest.raises(KeyError):
        filled("<!-- generated: nothing -->\n<!-- end -->")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (TEXT, "text"),
        (FLAG, "true or false"),
        (choice("a", "b", ""), "`a`, `b`"),
        (whole(1, 5), "a whole number from 1 to 5"),
        (whole(0), "a whole number from 0"),
        (either(TEXT, ref("x")), "text, a map"),
        (listed(TEXT), "a list"),
        ({}, "anything"),
    ],
)
def test_values_in_few_words(schema: Schema, said: str) -> None:
    assert values(schema) == said
