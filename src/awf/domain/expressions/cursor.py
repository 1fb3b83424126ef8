"""Walking over the tokens of an expression."""

from __future__ import annotations

from awf.domain.expressions.lexer import Source, Token, tokens
from awf.domain.problems import ProblemError


class Cursor:
    """A place in the tokens of one part of a source; it never moves past the ``end`` token."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self._tokens = tokens(source, start, end)
        self._index = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._index]

    def ahead(self, count: int = 1) -> Token:
        """A token further on, or back where ``count`` is negative; the first or the last where there is none."""
        return self._tokens[max(0, min(self._index + count, len(self._tokens) - 1))]

    def advance(self) -> Token:
        """Move on, and return the token that was current."""
        token = self.token
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def at(self, text: str) -> bool:
        return self.token.text == text and self.token.kind in {"op", "name"}

    def accept(self, text: str) -> bool:
        if found := self.at(text):
            self.advance()
        return found

    def expect(self, text: str) -> Token:
        """Raises ProblemError where another token stands."""
        if not self.at(text):
            raise self.unexpected(f", expected {text!r}")
        return self.advance()

    def end(self) -> None:
        """Raises ProblemError where anything is left."""
        if self.token.kind != "end":
            raise self.unexpected()

    def unexpected(self, more: str = "") -> ProblemError:
        token = self.token
        shown = token.text if token.kind == "end" else repr(token.text)
        return self.source.error(f"unexpected {shown}{more}", token.offset)
