"""Server-sent events from bytes, as the WHATWG's HTML standard describes them. Does no I/O."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Frame(NamedTuple):
    """One dispatched event. ``id`` is the last one given in its stream; both are empty where none was."""

    name: str
    id: str
    data: str


class Parser:
    """Reads one connection's bytes, cut anywhere. A frame whose end has not come is not shown."""

    def __init__(self) -> None:
        self._begun = False
        self._after_cr = False
        self._rest = b""
        self._name = ""
        self._id = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that are complete with these bytes."""
        if not chunk:
            return []
        # A line that ended with CR may have had a LF behind it.
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        if lines and not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        return [frame for line in lines if (frame := self._line(line)) is not None]

    def _line(self, line: bytes) -> Frame | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(text)
        elif name == b"event":
            self._name = text
        elif name == b"id" and "\0" not in text:
            self._id = text
        return None

    def _dispatch(self) -> Frame | None:
        name, data = self._name, self._data
        self._name, self._data = "", []
        return Frame(name, self._id, "\n".join(data)) if data else None
