"""The data of server-sent events, from bytes in whatever pieces they come. Pure."""

from __future__ import annotations

from collections.abc import Iterator


class TooLong(Exception):
    """An event is larger than what is taken."""


class Events:
    """Puts events together. A line ends at LF or CR LF; other line breaks, which JSON may hold, are text. ``most``: bytes
    of one event."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = bytearray()
        self._data: list[bytearray] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[str]:
        """The data of the events that end in this piece. Raises TooLong."""
        *lines, rest = piece.split(b"\n")
        for line in lines:
            yield from self._line(self._rest + line)
            self._rest = bytearray()
        self._rest += rest
        if len(self._rest) > self._most:
            raise TooLong

    def finish(self) -> Iterator[str]:
        """The stream has ended; what was not ended counts too. Raises TooLong."""
        line, self._rest = self._rest, bytearray()
        yield from self._line(line)
        yield from self._line(bytearray())

    def _line(self, line: bytearray) -> Iterator[str]:
        line = line.removesuffix(b"\r")
        if not line:
            if self._data:
                yield b"\n".join(self._data).decode(errors="replace")
            self._data, self._size = [], 0
        elif line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._size += len(line)
            if self._size > self._most:
                raise TooLong
