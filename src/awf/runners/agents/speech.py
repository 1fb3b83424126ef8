"""What an agent says, on its way out: text into the step's output, messages into the record; all of it bounded."""

from __future__ import annotations

from typing import get_args

import msgspec

from awf.domain.outcomes import Usage, Written
from awf.engine.ports import Emit, Tell
from awf.journal.messages import Block, Role, TextBlock, ToolResult, ToolUse
from awf.runners.agents.bounds import cut, json_value, sound
from awf.runners.agents.port import Event, Spent, Text
from awf.runners.agents.results import sane
from awf.runners.recorder import Recorder, Tail

LONGEST_TEXT = 256 * 1024
"""Bytes of a message's words that are recorded."""

LONGEST_VALUE = 16 * 1024
"""Bytes of what a tool is given, or answers, that are recorded."""

LONGEST_NAME = 1024
"""Bytes of a tool's name, and of the id of a call."""

MOST_MESSAGES = 16 * 1024 * 1024
"""Bytes of all messages of an attempt that are recorded."""


_ROLES = get_args(Role)


class Speech:
    """Takes the events of one attempt. Equal events are recorded equally, so that an attempt that is followed from its
    beginning again says the same. ``silent``: no text has come; ``told``: a message has; ``spent``: what it
    has cost so far, where the provider says that on the way."""

    def __init__(self, emit: Emit, tell: Tell) -> None:
        self._recorder = Recorder("stdout", emit)
        self._tail = Tail(self._recorder.kept)
        self._tell = tell
        self._size = 0
        self.silent = True
        self.told = False
        self.spent: Usage | None = None

    def say(self, event: Event) -> None:
        """Pass on what happens. Raises ValueError, TypeError or AttributeError for what is no event."""
        if isinstance(event, Text):
            self.silent = self.silent and not event.text
            self._tail.add(self._recorder.take(sound(event.text).encode()))
        elif isinstance(event, Spent):
            self.spent = sane(event.usage)
        elif event.role not in _ROLES:
            raise ValueError(f"nobody is called {event.role!r}: a role is one of {', '.join(_ROLES)}")
        elif self._size <= MOST_MESSAGES:
            blocks = tuple(_bounded(block) for block in event.blocks)
            self._size += len(msgspec.json.encode(blocks))
            self.told = True
            self._tell(event.role, blocks)
            if self._size > MOST_MESSAGES:
                self._tell("system", (TextBlock("[... the rest of the exchange is left out ...]"),))

    def finish(self) -> Written:
        """The attempt is over: how much has been said, without what came from standard error."""
        self._recorder.close()
        return Written(stdout_bytes=self._recorder.total, stdout_tail=self._tail.text())


def _bounded(block: Block) -> Block:
    match block:
        case TextBlock(text=text):
            return TextBlock(cut(sound(text), LONGEST_TEXT))
        case ToolUse(id=id, name=name, input=given):
            more = json_value(block.more, LONGEST_VALUE) if block.more else {}
            whole = more if isinstance(more, dict) else {}
            return ToolUse(_name(id), _name(name), json_value(given, LONGEST_VALUE), whole)
        case ToolResult(id=id, output=output, failed=failed):
            return ToolResult(_name(id), json_value(output, LONGEST_VALUE), bool(failed))


def _name(text: str) -> str:
    return cut(sound(str(text)), LONGEST_NAME)
