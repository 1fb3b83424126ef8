from __future__ import annotations

from typing import Any

import pytest

from awf.journal.messages import Block, Role, TextBlock, ToolResult, ToolUse
from awf.runners.agents import speech as module
from awf.runners.agents.port import Message, Text
from awf.runners.agents.speech import Speech
from awf.runners.recorder import RECORDED


class Listener:
    def __init__(self) -> None:
        self.text = ""
        self.cuts = 0
        self.messages: list[tuple[Role, tuple[Block, ...]]] = []
        self.speech = Speech(self._emit, lambda *message: self.messages.append(message))

    def _emit(self, stream: str, text: str, truncated: bool) -> None:
        assert stream == "stdout"
        self.text += text
        self.cuts += truncated


def test_text_is_passed_on_and_what_is_too_much_is_bounded() -> None:
    heard = Listener()
    assert heard.speech.silent
    for _ in range(12):
        heard.speech.say(Text("é" * 512 * 1024))
    written = heard.speech.finish()
    assert (len(heard.text.encode()), heard.cuts) == (RECORDED, 1)
    assert written.stdout_bytes == 12 * 1024 * 1024
    assert len(written.stdout_tail.encode()) == RECORDED
    assert not heard.speech.silent


def test_halves_of_characters_are_replaced() -> None:
    heard = Listener()
    heard.speech.say(Text("a\ud83d\ude00b\ud800c"))
    heard.speech.say(Message("assistant", (TextBlock("\udc00"), ToolUse("\ud800", "n", {"\ud800": "x"}))))
    heard.speech.finish()
    assert heard.text == "a\U0001f600b\ufffdc"
    [(_, (words, use))] = heard.messages
    assert words == TextBlock("\ufffd")
    assert isinstance(use, ToolUse)
    use.input.encode()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"a": [1, None, "é"]}, {"a": [1, None, "é"]}),
        (12345678901234567890123, 12345678901234567890123),
        ("x" * 20_000, "x" * 16_384 + "\n[... 3616 bytes left out ...]\n"),
        ({"a": "x" * 20_000}, '{"a":"' + "x" * 16_378 + "\n[... 3624 bytes left out ...]\n"),
        (float("nan"), None),
        (object, "<class 'object'>"),
    ],
)
def test_values_are_json_and_bounded(given: Any, kept: Any) -> None:
    heard = Listener()
    heard.speech.say(Message("tool", (ToolResult("1", given, failed=True),)))
    assert heard.messages == [("tool", (ToolResult("1", kept, failed=True),))]


def test_deep_values_are_text() -> None:
    deep: Any = "x"
    for _ in range(101):
        deep = [deep]
    heard = Listener()
    heard.speech.say(Message("assistant", (ToolUse("1", "n", deep[0]), ToolUse("2", "n", deep))))
    [(_, (first, second))] = heard.messages
    assert (first, second) == (ToolUse("1", "n", deep[0]), ToolUse("2", "n", "[" * 101 + '"x"' + "]" * 101))


def test_all_messages_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 100)
    heard = Listener()
    for _ in range(5):
        heard.speech.say(Message("assistant", (TextBlock("x" * 30),)))
    assert [role for role, _ in heard.messages] == ["assistant", "assistant", "system"]
    assert heard.messages[-1][1] == (TextBlock("[... the rest of the exchange is left out ...]"),)


def test_what_is_said_can_be_recorded_or_is_refused() -> None:
    heard = Listener()
    with pytest.raises(ValueError, match=r"nobody is called 'robot': a role is one of system, user"):
        heard.speech.say(Message("robot", (TextBlock("x"),)))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        heard.speech.say(Message("user", (TextBlock(5),)))  # type: ignore[arg-type]
    heard.speech.say(Message("tool", (ToolResult("1", "x", "yes"),)))  # type: ignore[arg-type]
    assert heard.messages == [("tool", (ToolResult("1", "x", True),))]
