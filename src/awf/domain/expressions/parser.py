"""Tokens to compiled nodes: a Pratt parser with the precedence of expr-lang.

One difference: ``not`` and ``!`` bind looser than comparisons. For booleans ``(not a) == b`` and ``not (a == b)`` are
the same, and for other values only the second means something.
"""

from __future__ import annotations

import re
from typing import NoReturn

from awf.domain.expressions import names, nodes, operators
from awf.domain.expressions.functions import FUNCTIONS
from awf.domain.expressions.lexer import UNKNOWN_NAME, Source, Token, tokens, unescape
from awf.domain.expressions.nodes import Node
from awf.domain.expressions.patterns import PatternInvalid
from awf.domain.expressions.values import fits
from awf.domain.scope import NAMESPACES

MAX_LENGTH = 16_384
MAX_NESTING = 60
"""Levels of an expression: what the parser and the compiled form may nest, far from Python's recursion limit."""

_OR, _AND, _COMPARE, _SIGN, _POWER, _COALESCE = 10, 15, 20, 90, 100, 500
_PRECEDENCE = {
    "or": _OR, "||": _OR, "and": _AND, "&&": _AND,
    "==": _COMPARE, "!=": _COMPARE, "<": _COMPARE, "<=": _COMPARE, ">": _COMPARE, ">=": _COMPARE, "in": _COMPARE,
    "matches": _COMPARE, "contains": _COMPARE, "startsWith": _COMPARE, "endsWith": _COMPARE,
    "..": 25, "+": 30, "-": 30, "*": 60, "/": 60, "%": 60, "**": _POWER, "^": _POWER, "??": _COALESCE,
}  # fmt: skip
_CHAINS = {_OR: nodes.some, _AND: nodes.every}
_NEGATABLE = ("in", *nodes.TEXT_TESTS)
_CONSTANTS = {"true": True, "false": False, "nil": None}
_ELSEWHERE = dict.fromkeys(("null", "None", "none", "NULL", "undefined"), "nil")
_SELECTORS = ("any", "all", "filter", "map")
_CALLABLE = (*FUNCTIONS, *_SELECTORS)
_WORDS = ("not", "and", "or", "in", "contains", "startsWith", "endsWith", "matches")
_VALUE_IN_TEXT = re.compile(r"\{\{(?=-?\s*\.?[^\W\d]).*?\}\}", re.DOTALL)


