"""Commands of a shell script: words, redirections, here-documents, compound commands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct, field

from awf.domain.shell.builtins import DECLARING, NAME, SUBSCRIPTING, demand, judge
from awf.domain.shell.patterns import ORDINARY, PATTERN, WORDS, PatternScanner
from awf.domain.shell.places import Check, Place, Use
from awf.domain.shell.scanner import Context
from awf.domain.shell.words import Word

_BLANK = " \t\r"
_NAMED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[.*\])?\+?", re.DOTALL)
_REDIRECTION = re.compile(r"<>|<&|>>|>&|>\||[<>]")
_FUNCTION = re.compile(r"\([ \t]*\)")
_ESAC = re.compile(r"esac(?![\w])")
_LEADING = frozenset(("if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "coproc"))

_TEXT = Context(Place.TEXT)
_RANGE = Context(Place.RANGE)


class _Frame(Struct):
    """The simple command being read at one level of nesting, and the ``case`` commands that it is in."""

    words: list[Word] = field(default_factory=list)
    assignments: list[Word] = field(default_factory=list)
    word: Word | None = None
    target: bool = False
    duplicates: bool = False
    test: bool = False
    cases: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.words[0].text if self.words else ""


_LONGEST_KEPT = 8192
"""Characters of a script whose uses are kept for the next time: a command in a loop is lexed once."""


def uses_of(text: str, count: int) -> Mapping[int, Use]:
    """The use of each of the ``count`` values of a script, in which a NUL stands for each. Raises TooDeep.

    What it gives is shared: it is to be read only.
    """
    return _kept_uses(text, count) if len(text) <= _LONGEST_KEPT else _uses_of(text, count)


def _uses_of(text: str, count: int) -> dict[int, Use]:
    uses: dict[int, Use] = {}
    Lexer(text, range(count), uses).commands("")
    return uses


_kept_uses = lru_cache(maxsize=256)(_uses_of)


class Lexer(PatternScanner):
    """See Scanner. ``declared`` is what the script around backquotes has declared about its variables so far."""

    def __init__(
        self,
        text: str,
        holes: Sequence[int],
        uses: dict[int, Use],
        depth: int = 0,
        declared: dict[str, Check] | None = None,
    ) -> None:
        super().__init__(text, holes, uses, depth, in_backquotes=declared is not None)
        self._declared = {} if declared is None else declared
        self._frame = _Frame()

    def script_in_backquotes(self, text: str, holes: Sequence[int], depth: int) -> None:
        Lexer(text, holes, self.uses, depth, self._declared).commands("")

    def commands(self, close: str) -> None:
        outer, collected = self._frame, self.collected
        self._frame, self.collected = _Frame(), []
        self.level += 1
        while self.pos < self.limit and not self._closes(close):
            self._item()
        self._finish()
        self.skip(len(close))
        self.level -= 1
        self._frame, self.collected = outer, collected

    def _closes(self, close: str) -> bool:
        if self.text[self.pos] != close:
            return False
        frame = self._frame
        in_pattern = frame.cases and frame.cases[-1] == "pattern"
        return not frame.test and not in_pattern

    def _item(self) -> None:
        frame = self._frame
        if frame.cases and frame.cases[-1] == "pattern":
            self._case_pattern()
            return
        character = self.text[self.pos]
        if character in _BLANK:
            self._end_word()
            self.pos += 1
            return
        ordinary = ORDINARY.match(self.text, self.pos, self.limit)
        if ordinary is not None and (character != "#" or frame.word is not None):
            self._begun().text += ordinary.group()
            self.pos = ordinary.end()
            return
        match character:
            case "\n":
                self._line_break()
            case "\\" if self.peek(1) == "\n":
                self.skip(2)
            case "#" if frame.word is None:
                self.comment()
            case "(" | ")" | "<" | ">" if frame.test:
                self._test_operator()
            case ";" | "&" | "|":
                self._separator()
            case "<" | ">":
                self._redirection()
            case "(":
                self._parenthesis()
            case ")":
                self._finish()
                self.skip()
            case _:
                self._part_of_word(self._begun())

    def _line_break(self) -> None:
        frame = self._frame
        self._end_word()
        self.skip()
        if not frame.test and not (frame.name == "case" and len(frame.words) == 2):
            self._finish()
        self.documents()

    def _begun(self) -> Word:
        frame = self._frame
        if frame.word is None:
            frame.word = Word(target=frame.target, duplicates=frame.duplicates)
            frame.target = frame.duplicates = False
            self.collected.clear()
        return frame.word

    def _part_of_word(self, word: Word) -> None:
        match self.peek():
            case "'":
                self._add(word, self.single())
            case '"':
                self._add(word, self.double())
            case "\\":
                self._add(word, self.backslash())
            case "$":
                self._add(word, self.dollar(quoted=False))
            case "`":
                self._add(word, self.backquoted(quoted=False))
            case "\0":
                word.text += self.hole(self._unquoted(word))
            case "=":
                self._equals(word)
            case "[" if self._subscripts(word):
                self.subscript()
                word.text += "[]"
            case _:
                word.text += self.run(ORDINARY)

    def _add(self, word: Word, text: str) -> None:
        word.text += text
        word.plain = False

    def _equals(self, word: Word) -> None:
        at_start = not self._frame.words or self._frame.name in DECLARING
        if word.value_at is None and word.plain and at_start and _NAMED.fullmatch(word.text):
            word.value_at = len(word.text) + 1
        word.text += "="
        self.skip()

    def _subscripts(self, word: Word) -> bool:
        named = word.plain and word.value_at is None and NAME.fullmatch(word.text) is not None
        return named and (not self._frame.words or self._frame.name in SUBSCRIPTING)

    def _unquoted(self, word: Word) -> Context:
        frame = self._frame
        if word.target or word.value_at is not None or (frame.name == "case" and len(frame.words) == 1):
            return _TEXT
        if frame.test:
            return PATTERN
        after = self.text[self.pos + 1 : self.pos + 3]
        before = self.text[max(0, self.pos - 2) : self.pos]
        return _RANGE if ".." in (before, after) else WORDS

    def _end_word(self) -> None:
        frame, word = self._frame, self._frame.word
        if word is None:
            return
        word.numbers = list(self.collected)
        frame.word = None
        if word.target:
            demand(self.uses, [word], Check.PLAIN if word.duplicates else None)
            return
        if not frame.words:
            self._first_word(word)
            return
        frame.words.append(word)
        if frame.test:
            frame.test = word.text != "]]"
        elif frame.name == "case" and word.text == "in" and len(frame.words) == 3:
            frame.words.clear()
            frame.cases.append("pattern")
        elif frame.name == "function" and len(frame.words) == 2:
            frame.words.clear()

    def _first_word(self, word: Word) -> None:
        frame = self._frame
        if word.value_at is not None:
            frame.assignments.append(word)
            return
        if word.plain and word.text in _LEADING:
            return
        if word.plain and word.text == "esac" and frame.cases:
            frame.cases.pop()
        frame.test = word.plain and word.text == "[["
        frame.words.append(word)

    def _finish(self) -> None:
        """The simple command is complete."""
        frame = self._frame
        self._end_word()
        judge(frame.words, frame.assignments, self.uses, self._declared)
        frame.words.clear()
        frame.assignments.clear()
        frame.target = frame.duplicates = frame.test = False

    def _separator(self) -> None:
        frame = self._frame
        if frame.test and self.peek() != ";":
            self._test_operator()
            return
        if self.starts("&>"):
            self._end_word()
            self.skip(3 if self.starts("&>>") else 2)
            frame.target = True
            return
        self._finish()
        if self.peek() == ";" and self.peek(1) in {";", "&", "|"}:
            self.skip(3 if self.starts(";;&") else 2)
            if frame.cases:
                frame.cases[-1] = "pattern"
            return
        self.skip()

    def _test_operator(self) -> None:
        """``&&`` and the like between the words of ``[[ ]]``; alone and in a word they belong to a pattern."""
        if self.starts("&&") or self.starts("||"):
            self._end_word()
            self._frame.words.append(Word(self.text[self.pos : self.pos + 2]))
            self.skip(2)
            return
        if self._frame.word is not None:
            self._frame.word.text += self.peek()
        self.skip()

    def _redirection(self) -> None:
        frame = self._frame
        if self.peek(1) == "(":
            word = self._begun()
            self.process_substitution()
            self._add(word, "$")
            return
        if frame.word is not None and frame.word.plain and re.fullmatch(r"[0-9]+|\{\w+\}", frame.word.text):
            frame.word = None
        self._end_word()
        if self.starts("<<<"):
            self.skip(3)
            frame.target = True
        elif self.starts("<<"):
            self.delimiter()
        else:
            operator = _REDIRECTION.match(self.text, self.pos, self.limit)
            self.skip(len(operator.group()) if operator else 1)
            frame.target = True
            frame.duplicates = operator is not None and operator.group() == ">&"

    def _parenthesis(self) -> None:
        frame, word = self._frame, self._frame.word
        function = _FUNCTION.match(self.text, self.pos, self.limit)
        if word is not None and word.value_at == len(word.text):
            self.array()
            self._add(word, "$")
        elif function and (word is not None or len(frame.words) == 1):
            self._end_word()
            frame.words.clear()
            self.skip(len(function.group()))
        elif word is not None:
            self.group()
            self._add(word, "$")
        elif frame.words and frame.name != "for":
            self.group()
        elif self.starts("((") and (end := self.arithmetic_end(self.pos + 2)) is not None:
            self.skip(2)
            self.arithmetic(end, closing=2)
            frame.words.append(Word("(("))
        else:
            self.skip()
            self.descend()
            self.commands(")")
            self.ascend()
            frame.words.append(Word("("))

    def _case_pattern(self) -> None:
        cases = self._frame.cases
        if self.peek() == "\n":
            self._line_break()
        elif self.peek().isspace():
            self.skip()
        elif self.peek() == "#":
            self.comment()
        elif _ESAC.match(self.text, self.pos, self.limit):
            cases[-1] = "body"
        else:
            if self.peek() == "(":
                self.skip()
            while self.pos < self.limit and self.peek() != ")":
                self.part_of_pattern()
            self.skip()
            self.collected.clear()
            cases[-1] = "body"
