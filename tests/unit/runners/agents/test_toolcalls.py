"""Tool calls in all the ways in which services send them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.runners.agents import toolcalls
from awf.runners.agents.functions import asked
from awf.runners.agents.port import ProviderFailed
from awf.runners.agents.toolcalls import Call, CallPieces, calls_of


def piece(index: Any = None, id: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    values = {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}
    return {name: value for name, value in values.items() if value is not None}


def whole(*deltas: list[dict[str, Any]]) -> list[Call]:
    pieces = CallPieces()
    for delta in deltas:
        pieces.add(delta)
    return list(pieces.whole())


def test_pieces_belong_to_the_call_of_their_index() -> None:
    found = whole(
        [piece(0, "a", "one", "")],
        [piece(1, "b", "two"), piece(0, None, None, '{"x"')],
        [piece(1, None, None, "{}"), piece(0, None, None, ":1}")],
    )
    assert found == [Call("a", "one", '{"x":1}'), Call("b", "two", "{}")]


def test_a_name_that_comes_with_every_piece_is_one_name() -> None:
    assert whole([piece(0, "a", "one", "{")], [piece(0, "a", "one", "}")]) == [Call("a", "one", "{}")]


def test_a_new_id_at_the_same_index_is_another_call() -> None:
    assert whole([piece(0, "a", "one", "{}")], [piece(0, "b", "two", "[]")]) == [
        Call("a", "one", "{}"),
        Call("b", "two", "[]"),
    ]


def test_without_an_index_the_place_counts() -> None:
    found = whole([piece(None, "a", "one", "{}"), piece(None, "b", "two", "{")], [piece(1, None, None, "}")])
    assert found == [Call("a", "one", "{}"), Call("b", "two", "{}")]


def test_ids_that_are_missing_or_twice_or_too_long() -> None:
    found = whole(
        [piece(0, None, "x"), piece(1, "call_3", "x"), piece(2, "call_3", "x"), piece(3, "y" * 999)]
    )
    assert [call.id for call in found] == ["call_1", "call_3", "call_3_", "call_4"]


def test_arguments_that_are_an_object_already() -> None:
    found = calls_of([{"id": "a", "function": {"name": "x", "arguments": {"é": [1]}}}])
    assert json.loads(found[0].arguments) == {"é": [1]}


def test_what_else_a_service_says_of_a_call_is_kept() -> None:
    """Gemini's signature of what it thought; it has no index either."""
    signed = {"extra_content": {"google": {"thought_signature": "Aé"}}}
    first, second = whole([piece(None, "a", "one", "{}") | signed], [piece(None, "b", "two", "{}")])
    assert (first.more, second.more) == (signed, {})
    assert asked("", [first])["tool_calls"][0]["extra_content"] == signed["extra_content"]
    (broken,) = whole([piece(0, "a", "one", "{}") | {"extra": "\ud800"}])
    assert broken.more == {}


def test_halves_of_characters_are_replaced() -> None:
    found = whole([piece(0, "a\ud800", "x\ud800", "\ud800")])
    json.dumps([found[0].id, found[0].name, found[0].arguments], ensure_ascii=False).encode()


def test_too_much_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProviderFailed, match="more than 128 tools"):
        whole([piece(number, str(number)) for number in range(129)])
    monkeypatch.setattr(toolcalls, "MOST_ARGUMENTS", 10)
    with pytest.raises(ProviderFailed, match="over 10 characters"):
        whole([piece(0, "a", "one", "x" * 6)], [piece(0, None, None, "x" * 6)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["index", "id", "function", "more"]), JSON | st.builds(piece), max_size=3
        ),
        max_size=6,
    )
)
def test_nothing_in_a_piece_is_trusted(pieces: list[dict[str, Any]]) -> None:
    found = whole(pieces)
    assert len({call.id for call in found}) == len(found) <= len(pieces)