class Parser:
    """Parses one part of a source. ``references`` collects the paths that it reads, with their offsets."""

    def __init__(
        self, source: Source, start: int, end: int, references: list[tuple[tuple[str, ...], int]]
    ) -> None:
        self._source = source
        self._tokens = tokens(source, start, end)
        self._index = 0
        self._nesting = 0
        self._predicates = 0
        self._references = references

    def whole(self) -> Node:
        """The part as one expression. Raises ProblemError."""
        if self._token.kind == "end":
            self._source.fail("it is empty", self._token.offset)
        node = self._expression(0)
        self._end()
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _ahead(self, count: int = 1) -> Token:
        return self._tokens[min(self._index + count, len(self._tokens) - 1)]

    def _advance(self) -> Token:
        token = self._token
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def _at(self, text: str) -> bool:
        return self._token.text == text and self._token.kind in {"op", "name"}

    def _accept(self, text: str) -> bool:
        if found := self._at(text):
            self._advance()
        return found

    def _expect(self, text: str) -> Token:
        if not self._at(text):
            self._unexpected(f", expected {text!r}")
        return self._advance()

    def _unexpected(self, more: str = "") -> NoReturn:
        token = self._token
        shown = token.text if token.kind == "end" else repr(token.text)
        self._source.fail(f"unexpected {shown}{more}", token.offset)

    def _end(self) -> None:
        if self._token.kind != "end":
            self._unexpected()

    def _checked(self, node: Node) -> Node:
        if node.depth > MAX_NESTING:
            self._source.fail("it is nested too deeply", node.offset)
        return node

    def _expression(self, least: int) -> Node:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._source.fail("it is nested too deeply", self._token.offset)
        node = self._prefix()
        while (infix := self._infix(least)) is not None:
            node = self._checked(self._binary(node, *infix))
        if not least:
            node = self._choice(node)
        self._nesting -= 1
        return node

    def _infix(self, least: int) -> tuple[str, bool] | None:
        """The operator that comes next, if it binds as tight as asked, and whether ``not`` stands before it."""
        negated = self._at("not") and self._ahead().text in _NEGATABLE
        token = self._ahead() if negated else self._token
        precedence = _PRECEDENCE.get(token.text, -1) if token.kind in {"op", "name"} else -1
        return (token.text, negated) if precedence >= least and precedence > 0 else None

    def _binary(self, left: Node, symbol: str, negated: bool) -> Node:
        token = self._advance()
        if negated:
            self._advance()
        position = self._source.at(token.offset)
        precedence = _PRECEDENCE[symbol]
        if chain := _CHAINS.get(precedence):
            return chain(self._operands(left, precedence), position)
        if precedence == _COALESCE:
            return nodes.first_not_nil(self._operands(left, precedence))
        right = self._expression(precedence if precedence == _POWER else precedence + 1)
        node = self._operation(symbol, left, right, token.offset)
        if symbol in nodes.COMPARISON:
            node = self._comparisons(node, right)
        return nodes.opposite(node, left.offset, position) if negated else node

    def _operands(self, left: Node, precedence: int) -> list[Node]:
        operands = [left, self._expression(precedence + 1)]
        while self._token.kind in {"op", "name"} and _PRECEDENCE.get(self._token.text) == precedence:
            self._advance()
            operands.append(self._expression(precedence + 1))
        return operands

    def _comparisons(self, first: Node, middle: Node) -> Node:
        """``a < b < c`` is ``a < b and b < c``."""
        found = [first]
        start = self._token.offset
        while self._token.kind == "op" and self._token.text in nodes.COMPARISON:
            token = self._advance()
            right = self._expression(_COMPARE + 1)
            found.append(self._operation(token.text, middle, right, token.offset))
            middle = right
        return nodes.every(found, self._source.at(start)) if len(found) > 1 else first

    def _operation(self, symbol: str, left: Node, right: Node, offset: int) -> Node:
        try:
            return nodes.binary(symbol, left, right, self._source.at(offset))
        except PatternInvalid as error:
            self._source.fail(f"invalid pattern: {error}", right.offset)

    def _choice(self, condition: Node) -> Node:
        if not self._at("?"):
            return condition
        position = self._source.at(self._advance().offset)
        then = None if self._at(":") else self._expression(0)
        self._expect(":")
        return self._checked(nodes.choice(condition, then, self._expression(0), position))

    def _prefix(self) -> Node:
        token = self._token
        position = self._source.at(token.offset)
        if token.kind in {"op", "name"}:
            if token.text in {"not", "!"}:
                self._advance()
                return self._checked(nodes.opposite(self._expression(_COMPARE), token.offset, position))
            if token.text in {"-", "+"}:
                self._advance()
                apply = operators.negate if token.text == "-" else operators.unchanged
                return self._checked(nodes.signed(apply, self._expression(_SIGN), token.offset, position))
        return self._postfix(self._primary())

    def _primary(self) -> Node:
        token = self._token
        match token.kind, token.text:
            case "number", _:
                return nodes.constant(self._number(self._advance()), token.offset)
            case "string", _:
                return self._string(self._advance())
            case "name", _:
                return self._name(self._advance())
            case "op", "(":
                self._advance()
                node = self._expression(0)
                self._expect(")")
                return node
            case "op", "[":
                self._advance()
                return nodes.sequence(self._items("]"), token.offset)
            case "op", "{":
                return self.value() if self._opens_value() else self._mapping()
            case "op", "#" | ".":
                return self._element()
            case _:
                self._unexpected()

    def _element(self) -> Node:
        """``#``, or ``.name`` for ``#.name``."""
        if not self._predicates:
            self._unexpected(" (it stands for the element in any, all, filter and map only)")
        node = nodes.element(self._token.offset)
        if self._at("#"):
            self._advance()
        return node

    def _number(self, token: Token) -> int | float:
        text = token.text.replace("_", "").lower()
        based = text[:2] in {"0x", "0b", "0o"}
        if not based and any(mark in text for mark in ".e"):
            return float(text)
        number = int(text, 0 if based else 10) if len(text) <= 66 and text[2 * based :] else 2**64
        if not fits(number):
            self._source.fail("the number does not fit an integer of 64 bits", token.offset)
        return number

    def _string(self, token: Token) -> Node:
        start, end = token.offset + 1, token.offset + len(token.text) - 1
        if token.text[0] == "`":
            return nodes.constant(self._source.text[start:end], token.offset)
        parts: list[str | Node] = []
        for found in _VALUE_IN_TEXT.finditer(self._source.text, start, end):
            parts.append(unescape(self._source, start, found.start()))
            inner = Parser(self._source, found.start(), found.end(), self._references)
            parts.append(inner.value())
            start = found.end()
        parts.append(unescape(self._source, start, end))
        if len(parts) == 1:
            return nodes.constant(parts[0], token.offset)
        return nodes.text_with_values(parts, token.offset, self._source.at(token.offset))

    def _name(self, token: Token) -> Node:
        name, offset = token.text, token.offset
        if self._at("(") and name not in {"not", "and", "or", "in"}:
            return self._call(name, offset)
        if name in _CONSTANTS:
            return nodes.constant(_CONSTANTS[name], offset)
        if name in NAMESPACES:
            self._references.append(((name,), offset))
            return nodes.root(name, offset)
        if name in _WORDS:
            self._source.fail(f"unexpected {name!r}", offset)
        if name in _CALLABLE:
            self._source.fail(f"{name!r} is a function: write {name}(…)", offset)
        hint = names.suggestion(_ELSEWHERE.get(name, name), (*NAMESPACES, *_CONSTANTS, *_CALLABLE))
        before = self._tokens[self._index - 3 : self._index - 1]
        if [part.kind for part in before] == ["name", "op"] and before[1].text == "-":
            hint = f' (write ["{before[0].text}-{name}"] for a name with a dash)'
        self._source.fail(f"{name!r} is not defined{hint}", offset, UNKNOWN_NAME)

    def _call(self, name: str, offset: int) -> Node:
        position = self._source.at(offset)
        if name not in _CALLABLE:
            hint = names.suggestion(name, _CALLABLE)
            self._source.fail(f"there is no function {name!r}{hint}", offset, UNKNOWN_NAME)
        self._expect("(")
        if name in _SELECTORS:
            values = self._expression(0)
            self._expect(",")
            predicate = self._predicate()
            self._accept(",")
            self._expect(")")
            return self._checked(nodes.select(name, values, predicate, offset, position))
        arguments = self._items(")")
        function = FUNCTIONS[name]
        if not function.least <= len(arguments) <= function.most:
            self._source.fail(f"{name}() cannot take {len(arguments)} arguments", offset)
        try:
            return self._checked(nodes.call(name, arguments, offset, position))
        except PatternInvalid as error:
            self._source.fail(f"invalid pattern: {error}", arguments[1].offset)

    def _predicate(self) -> Node:
        self._predicates += 1
        braced = self._at("{") and not self._opens_value()
        if braced:
            self._advance()
        node = self._expression(0)
        if braced:
            self._expect("}")
        self._predicates -= 1
        return node

    def _items(self, close: str) -> list[Node]:
        items: list[Node] = []
        while not self._at(close):
            items.append(self._checked(self._expression(0)))
            if not self._accept(","):
                break
        self._expect(close)
        return items

    def _mapping(self) -> Node:
        offset = self._expect("{").offset
        pairs: list[tuple[str, Node]] = []
        while not self._at("}"):
            key = self._advance()
            if key.kind not in {"name", "string", "number"}:
                self._index -= 1
                self._unexpected(", expected a key")
            name = (
                key.text
                if key.kind != "string"
                else unescape(self._source, key.offset + 1, key.offset + len(key.text) - 1)
            )
            self._expect(":")
            pairs.append((name, self._expression(0)))
            if not self._accept(","):
                break
        self._expect("}")
        return self._checked(nodes.mapping(pairs, offset))

    def _opens_value(self) -> bool:
        """Whether ``{{`` begins a ``{{…}}`` here, and not a map in the braces of a predicate."""
        after = self._ahead(2)
        if self._ahead() != ("op", "{", self._token.offset + 1):
            return False
        return after.text in {".", "-"} or (after.kind == "name" and self._ahead(3).text != ":")

    def value(self) -> Node:
        """``{{.inputs.x}}``: the value of a path."""
        self._expect("{")
        self._expect("{")
        self._accept("-")
        self._accept(".")
        name = self._advance()
        if name.kind != "name" or name.text not in NAMESPACES:
            hint = names.suggestion(name.text, NAMESPACES)
            self._source.fail(f"{name.text!r} is not defined{hint}", name.offset, UNKNOWN_NAME)
        self._references.append(((name.text,), name.offset))
        node = self._postfix(nodes.root(name.text, name.offset))
        self._accept("-")
        if not self._at("}"):
            self._unexpected(", in {{…}} of an expression only a path such as {{.inputs.name}} can stand")
        self._advance()
        self._expect("}")
        return node

    def _postfix(self, node: Node) -> Node:
        while self._token.kind == "op":
            token = self._token
            if self._accept("["):
                node = self._bracket(node, token.offset)
            elif self._accept(".") or self._accept("?."):
                node = self._bracket(node, token.offset) if self._accept("[") else self._dot(node)
            elif self._at("("):
                self._unexpected(" (only functions can be called)")
            else:
                break
            self._checked(node)
        return node

    def _dot(self, node: Node) -> Node:
        token = self._token
        if token.kind != "name":
            self._unexpected(", expected a name")
        self._advance()
        return self._member(node, nodes.constant(token.text, token.offset))

    def _bracket(self, node: Node, offset: int) -> Node:
        start = None if self._at(":") else self._expression(0)
        if start is not None and self._accept("]"):
            return self._member(node, start)
        self._expect(":")
        end = None if self._at("]") else self._expression(0)
        self._expect("]")
        return nodes.cut(node, start, end, self._source.at(offset))

    def _member(self, holder: Node, key: Node) -> Node:
        name = key.literal
        if name is not None and names.canonical(holder.space, name) is None:
            what = ".".join(holder.path or (holder.space,))
            hint = names.suggestion(name, names.fields(holder.space) or ())
            self._source.fail(f"{what} has no property {name!r}{hint}", key.offset, UNKNOWN_NAME)
        node = nodes.member(holder, key, self._source.at(key.offset))
        if node.path is not None and holder.path is not None:
            if self._references[-1] == (holder.path, holder.offset):
                self._references.pop()
            self._references.append((node.path, node.offset))
        return node
