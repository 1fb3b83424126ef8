"""What is kept of a tool's session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.outcomes import Usage
from awf.runners.agents.port import Request
from awf.runners.agents.prompts import LARGEST_ARGUMENT, fits, whole_prompt
from awf.runners.agents.sessions import Session, digest


@pytest.mark.parametrize(
    ("session", "text"),
    [
        (Session(), ""),
        (Session(id="a-1"), "a-1"),
        (Session(id="a-1", told="ff"), "a-1?told=ff"),
        (Session(id="a-1", used=Usage(input=3, cached=2, output=1)), "a-1?used=3,2,1"),
        (Session(id="a-1", told="ff", used=Usage(input=3, cached=2, output=1)), "a-1?told=ff&used=3,2,1"),
    ],
)
def test_it_reads_what_it_writes(session, text):
    assert str(session) == text
    assert Session.read(text) == session


@given(st.text())
def test_any_text_can_be_read(text):
    session = Session.read(text)
    assert not session.id.startswith("-")
    assert "\0" not in session.id


@pytest.mark.parametrize("used", ["1,2", "1,2,3,4", "1,2,x", "1,-2,3", "1,2," + "9" * 30])
def test_counts_that_are_none(used):
    assert Session.read(f"a?used={used}") == Session(id="a")


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("hello", True),
        ("", True),
        ("-p", False),
        ("--help", False),
        ("a\0b", False),
        ("x" * LARGEST_ARGUMENT, True),
        ("x" * (LARGEST_ARGUMENT + 1), False),
        ("\u00e9" * (LARGEST_ARGUMENT // 2 + 1), False),
        ("\ud800", True),
    ],
)
def test_what_may_be_an_argument(text, may):
    assert fits(text) is may


def test_a_system_prompt_goes_before_the_prompt_unless_the_session_has_had_it():
    def prompt(session: str = "", system_prompt: str = "Be brief.") -> str:
        return whole_prompt(Request(prompt="Go", system_prompt=system_prompt, session=session))

    told = str(Session(id="s", told=digest("Be brief.")))
    assert prompt() == "Be brief.\n\nGo"
    assert prompt(told) == "Go"
    assert prompt("s") == "Be brief.\n\nGo"
    assert prompt(told, "Be long.") == "Be long.\n\nGo"
    assert prompt(told, "") == "Go"
