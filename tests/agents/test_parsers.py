"""The parsers of tools' output: what the real tools wrote once, and what nobody ever wrote."""

from __future__ import annotations

import json
from collections import defaultdict
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tools import PROGRAMS
from awf.runners.agents.port import (
    Answer,
    Message,
    ProviderFailed,
    Request,
    Text,
    TextBlock,
    ToolResult,
    ToolUse,
    Usage,
)
from awf.runners.agents.registry import build_providers

PROVIDERS = build_providers()
RECORDED = {
    name: (Path(__file__).parent / "recorded" / f"{name}.jsonl").read_text().splitlines() for name in PROGRAMS
}
"""Each real tool, asked to ``Say hello`` with a model that first calls its shell with ``echo hi``."""

each_tool = pytest.mark.parametrize("name", sorted(PROGRAMS))


def read(name, lines, code=0):
    """The events, and the answer or why there is none."""
    parser = PROVIDERS[name].parser(Request(prompt="Say hello"))
    events = [event for line in lines for event in parser.feed(line)]
    try:
        return events, parser.finish(code, "")
    except ProviderFailed as failure:
        return events, failure


@each_tool
def test_what_the_real_tool_wrote(name):
    events, answer = read(name, RECORDED[name])
    assert answer.text == "All is done now."
    assert answer.session
    assert "".join(event.text for event in events if isinstance(event, Text)) == "All is done now."
    messages = [event for event in events if isinstance(event, Message) and event.role != "user"]
    kinds = [(message.role, type(block)) for message in messages for block in message.blocks]
    assert kinds == [("assistant", ToolUse), ("tool", ToolResult), ("assistant", TextBlock)]
    use, result = messages[0].blocks[0], messages[1].blocks[0]
    assert use.id == result.id
    assert "echo hi" in str(use.input)
    assert "hi" in str(result.output)
    assert not result.failed
    if name not in {"mistral_vibe", "github_copilot"}:  # those said nothing of tokens
        assert (answer.usage.input, answer.usage.output) == (246, 90)


@each_tool
def test_output_that_ends_anywhere_before_its_end_is_no_answer(name):
    lines = RECORDED[name]
    for end in range(len(lines)):
        assert isinstance(read(name, lines[:end])[1], ProviderFailed), end


@each_tool
@pytest.mark.parametrize("code", [1, 2, 124, 137])
def test_an_exit_status_that_is_no_success_is_none(name, code):
    failure = read(name, RECORDED[name], code)[1]
    assert isinstance(failure, ProviderFailed)
    assert failure.exit_code == code


def test_what_a_failure_has_cost_is_told():
    end = {"type": "result", "subtype": "error_max_turns", "is_error": True, "total_cost_usd": 1.5}
    failure = read("claude", [json.dumps({**end, "usage": {"input_tokens": 5, "output_tokens": 2}})])[1]
    assert failure.usage == Usage(input=5, output=2, cost=1.5)
    assert read("claude", [json.dumps(end)])[1].usage == Usage(cost=1.5)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("github_copilot", {"type": "assistant.usage", "data": {"inputTokens": 5, "outputTokens": 2}}),
        ("opencode", {"type": "step_finish", "part": {"tokens": {"input": 5, "output": 2}}}),
    ],
)
def test_what_is_told_before_the_end_counts(name, event):
    assert read(name, [json.dumps(event)], 143)[1].usage == Usage(input=5, output=2)


def test_what_claude_tells_as_it_goes_is_what_it_says_in_the_end():
    assert read("claude", RECORDED["claude"][:-1], 143)[1].usage == Usage(input=246, output=90)


def vocabulary():
    """Every key of the recorded events, and every text."""
    words = defaultdict(set)

    def walk(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                words["keys"].add(key)
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str) and len(value) < 40:
            words["texts"].add(value)

    for lines in RECORDED.values():
        for line in lines:
            walk(json.loads(line))
    return sorted(words["keys"]), sorted(words["texts"])


KEYS, TEXTS = vocabulary()
KINDS = sorted({json.loads(line)["type"] for lines in RECORDED.values() for line in lines})

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(TEXTS + KINDS),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
made_up = st.builds(
    lambda kind, rest: json.dumps({**rest, "type": kind}),
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(KEYS), values, max_size=5),
)


@st.composite
def spoilt(draw):
    """A recorded event in which something is something else."""
    event = json.loads(draw(st.sampled_from([line for lines in RECORDED.values() for line in lines])))
    inner = event = deepcopy(event)
    while True:
        key = draw(st.sampled_from(sorted(inner)))
        if isinstance(inner[key], dict) and inner[key] and draw(st.booleans()):
            inner = inner[key]
            continue
        inner[key] = draw(values)
        return json.dumps(event)


garbage = st.one_of(
    st.text(),
    st.sampled_from(["{", "[]", "null", '{"type":', "[" * 5000, '{"a":' * 5000, '{"type":"\\ud800"}']),
)
lines = st.lists(st.one_of(garbage, made_up, spoilt()), max_size=12)


@each_tool
@given(lines=lines, code=st.sampled_from([0, 0, 0, 1, 137]))
def test_nothing_makes_a_parser_raise_and_the_same_lines_give_the_same(name, lines, code):
    events, end = read(name, lines, code)
    assert all(isinstance(event, Text | Message) for event in events)
    assert isinstance(end, Answer | ProviderFailed)
    again, same = read(name, lines, code)
    assert again == events
    if isinstance(end, Answer):
        assert code == 0
        assert same == end
        assert isinstance(end.text, str)
        assert isinstance(end.session, str)
    else:
        assert same.message == end.message


@each_tool
@given(places=st.lists(st.tuples(st.integers(0, 60), garbage), max_size=6))
def test_garbage_between_the_events_changes_no_answer(name, places):
    mixed = list(RECORDED[name])
    for place, line in places:
        mixed.insert(place, line)
    assert read(name, mixed)[1].text == "All is done now."
