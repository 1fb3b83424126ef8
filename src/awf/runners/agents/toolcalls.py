"""The tool calls of an answer of Chat Completions, whole or in the pieces of a stream. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from awf.runners.agents.bounds import json_value, sound
from awf.runners.agents.jsonlines import at, string
from awf.runners.agents.port import ProviderFailed

MOST_CALLS = 128
"""Tool calls of one answer."""

MOST_ARGUMENTS = 10 * 1024 * 1024
"""Characters of all of them together."""

LONGEST_ID = 256
"""Characters of the id of a call; one without an id that can be used gets one."""


_KNOWN = frozenset({"index", "id", "type", "function"})


class Call(Struct, frozen=True):
    """A tool that the model wants to have called; ``arguments`` is what it says they are, as text. No two of one answer have
    the same ``id``. ``more``: what else the service says of it and wants to be told again (Gemini's ``extra_content``)."""

    id: str
    name: str
    arguments: str
    more: Mapping[str, Any] = {}


class _Open(Struct):
    """A call of which more may come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class CallPieces:
    """Puts calls together. A piece belongs to the call of its ``index``, or its place where services leave that out; where
    they give all calls the same one, a new ``id`` begins a new call."""

    def __init__(self) -> None:
        self._calls: list[_Open] = []
        self._by_index: dict[int, _Open] = {}
        self._size = 0

    def add(self, pieces: Iterable[Mapping[str, Any]]) -> None:
        """The next pieces. Raises ProviderFailed where there is too much."""
        for place, piece in enumerate(pieces):
            call, name = self._call(place, piece), string(piece, "function", "name")
            if name != call.name:  # some services repeat it with every piece
                call.name += name
            arguments = at(piece, "function", "arguments")
            if arguments is not None:
                call.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))
                self._size += len(call.arguments[-1])
            more = {key: value for key, value in piece.items() if key not in _KNOWN}
            call.more |= more
            self._size += len(name) + (len(json.dumps(more)) if more else 0)
            if self._size > MOST_ARGUMENTS:
                raise ProviderFailed(
                    f"failed to parse response: its tool calls are over {MOST_ARGUMENTS} characters"
                )

    def whole(self) -> tuple[Call, ...]:
        """All of them, as far as they came."""
        found: dict[str, Call] = {}
        for number, call in enumerate(self._calls, 1):
            id = sound(call.id)
            if not id or id in found or len(id) > LONGEST_ID:
                id = f"call_{number}"
                while id in found:
                    id += "_"
            more = json_value(call.more, MOST_ARGUMENTS)
            arguments = sound("".join(call.arguments))
            found[id] = Call(id, sound(call.name), arguments, more if isinstance(more, dict) else {})
        return tuple(found.values())

    def _call(self, place: int, piece: Mapping[str, Any]) -> _Open:
        id, index = string(piece, "id"), piece.get("index")
        index = index if isinstance(index, int) else place
        known = self._by_index.get(index)
        if known is not None and (not id or id == known.id or not known.id):
            known.id = known.id or id
            return known
        if len(self._calls) == MOST_CALLS:
            raise ProviderFailed(f"the model wants more than {MOST_CALLS} tools called at once")
        call = self._by_index[index] = _Open(id)
        self._calls.append(call)
        return call


def calls_of(whole: Iterable[Mapping[str, Any]]) -> tuple[Call, ...]:
    """The calls of an answer in one piece. Raises ProviderFailed where there is too much."""
    pieces = CallPieces()
    pieces.add({**call, "index": number} for number, call in enumerate(whole))
    return pieces.whole()
