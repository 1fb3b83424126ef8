"""What is said between an agent, its tools and who asks it, in one form for all providers."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


class TextBlock(msgspec.Struct, frozen=True, tag="text"):
    """Words of a message."""

    text: str


class ToolUse(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_use"):
    """A message's call of a tool; ``id`` names it for the result. ``input`` is a JSON value. ``more`` is what a service wants to be
    told again with it (a signature, say), for later attempts and not for people."""

    id: str
    name: str
    input: Any = None
    more: dict[str, Any] = {}


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result"):
    """What a tool answered to the call ``id``, as text or JSON value."""

    id: str
    output: Any = None
    failed: bool = False


Block: TypeAlias = TextBlock | ToolUse | ToolResult


class Message(msgspec.Struct, frozen=True):
    """A whole message of the exchange, for the transcript."""

    role: Role
    blocks: tuple[Block, ...]


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one side said, earlier in a conversation. ``messages``: the tools of awf that an agent behind a service called before it
    said that, and what they answered, as far as that is recorded."""

    role: Literal["user", "assistant"]
    text: str
    messages: tuple[Message, ...] = ()
