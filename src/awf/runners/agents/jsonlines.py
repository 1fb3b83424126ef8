"""Reading tools that write one JSON object per line: what all their parsers do alike. Pure.

Nothing in here, and nothing in a parser built on it, trusts a line: whatever is not what the tool writes is plain text.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from awf.domain.outcomes import Usage
from awf.journal.text import MARK
from awf.runners.agents.port import Answer, Event, ProviderFailed, Request, Text
from awf.runners.agents.sessions import Session, digest

MOST_KEPT = 8 * 1024 * 1024
"""Characters of the beginning, and of the end, of an answer that are kept."""

LONGEST_COMPLAINT = 2000
"""Characters of plain text that an error shows."""


class JsonLines(ABC):
    """A parser. A tool's own says what its events mean, in ``event``, and sets what it learns from them."""

    def __init__(self, request: Request) -> None:
        self.before = Session.read(request.session)
        self.session = self.before.id
        self.usage: Usage | None = None
        self.cost: float | None = None
        self.error = ""
        """What the tool says that went wrong; empty: nothing."""
        self.ended = False
        """Has the tool said that it is done?"""
        self._told = digest(request.system_prompt)
        self._said = Words()
        self._plain = Words()
        self._events = False

    @abstractmethod
    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Event]:
        """What an event of the tool says; ``kind`` is its type. Must not raise, whatever is in it."""

    def feed(self, line: str) -> Sequence[Event]:
        """See ``awf.runners.agents.port.Parser``."""
        event = as_object(line)
        kind = self.kind(event)
        if kind:
            self._events = True
            return tuple(self.event(kind, event))
        if not line.strip():
            return ()
        self._plain.add(line + "\n")
        return (Text(line + "\n"),)

    def kind(self, event: Mapping[str, Any]) -> str:
        """The type of an event; empty where it is none of the tool's."""
        return string(event, "type")

    def says(self, text: str, *, apart: bool = True) -> Iterator[Event]:
        """The agent says something. ``apart``: it is not the next piece of what it was saying."""
        if text:
            if apart and self._said and not (self._said.last.isspace() or text[0].isspace()):
                text = "\n" + text
            self._said.add(text)
            yield Text(text)

    @property
    def said(self) -> str:
        """Everything that the agent has said."""
        return self._said.text()

    def answer(self) -> str:
        """The text of the answer."""
        return self.said

    def finish(self, exit_code: int, stderr: str) -> Answer:
        """See ``awf.runners.agents.port.Parser``."""
        del stderr  # the runner shows it
        plain = self._plain.text()
        if self.error or exit_code:
            message = self.error or f"exit status {exit_code}"
            if not self.error and plain.strip():
                message += f"\n{plain.strip()[-LONGEST_COMPLAINT:]}"
            raise ProviderFailed(message, exit_code=exit_code or 1, usage=self.spent)
        text = self.answer() if self._events else plain.strip()
        if self._events and not self.ended:
            raise ProviderFailed("its output ended before the answer", usage=self.spent)
        if not self._events and not text:
            raise ProviderFailed("it wrote no answer")
        return Answer(text=text, session=str(self.next_session()), usage=self.usage, cost=self.cost)

    @property
    def spent(self) -> Usage | None:
        """What it has cost so far, also where there is no answer."""
        return self.usage if self.cost is None else replace(self.usage or Usage(), cost=self.cost)

    def next_session(self) -> Session:
        """With what a later request goes on."""
        return Session(id=self.session)


class PrefixedJsonLines(JsonLines):
    """A parser for a tool that gets the system prompt before its prompt."""

    def next_session(self) -> Session:
        """With what a later request goes on."""
        return Session(id=self.session, told=self._told or self.before.told)


class Words:
    """Text that comes in pieces; the middle is dropped where there is too much of it."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._head: list[str] = []
        self._room = most
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._dropped = 0
        self.last = ""
        """The last character."""

    def __bool__(self) -> bool:
        return bool(self.last)

    def add(self, piece: str) -> None:
        """The next piece."""
        if not piece:
            return
        self.last = piece[-1]
        head = piece[: self._room]
        if head:
            self._head.append(head)
            self._room -= len(head)
        rest = piece[len(head) :]
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail_size - len(self._tail[0]) >= self._most if self._tail else False:
            gone = self._tail.popleft()
            self._tail_size -= len(gone)
            self._dropped += len(gone.encode(errors="replace"))

    def text(self) -> str:
        """All of it."""
        mark = MARK.format(self._dropped) if self._dropped else ""
        return "".join(self._head) + mark + "".join(self._tail)


def as_object(line: str) -> Mapping[str, Any]:
    """The JSON object of a line; an empty one where there is none."""
    if not line.lstrip().startswith("{"):
        return {}
    try:
        value = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        try:
            value = json.loads(line)  # takes halves of characters, which tools write where they cut a text
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def at(value: Any, *path: str) -> Any:
    """What lies at a path of keys; None where there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def string(value: Any, *path: str) -> str:
    """The text at a path; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def count(value: Any, *path: str) -> int:
    """The count at a path; 0 where there is none."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 2**53 else 0


def money(value: Any, *path: str) -> float | None:
    """The US dollars at a path."""
    found = at(value, *path)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and 0 <= found < 1e12 else None


def objects(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects of the list at a path."""
    found = at(value, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
