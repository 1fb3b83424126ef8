from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.journal.text import MARK, stream_text
from awf.testing.builders import step_completed, step_output, step_started


def _attempt(pieces, *, ended, truncated=False, tail="", written=None):
    """The facts of an attempt, newest first, that wrote these pieces to stdout and noise to stderr."""
    facts = [step_started()]
    for number, piece in enumerate(pieces, 1):
        facts.append(step_output(1, piece, truncated=truncated and number == len(pieces)))
        facts.append(step_output(1, "noise", stream="stderr"))
    if ended:
        size = len("".join([*pieces, tail]).encode()) if written is None else written
        facts.append(step_completed(1, stdout_bytes=size, stdout_tail=tail))
    return list(reversed(facts))


def _suffix(text, limit):
    data = text.encode()[max(0, len(text.encode()) - limit) :] if limit else b""
    return data.decode(errors="ignore")


@given(pieces=st.lists(st.text(max_size=5), max_size=6), limit=st.integers(0, 40), ended=st.booleans())
def test_a_limited_text_is_the_end_of_the_whole(pieces, limit, ended):
    whole = "".join(pieces)
    assert stream_text(_attempt(pieces, ended=ended), "stdout", None).text == whole
    limited = stream_text(_attempt(pieces, ended=ended), "stdout", limit)
    assert limited.text == _suffix(whole, limit)
    assert limited.omitted == len(whole.encode()) - len(limited.text.encode())


@given(
    beginning=st.text(min_size=1, max_size=8),
    gap=st.integers(0, 300),
    tail=st.text(min_size=1, max_size=8),
    limit=st.integers(0, 80),
)
def test_beginning_mark_and_end_are_cut_from_the_front_and_never_inside_the_mark(beginning, gap, tail, limit):
    written = len(beginning.encode()) + gap + len(tail.encode())
    facts = _attempt([beginning], ended=True, truncated=True, tail=tail, written=written)
    mark = MARK.format(gap) if gap else ""
    whole = stream_text(facts, "stdout", None)
    assert (whole.text, whole.omitted) == (beginning + mark + tail, gap)
    limited = stream_text(facts, "stdout", limit)
    fits_mark = len((mark + tail).encode()) <= limit
    assert limited.text == (_suffix(whole.text, limit) if fits_mark else _suffix(tail, limit))
    shown = len(limited.text.encode()) - (len(mark) if fits_mark else 0)
    assert limited.omitted == written - shown


@pytest.mark.parametrize("limit", [3, 10])
def test_no_more_is_read_than_the_limit_needs(limit):
    read = []

    def newest_first():
        for fact in _attempt(["0123456789"] * 1000, ended=True):
            read.append(fact)
            yield fact

    assert stream_text(newest_first(), "stdout", limit).omitted == 10_000 - limit
    assert len(read) == 3


def test_masked_text_shorter_than_what_was_written_counts_as_whole():
    facts = _attempt(["token ***\n"], ended=True, written=40)
    assert stream_text(facts, "stdout", None).omitted == 0
