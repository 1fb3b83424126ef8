"""Server-sent events, in whatever pieces they come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.runners.agents.sse import Events, TooLong

STREAM = (
    b": a comment\n\ndata: one\n\nevent: x\nid: 3\ndata:two\r\n\r\ndata: three\ndata: four\n\n"
    + "data: \u2028 \u0085 \u00e9\n\n".encode()
    + b"data:\n\nretry: 5\n\ndata: last"
)
DATA = ["one", "two", "three\nfour", "\u2028 \u0085 \u00e9", "", "last"]


def read(pieces: list[bytes]) -> list[str]:
    events = Events(1000)
    found = [data for piece in pieces for data in events.feed(piece)]
    return found + list(events.finish())


@given(st.lists(st.integers(0, len(STREAM))))
def test_pieces_do_not_matter(cuts):
    places = [0, *sorted(cuts), len(STREAM)]
    assert read([STREAM[a:b] for a, b in pairwise(places)]) == DATA


@given(st.binary(max_size=500))
def test_anything_is_read(data):
    read([data])


@pytest.mark.parametrize("piece", [b"x" * 300, b"data: " + b"x" * 300 + b"\n"])
def test_too_long_an_event(piece):
    with pytest.raises(TooLong):
        read([piece] * 10)
