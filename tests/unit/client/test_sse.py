"""Server-sent events from bytes that are cut anywhere."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from awf.client.sse import Frame, Parser

STREAM = (
    "\ufeffevent: step.started\nid: 1\ndata: {}\n\n"
    ": ping\n\n"
    "event: output\r\nid: 2\r\ndata: grüße 🐎\r\n\r\n"
    "data:no space\rid:3\revent:cr\r\r"
    "data: two\ndata\ndata:  lines\n\n"
    "event: nothing\nid: 4\n\n"
    "unknown: x\nretry: 5\nid: \0bad\ndata: \u2028\x85\x0b\n\n"
    "event: cut\nid: 9\ndata: off"
).encode()
FRAMES = [
    Frame("step.started", "1", "{}"),
    Frame("output", "2", "grüße 🐎"),
    Frame("cr", "3", "no space"),
    Frame("", "3", "two\n\n lines"),
    Frame("", "4", "\u2028\x85\x0b"),
]


def test_a_stream_in_one_piece() -> None:
    assert Parser().feed(STREAM) == FRAMES


def test_byte_by_byte() -> None:
    parser = Parser()
    assert [frame for byte in STREAM for frame in parser.feed(bytes([byte]))] == FRAMES


@given(st.sets(st.integers(0, len(STREAM))))
def test_cut_anywhere(cuts: set[int]) -> None:
    parser = Parser()
    pieces = [STREAM[start:end] for start, end in pairwise(sorted({0, len(STREAM), *cuts}))]
    assert [frame for piece in pieces for frame in parser.feed(piece)] == FRAMES
    assert parser.feed(b"") == []


LINE = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))


@given(
    st.lists(st.tuples(LINE, st.lists(LINE, min_size=1, max_size=3))),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 7),
)
def test_what_is_written_is_read(written: list[tuple[str, list[str]]], end: str, size: int) -> None:
    text = "".join(
        f"event: {name}{end}{''.join(f'data: {line}{end}' for line in lines)}{end}" for name, lines in written
    )
    data = text.encode()
    parser = Parser()
    read = [frame for at in range(0, len(data), size) for frame in parser.feed(data[at : at + size])]
    assert read == [Frame(name, "", "\n".join(lines)) for name, lines in written]


def test_invalid_utf_8_is_replaced() -> None:
    assert Parser().feed(b"data: \xff\n\n") == [Frame("", "", "\ufffd")]
