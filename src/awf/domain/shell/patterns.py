"""Comments, and what parentheses hold beside commands: alternatives of patterns, elements of arrays."""

from __future__ import annotations

import re

from awf.domain.shell.documents import DocumentScanner
from awf.domain.shell.places import Place
from awf.domain.shell.scanner import DOUBLE, Context

ORDINARY = re.compile(r"[^\s'\"\\$`\0=\[()<>;&|]+")
"""What means nothing to a shell but itself."""
WORDS = Context(Place.WORDS)
PATTERN = Context(Place.PATTERN)
_IN_COMMENT = Context(Place.COMMENT)
_COMMENT = re.compile(r"[^\n\0]+")


class PatternScanner(DocumentScanner):
    """Passes them where the commands around them have them."""

    def comment(self) -> None:
        """Pass the rest of the line."""
        while self.pos < self.limit and self.peek() != "\n":
            if self.peek() == "\0":
                self.hole(_IN_COMMENT)
                self.collected.pop()
            else:
                self.run(_COMMENT)

    def process_substitution(self) -> None:
        """``<(…)`` and ``>(…)``."""
        self.skip(2)
        self.descend()
        self.commands(")")
        self.ascend()

    def group(self) -> None:
        """Parentheses inside a word: alternatives of a pattern."""
        self.descend()
        collected = len(self.collected)
        self.skip()
        while self.pos < self.limit and self.peek() != ")":
            self.part_of_pattern()
        self.skip()
        del self.collected[collected:]
        self.ascend()

    def part_of_pattern(self) -> None:
        """One item of a pattern."""
        match self.peek():
            case "'":
                self.single()
            case '"':
                self.double()
            case "(":
                self.group()
            case "\0":
                self.hole(PATTERN)
            case "$":
                self.dollar(quoted=False)
            case _:
                self.expanding(DOUBLE, in_quotes=False)

    def array(self) -> None:
        """The elements of ``name=(…)``."""
        collected = len(self.collected)
        self.skip()
        at_start = True
        while self.pos < self.limit and self.peek() != ")":
            if self.peek() == "[" and at_start:
                self.subscript()
            elif self.peek() == "#" and at_start:
                self.comment()
            elif self.peek() == "\0":
                self.hole(WORDS)
            elif self.starts("<(") or self.starts(">("):
                self.process_substitution()
            elif self.starts("\\\n"):
                self.skip(2)
                continue
            elif self.peek() in "'\"($`\\":
                self.part_of_pattern()
            else:
                at_start = self.run(ORDINARY).isspace()
                continue
            at_start = False
        self.skip()
        del self.collected[collected:]
