"""Tokens to compiled nodes: a Pratt parser with the precedence of expr-lang.

One difference: ``not`` and ``!`` bind looser than comparisons. For booleans ``(not a) == b`` and ``not (a == b)`` are
the same, and for other values only the second means something.
"""

from __future__ import annotations

import re

from awf.domain.expressions import names, nodes, operators
from awf.domain.expressions.cursor import Cursor
from awf.domain.expressions.functions import FUNCTIONS
from awf.domain.expressions.lexer import UNKNOWN_NAME, Source, Token, number, unescape
from awf.domain.expressions.nodes import Node
from awf.domain.expressions.patterns import PatternInvalid
from awf.domain.scope import NAMESPACES
from awf.domain.suggest import did_you_mean

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
SELECTORS = ("any", "all", "filter", "map")
_CALLABLE = (*FUNCTIONS, *SELECTORS)
_WORDS = ("not", "and", "or", "in", "contains", "startsWith", "endsWith", "matches")
_VALUE_IN_TEXT = re.compile(r"\{\{(?=-?\s*\.?[^\W\d]).*?\}\}", re.DOTALL)


class Parser(Cursor):
    """Parses one part of a source. ``references`` collects the paths that it reads, with their offsets."""

    def __init__(
        self, source: Source, start: int, end: int, references: list[tuple[tuple[str, ...], int]]
    ) -> None:
        super().__init__(source, start, end)
        self._nesting = 0
        self._predicates = 0
        self._references = references

    def whole(self) -> Node:
        """The part as one expression. Raises ProblemError."""
        if self.token.kind == "end":
            raise self.source.error("it is empty", self.token.offset)
        node = self._expression(0)
        self.end()
        return node

    def _checked(self, node: Node) -> Node:
        if node.depth > MAX_NESTING:
            raise self.source.error("it is nested too deeply", node.offset)
        return node

    def _expression(self, least: int) -> Node:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self.source.error("it is nested too deeply", self.token.offset)
        node = self._prefix()
        while (infix := self._infix(least)) is not None:
            node = self._checked(self._binary(node, *infix))
        if not least:
            node = self._choice(node)
        self._nesting -= 1
        return node

    def _infix(self, least: int) -> tuple[str, bool] | None:
        """The operator that comes next, if it binds as tight as asked, and whether ``not`` stands before it."""
        negated = self.at("not") and self.ahead().text in _NEGATABLE
        token = self.ahead() if negated else self.token
        precedence = _PRECEDENCE.get(token.text, -1) if token.kind in {"op", "name"} else -1
        return (token.text, negated) if precedence >= least and precedence > 0 else None

    def _binary(self, left: Node, symbol: str, negated: bool) -> Node:
        token = self.advance()
        if negated:
            self.advance()
        position = self.source.at(token.offset)
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
        while self.token.kind in {"op", "name"} and _PRECEDENCE.get(self.token.text) == precedence:
            self.advance()
            operands.append(self._expression(precedence + 1))
        return operands

    def _comparisons(self, first: Node, middle: Node) -> Node:
        """``a < b < c`` is ``a < b and b < c``."""
        found = [first]
        start = self.token.offset
        while self.token.kind == "op" and self.token.text in nodes.COMPARISON:
            token = self.advance()
            right = self._expression(_COMPARE + 1)
            found.append(self._operation(token.text, middle, right, token.offset))
            middle = right
        return nodes.every(found, self.source.at(start)) if len(found) > 1 else first

    def _operation(self, symbol: str, left: Node, right: Node, offset: int) -> Node:
        try:
            return nodes.binary(symbol, left, right, self.source.at(offset))
        except PatternInvalid as error:
            raise self.source.error(f"invalid pattern: {error}", right.offset) from None

    def _choice(self, condition: Node) -> Node:
        if not self.at("?"):
            return condition
        position = self.source.at(self.advance().offset)
        then = None if self.at(":") else self._expression(0)
        self.expect(":")
        return self._checked(nodes.choice(condition, then, self._expression(0), position))

    def _prefix(self) -> Node:
        token = self.token
        position = self.source.at(token.offset)
        if token.kind in {"op", "name"}:
            if token.text in {"not", "!"}:
                self.advance()
                return self._checked(nodes.opposite(self._expression(_COMPARE), token.offset, position))
            if token.text in {"-", "+"}:
                self.advance()
                apply = operators.negate if token.text == "-" else operators.unchanged
                return self._checked(nodes.signed(apply, self._expression(_SIGN), token.offset, position))
        return self._postfix(self._primary())

    def _primary(self) -> Node:
        token = self.token
        match token.kind, token.text:
            case "number", _:
                return nodes.constant(number(self.source, self.advance()), token.offset)
            case "string", _:
                return self._string(self.advance())
            case "name", _:
                return self._name(self.advance())
            case "op", "(":
                self.advance()
                node = self._expression(0)
                self.expect(")")
                return node
            case "op", "[":
                self.advance()
                return nodes.sequence(self._items("]"), token.offset)
            case "op", "{":
                return self.value() if self._opens_value() else self._mapping()
            case "op", "#" | ".":
                return self._element()
            case _:
                raise self.unexpected()

    def _element(self) -> Node:
        """``#``, or ``.name`` for ``#.name``."""
        if not self._predicates:
            raise self.unexpected(" (it stands for the element in any, all, filter and map only)")
        node = nodes.element(self.token.offset)
        if self.at("#"):
            self.advance()
        return node

    def _string(self, token: Token) -> Node:
        start, end = token.offset + 1, token.offset + len(token.text) - 1
        if token.text[0] == "`":
            return nodes.constant(self.source.text[start:end], token.offset)
        parts: list[str | Node] = []
        for found in _VALUE_IN_TEXT.finditer(self.source.text, start, end):
            parts.append(unescape(self.source, start, found.start()))
            inner = Parser(self.source, found.start(), found.end(), self._references)
            parts.append(inner.value())
            start = found.end()
        parts.append(unescape(self.source, start, end))
        if len(parts) == 1:
            return nodes.constant(parts[0], token.offset)
        return nodes.text_with_values(parts, token.offset, self.source.at(token.offset))

    def _name(self, token: Token) -> Node:
        name, offset = token.text, token.offset
        if self.at("(") and name not in {"not", "and", "or", "in"}:
            return self._call(name, offset)
        if name in _CONSTANTS:
            return nodes.constant(_CONSTANTS[name], offset)
        if name in NAMESPACES:
            self._references.append(((name,), offset))
            return nodes.root(name, offset)
        if name in _WORDS:
            raise self.source.error(f"unexpected {name!r}", offset)
        if name in _CALLABLE:
            raise self.source.error(f"{name!r} is a function: write {name}(…)", offset)
        hint = did_you_mean(_ELSEWHERE.get(name, name), (*NAMESPACES, *_CONSTANTS, *_CALLABLE))
        part, dash = self.ahead(-3), self.ahead(-2)
        if part.kind == "name" and dash.text == "-":
            hint = f' (write ["{part.text}-{name}"] for a name with a dash)'
        raise self.source.error(f"{name!r} is not defined{hint}", offset, UNKNOWN_NAME)

    def _call(self, name: str, offset: int) -> Node:
        position = self.source.at(offset)
        if name not in _CALLABLE:
            hint = did_you_mean(name, _CALLABLE)
            raise self.source.error(f"there is no function {name!r}{hint}", offset, UNKNOWN_NAME)
        self.expect("(")
        if name in SELECTORS:
            values = self._expression(0)
            self.expect(",")
            predicate = self._predicate()
            self.accept(",")
            self.expect(")")
            return self._checked(nodes.select(name, values, predicate, offset, position))
        arguments = self._items(")")
        function = FUNCTIONS[name]
        if not function.least <= len(arguments) <= function.most:
            raise self.source.error(f"{name}() cannot take {len(arguments)} arguments", offset)
        try:
            return self._checked(nodes.call(name, arguments, offset, position))
        except PatternInvalid as error:
            raise self.source.error(f"invalid pattern: {error}", arguments[1].offset) from None

    def _predicate(self) -> Node:
        self._predicates += 1
        braced = self.at("{") and not self._opens_value()
        if braced:
            self.advance()
        node = self._expression(0)
        if braced:
            self.expect("}")
        self._predicates -= 1
        return node

    def _items(self, close: str) -> list[Node]:
        items: list[Node] = []
        while not self.at(close):
            items.append(self._checked(self._expression(0)))
            if not self.accept(","):
                break
        self.expect(close)
        return items

    def _mapping(self) -> Node:
        offset = self.expect("{").offset
        pairs: list[tuple[str, Node]] = []
        while not self.at("}"):
            key = self.token
            if key.kind not in {"name", "string", "number"}:
                raise self.unexpected(", expected a key")
            self.advance()
            name = (
                key.text
                if key.kind != "string"
                else unescape(self.source, key.offset + 1, key.offset + len(key.text) - 1)
            )
            self.expect(":")
            pairs.append((name, self._expression(0)))
            if not self.accept(","):
                break
        self.expect("}")
        return self._checked(nodes.mapping(pairs, offset))

    def _opens_value(self) -> bool:
        """Whether ``{{`` begins a ``{{…}}`` here, and not a map in the braces of a predicate."""
        after = self.ahead(2)
        if self.ahead() != ("op", "{", self.token.offset + 1):
            return False
        return after.text in {".", "-"} or (after.kind == "name" and self.ahead(3).text != ":")

    def value(self) -> Node:
        """``{{.inputs.x}}``: the value of a path."""
        self.expect("{")
        self.expect("{")
        self.accept("-")
        self.accept(".")
        name = self.advance()
        if name.kind != "name" or name.text not in NAMESPACES:
            hint = did_you_mean(name.text, NAMESPACES)
            raise self.source.error(f"{name.text!r} is not defined{hint}", name.offset, UNKNOWN_NAME)
        self._references.append(((name.text,), name.offset))
        node = self._postfix(nodes.root(name.text, name.offset))
        self.accept("-")
        if not self.at("}"):
            raise self.unexpected(
                ", in {{…}} of an expression only a path such as {{.inputs.name}} can stand"
            )
        self.advance()
        self.expect("}")
        return node

    def _postfix(self, node: Node) -> Node:
        while self.token.kind == "op":
            token = self.token
            if self.accept("["):
                node = self._bracket(node, token.offset)
            elif self.accept(".") or self.accept("?."):
                node = self._bracket(node, token.offset) if self.accept("[") else self._dot(node)
            elif self.at("("):
                raise self.unexpected(" (only functions can be called)")
            else:
                break
            self._checked(node)
        return node

    def _dot(self, node: Node) -> Node:
        token = self.token
        if token.kind != "name":
            raise self.unexpected(", expected a name")
        self.advance()
        return self._member(node, nodes.constant(token.text, token.offset))

    def _bracket(self, node: Node, offset: int) -> Node:
        start = None if self.at(":") else self._expression(0)
        if start is not None and self.accept("]"):
            return self._member(node, start)
        self.expect(":")
        end = None if self.at("]") else self._expression(0)
        self.expect("]")
        return nodes.cut(node, start, end, self.source.at(offset))

    def _member(self, holder: Node, key: Node) -> Node:
        name = key.literal
        if name is not None and names.canonical(holder.space, name) is None:
            what = ".".join(holder.path or (f"a {holder.space}",))
            hint = did_you_mean(name, names.fields(holder.space) or ())
            raise self.source.error(f"{what} has no property {name!r}{hint}", key.offset, UNKNOWN_NAME)
        node = nodes.member(holder, key, self.source.at(key.offset))
        if node.path is not None and holder.path is not None:
            if self._references[-1] == (holder.path, holder.offset):
                self._references.pop()
            self._references.append((node.path, node.offset))
        return node
