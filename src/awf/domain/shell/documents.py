"""Here-documents."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from awf.domain.shell.places import Document, Place, Use
from awf.domain.shell.scanner import DOCUMENT, Context, Scanner

_IN_DELIMITER = Context(Place.NONE, "in the delimiter of a here-document")
_IN_BACKQUOTES = "in a here-document with a quoted delimiter inside backquotes"
_ODD_DELIMITER = "in a here-document with an unusual delimiter"
_USUAL_DELIMITER = re.compile(r"[\w.+-]+", re.ASCII)


class _Pending(Struct, frozen=True):
    """A here-document whose body begins on the next line."""

    delimiter: str
    quoted: bool
    strips_tabs: bool
    word: int
    word_end: int


class DocumentScanner(Scanner):
    """Reads the delimiters of here-documents, and their bodies at the next line break.

    ``level`` counts the command substitutions and subshells around the current place, and the script itself.
    """

    def __init__(
        self, text: str, holes: Sequence[int], uses: dict[int, Use], depth: int, *, in_backquotes: bool
    ) -> None:
        super().__init__(text, holes, uses, depth)
        self.level = 0
        self._in_backquotes = in_backquotes
        self._pending: list[_Pending] = []

    def documents(self) -> None:
        """Pass the bodies that begin here, after a line break."""
        pending, self._pending = self._pending, []
        for document in pending:
            self._document(document)

    def delimiter(self) -> None:
        """``<<`` or ``<<-`` and the word after it."""
        self.skip(2)
        if strips_tabs := self.peek() == "-":
            self.skip()
        while self.peek() in {" ", "\t"}:
            self.skip()
        start, text, quoted = self.pos, "", False
        while self.pos < self.limit and self.peek() not in " \t\n;&|<>()":
            match self.peek():
                case "'" | '"' | "\\" as quote:
                    quoted = True
                    text += self._quoted_delimiter(quote)
                case "$" if self.peek(1) in {"'", '"'}:
                    self.skip()
                case "\0":
                    self.hole(_IN_DELIMITER)
                    self.collected.pop()
                case character:
                    text += character
                    self.skip()
        self._pending.append(_Pending(text, quoted, strips_tabs, start, self.pos))

    def _quoted_delimiter(self, quote: str) -> str:
        if quote == "\\":
            return self.backslash()
        return self.single(_IN_DELIMITER) if quote == "'" else self.double(_IN_DELIMITER)

    def _document(self, pending: _Pending) -> None:
        start = self.pos
        end, after = self._document_end(pending)
        if pending.quoted:
            self._quoted_document(pending, start, end)
        else:
            limit, self.limit = self.limit, end
            while self.pos < self.limit:
                self.expanding(DOCUMENT, in_quotes=False)
            self.limit = limit
            self.collected.clear()
        self.pos = after

    def _quoted_document(self, pending: _Pending, start: int, end: int) -> None:
        nested = self.level > 1
        document = Document(
            pending.delimiter, pending.strips_tabs, nested, pending.word, pending.word_end, start, end
        )
        for number in self.holes_between(start, end):
            if self._in_backquotes:
                self.uses[number] = Use(Place.NONE, _IN_BACKQUOTES)
            elif not _USUAL_DELIMITER.fullmatch(pending.delimiter):
                self.uses[number] = Use(Place.NONE, _ODD_DELIMITER)
            else:
                self.uses[number] = Use(Place.DOUBLE, written=True, document=document)

    def _document_end(self, pending: _Pending) -> tuple[int, int]:
        """Where the body ends, and where the script goes on."""
        place = self.pos
        while place < self.limit:
            line_end = self.text.find("\n", place, self.limit)
            line_end = self.limit if line_end < 0 else line_end
            line = self.text[place:line_end]
            text = line.lstrip("\t") if pending.strips_tabs else line
            if text == pending.delimiter:
                return place, min(line_end + 1, self.limit)
            if self.level > 1 and text.startswith(pending.delimiter + ")"):
                return place, line_end - len(text) + len(pending.delimiter)
            place = line_end + 1
        return self.limit, self.limit
