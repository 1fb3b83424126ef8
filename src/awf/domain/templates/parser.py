"""Segments to a tree: blocks, variables, definitions."""

from __future__ import annotations

from typing import Literal

from awf.domain.suggest import did_you_mean
from awf.domain.templates import literals, nodes
from awf.domain.templates.faults import SyntaxFault
from awf.domain.templates.lexer import Path, Plain, Token, segments
from awf.domain.templates.pipelines import ActionReader, Surroundings

_ASSIGNMENTS = (":=", "=")
_KEYWORDS = frozenset(("if", "with", "range", "define", "block", "template", "break", "continue"))


def parse(source: str) -> nodes.Tree:
    """The tree of ``source``. Raises SyntaxFault."""
    return _Parser(source).tree()


class _Parser:
    """``_action`` is the reader of the action at hand; ``_consumed`` counts segments and tokens."""

    def __init__(self, source: str) -> None:
        self._segments = segments(source)
        self._surroundings = Surroundings()
        self._action = ActionReader([], self._surroundings)
        self._consumed = 0
        self._definitions: dict[str, nodes.Definition] = {}
        self._includes: list[nodes.Include] = []

    def tree(self) -> nodes.Tree:
        main = self._definition(self._body(0, None)[0])
        for include in self._includes:
            if include.name not in self._definitions:
                hint = did_you_mean(include.name, self._definitions, quote='"')
                raise SyntaxFault(f'template "{include.name}" is not defined{hint}', include.offset)
        return nodes.Tree(main, self._definitions)

    def _definition(self, body: nodes.Body) -> nodes.Definition:
        return nodes.Definition(body, self._surroundings.slots, self._surroundings.height)

    def _body(self, offset: int, opener: str | None) -> tuple[nodes.Body, str]:
        """Nodes up to the ``end`` or ``else`` that closes ``opener`` (None: to the end of the source), and which of
        the two it was; the reader stands behind it."""
        found: list[nodes.Node] = []
        closing = ""
        before = self._consumed
        self._surroundings.blocks.append({})
        for segment in self._segments:
            self._consumed += 1
            if isinstance(segment, Plain):
                found.append(nodes.Literally(segment.offset, segment.text))
                continue
            if isinstance(segment, Path):
                self._consumed += len(segment.names) + 1
                found.append(_printed(segment))
                continue
            self._consumed += len(segment.tokens)
            self._action = ActionReader(segment.tokens, self._surroundings)
            first = segment.tokens[0]
            if first.kind == "identifier" and first.text in ("end", "else"):
                if opener is None:
                    raise SyntaxFault(f"{{{{{first.text}}}}} closes nothing", segment.offset)
                closing = self._action.next().text
                break
            node = self._node(segment.offset, first, top=opener is None)
            if node is not None:
                found.append(node)
        if opener and not closing:
            raise SyntaxFault(f"{{{{{opener}}}}} has no {{{{end}}}}", offset)
        self._surroundings.blocks.pop()
        return nodes.Body(offset, tuple(found), 1 + self._consumed - before), closing

    def _node(self, offset: int, first: Token, *, top: bool) -> nodes.Node | None:
        keyword = first.text
        if first.kind != "identifier" or keyword not in _KEYWORDS:
            return self._plain_action(offset)
        if keyword == "define" and not top:
            raise SyntaxFault("{{define}} cannot stand inside another block", offset)
        self._action.next()
        self._surroundings.enter(offset)
        self._surroundings.blocks.append({})
        node = self._keyword_action(offset, keyword)
        self._surroundings.blocks.pop()
        self._surroundings.leave()
        return node

    def _keyword_action(self, offset: int, keyword: str) -> nodes.Node | None:
        match keyword:
            case "if" | "with":
                return self._branch(offset, keyword)
            case "range":
                return self._range(offset, keyword)
            case "define":
                self._define(offset, keyword)
                return None
            case "block":
                return self._block(offset, keyword)
            case "template":
                return self._include(offset, keyword)
            case _:
                return self._jump(offset, keyword)

    def _plain_action(self, offset: int) -> nodes.Node:
        slot, pipeline = self._assignable_pipeline()
        return nodes.Print(offset, pipeline) if slot is None else nodes.Assign(slot, pipeline)

    def _assignable_pipeline(self) -> tuple[int | None, nodes.Pipeline]:
        """A pipeline to the end of the action, perhaps with ``$x :=`` or ``$x =`` in front, and the slot of that."""
        variable, operator = self._action.peek(), self._action.peek(1).text
        if variable.kind != "variable" or operator not in _ASSIGNMENTS:
            return None, self._action.last_pipeline()
        self._action.next()
        self._action.next()
        pipeline = self._action.last_pipeline()
        return self._slot(variable, operator), pipeline

    def _slot(self, variable: Token, operator: str) -> int:
        if variable.text == "$":
            raise SyntaxFault("$ cannot be assigned", variable.offset)
        if operator == ":=":
            return self._surroundings.declare(variable.text)
        return self._surroundings.slot(variable)

    def _branch(self, offset: int, keyword: str) -> nodes.Branch:
        kind: Literal["if", "with"] = "if" if keyword == "if" else "with"
        arms: list[nodes.Arm] = []
        while True:
            slot, pipeline = self._assignable_pipeline()
            body, closing = self._body(offset, kind)
            arms.append(nodes.Arm(slot, pipeline, body))
            if closing == "end" or self._action.peek().kind == "close":
                return nodes.Branch(kind, tuple(arms), self._otherwise(offset, kind, closing))
            again = self._action.next()
            if again.text != kind:
                raise SyntaxFault(f"{{{{else {again.text}}}}} cannot follow {{{{{kind}}}}}", again.offset)

    def _otherwise(self, offset: int, opener: str, closing: str) -> nodes.Body | None:
        """What stands between ``else``, if ``closing`` is that, and ``end``."""
        self._action.close()
        if closing == "end":
            return None
        place = self._action.peek().offset
        body, closing = self._body(offset, opener)
        if closing != "end":
            raise SyntaxFault(f"{{{{{opener}}}}} goes on after its {{{{else}}}}", place)
        self._action.close()
        return body

    def _range(self, offset: int, keyword: str) -> nodes.Range:
        key: Token | None = None
        if self._action.peek().kind == "variable" and self._action.peek(1).text == ",":
            key = self._action.next()
            self._action.next()
            if self._action.peek().kind != "variable" or self._action.peek(1).text not in _ASSIGNMENTS:
                raise SyntaxFault(
                    "two variables are given like this: range $index, $value := .list", key.offset
                )
        operator = self._action.peek(1).text
        value_slot, pipeline = self._assignable_pipeline()
        key_slot = self._slot(key, operator) if key else None
        self._surroundings.loops += 1
        body, closing = self._body(offset, keyword)
        self._surroundings.loops -= 1
        otherwise = self._otherwise(offset, keyword, closing)
        return nodes.Range(offset, key_slot, value_slot, pipeline, body, otherwise)

    def _define(self, offset: int, keyword: str) -> None:
        name = self._name(keyword)
        self._action.close()
        self._definition_of(name, offset, keyword)

    def _block(self, offset: int, keyword: str) -> nodes.Include:
        name = self._name(keyword)
        include = nodes.Include(offset, name, self._action.last_pipeline())
        self._definition_of(name, offset, keyword)
        return include

    def _definition_of(self, name: str, offset: int, keyword: str) -> None:
        outer, self._surroundings = self._surroundings, Surroundings(self._surroundings.nesting)
        body, closing = self._body(offset, keyword)
        if closing != "end":
            raise SyntaxFault(f"{{{{else}}}} cannot stand in {{{{{keyword}}}}}", self._action.peek().offset)
        self._action.close()
        if name in self._definitions:
            raise SyntaxFault(f'template "{name}" is defined twice', offset)
        self._definitions[name] = self._definition(body)
        self._surroundings = outer

    def _include(self, offset: int, keyword: str) -> nodes.Include:
        name = self._name(keyword)
        pipeline = None if self._action.peek().kind == "close" else self._action.last_pipeline()
        include = nodes.Include(offset, name, pipeline)
        self._includes.append(include)
        return include

    def _name(self, keyword: str) -> str:
        token = self._action.next()
        if token.kind != "text":
            raise SyntaxFault(f"{{{{{keyword}}}}} takes a name in quotes", token.offset)
        return literals.text(token.text, token.offset)

    def _jump(self, offset: int, keyword: str) -> nodes.Jump:
        if not self._surroundings.loops:
            raise SyntaxFault(f"{{{{{keyword}}}}} stands outside of {{{{range}}}}", offset)
        self._action.close()
        return nodes.Jump("break" if keyword == "break" else "continue")


def _printed(path: Path) -> nodes.Print:
    start = path.start
    base = nodes.WholeScope(start) if path.dotless else nodes.Dot(start)
    return nodes.Print(path.offset, nodes.Pipeline(start, nodes.Chain(start, base, path.names), ()))
