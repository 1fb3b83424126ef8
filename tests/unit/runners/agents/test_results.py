"""What is made of answers, however they are meant."""

from __future__ import annotations

from typing import Any

import pytest

from awf.runners.agents.port import Answer, Request
from awf.runners.agents.results import NotJson, json_value, product


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("```\n{}\n```", {}),
        ("```json title\r\n[1]\r\n  ```\n", [1]),
        ('a ```json\nno\n``` b ```JSON\n{"a": 1}\n``` c', {"a": 1}),
        ("```json\n[1]\n```\n```json\n[2]\n```", [1]),
    ],
)
def test_json_is_found(text: str, value: Any) -> None:
    assert json_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "```json\n[1]",
        "``````",
        "```",
        "```\n" + " " * 5_000_000 + "x```",
        "```json\n" * 500_000,
        "```json" * 500_000,
        "```json\n" + "\t" * 5_000_000,
    ],
    ids=range(7),
)
def test_what_is_none_is_told_soon(text: str) -> None:
    with pytest.raises(NotJson):
        json_value(text)


def test_an_object_is_the_response_whatever_was_asked_for() -> None:
    made = product(Request(prompt="x" * 40), Answer(text=' {"a": 1} '))
    assert (made.output, made.response) == (' {"a": 1} ', {"a": 1})
    assert made.usage is not None
    assert (made.usage.input, made.usage.output, made.usage.estimated) == (10, 2, True)
    assert product(Request(prompt="x"), Answer(text="[1]")).response is None
    assert product(Request(prompt="x"), Answer(text="{no")).response is None
