"""The tokens of one action to pipelines, commands and operands."""

from __future__ import annotations

from awf.domain.scope import NAMESPACES
from awf.domain.suggest import did_you_mean
from awf.domain.templates import literals, nodes
from awf.domain.templates.faults import SyntaxFault
from awf.domain.templates.functions import FUNCTIONS, Function
from awf.domain.templates.lexer import Token

MAX_NESTING = 64
"""How deep blocks and parentheses may nest, together: the bound on every recursion over a template."""

_CONSTANTS = {"true": True, "false": False, "nil": None}


class Surroundings:
    """What holds around an action: how deep it stands, and the variables and loops of the template it is in.

    ``slots`` counts the variables of that template, ``height`` is the deepest nesting seen in it.
    """

    __slots__ = ("_base", "blocks", "height", "loops", "nesting", "slots")

    def __init__(self, nesting: int = 0) -> None:
        self.nesting = self._base = nesting
        self.height = 0
        self.loops = 0
        self.slots = 1
        self.blocks: list[dict[str, int]] = [{"$": 0}]

    def enter(self, offset: int) -> None:
        self.nesting += 1
        self.height = max(self.height, self.nesting - self._base)
        if self.nesting > MAX_NESTING:
            raise SyntaxFault(f"blocks and parentheses nest deeper than {MAX_NESTING}", offset)

    def leave(self) -> None:
        self.nesting -= 1

    def declare(self, name: str) -> int:
        slot = self.slots
        self.slots += 1
        self.blocks[-1][name] = slot
        return slot

    def slot(self, variable: Token) -> int:
        for block in reversed(self.blocks):
            if variable.text in block:
                return block[variable.text]
        declared = {name for block in self.blocks for name in block if name != "$"}
        hint = did_you_mean(variable.text, declared, quote="")
        raise SyntaxFault(f"undefined variable {variable.text}{hint}", variable.offset)


class ActionReader:
    """Reads the tokens of an action from left to right. All methods raise SyntaxFault."""

    __slots__ = ("_at", "_surroundings", "_tokens")

    def __init__(self, tokens: list[Token], surroundings: Surroundings) -> None:
        self._tokens = tokens
        self._surroundings = surroundings
        self._at = 0

    def peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def next(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def close(self) -> None:
        """The action must end here."""
        if self.peek().kind != "close":
            raise _unexpected(self.peek())

    def last_pipeline(self) -> nodes.Pipeline:
        """A pipeline that ends with the action."""
        pipeline = self._pipeline()
        self.close()
        return pipeline

    def _pipeline(self) -> nodes.Pipeline:
        offset = self.peek().offset
        first = self._command()
        rest: list[nodes.Call] = []
        while self.peek().text == "|":
            self.next()
            token = self.peek()
            if token.kind != "identifier" or token.text in NAMESPACES or token.text in _CONSTANTS:
                raise SyntaxFault("only a function can stand after |", token.offset)
            rest.append(self._call(piped=1))
        return nodes.Pipeline(offset, first, tuple(rest))

    def _command(self) -> nodes.Expression:
        token = self.peek()
        if token.kind == "identifier" and token.text in FUNCTIONS:
            return self._call(piped=0)
        operand = self._operand()
        if not self._command_ends():
            following = self.peek()
            if not following.spaced:
                raise _unexpected(following)
            raise SyntaxFault(f"{token.text} is not a function and takes no arguments", following.offset)
        return operand

    def _call(self, piped: int) -> nodes.Call:
        name = self.next()
        function = _function(name)
        arguments: list[nodes.Expression] = []
        while not self._command_ends():
            if not self.peek().spaced:
                raise _unexpected(self.peek())
            arguments.append(self._operand())
        _check_count(function, len(arguments) + piped, name.offset)
        return nodes.Call(name.offset, function, tuple(arguments))

    def _command_ends(self) -> bool:
        token = self.peek()
        return token.kind == "close" or (token.kind == "mark" and token.text in "|)")

    def _operand(self) -> nodes.Expression:
        token = self.next()
        base = self._term(token)
        following = self.peek()
        if following.kind == "field" and not following.spaced:
            if isinstance(base, nodes.Constant | nodes.Dot):
                raise _unexpected(following)
            root, names = (base.base, list(base.names)) if isinstance(base, nodes.Chain) else (base, [])
            while self.peek().kind == "field" and not self.peek().spaced:
                names.append(self.next().text[1:])
            return nodes.Chain(token.offset, root, tuple(names))
        return base

    def _term(self, token: Token) -> nodes.Expression:
        match token.kind:
            case "field":
                return nodes.Chain(token.offset, nodes.Dot(token.offset), (token.text[1:],))
            case "identifier":
                return _identifier(token)
            case "text":
                return nodes.Constant(token.offset, literals.text(token.text, token.offset))
            case "number":
                return nodes.Constant(token.offset, literals.number(token.text, token.offset))
            case "variable":
                return nodes.Variable(token.offset, token.text, self._surroundings.slot(token))
            case "character":
                return nodes.Constant(token.offset, literals.character(token.text, token.offset))
        if token.text == ".":
            return nodes.Dot(token.offset)
        if token.text != "(":
            raise _unexpected(token)
        self._surroundings.enter(token.offset)
        pipeline = self._pipeline()
        if self.peek().text != ")":
            raise SyntaxFault("the parenthesis is not closed", token.offset)
        self.next()
        self._surroundings.leave()
        return pipeline


def _identifier(token: Token) -> nodes.Expression:
    if token.text in NAMESPACES:
        return nodes.Chain(token.offset, nodes.WholeScope(token.offset), (token.text,))
    if token.text in _CONSTANTS:
        return nodes.Constant(token.offset, _CONSTANTS[token.text])
    function = _function(token)
    if function.least:
        raise SyntaxFault(f"{token.text} with its arguments must stand in parentheses here", token.offset)
    return nodes.Call(token.offset, function, ())


def _function(token: Token) -> Function:
    function = FUNCTIONS.get(token.text)
    if function is None:
        hint = did_you_mean(token.text, (*FUNCTIONS, *NAMESPACES), quote="")
        raise SyntaxFault(f"function {token.text} is not defined{hint}", token.offset)
    return function


def _check_count(function: Function, count: int, offset: int) -> None:
    if count >= function.least and (function.most is None or count <= function.most):
        return
    if function.most is None:
        wanted = f"at least {function.least}"
    elif function.most > function.least:
        wanted = f"{function.least} to {function.most}"
    else:
        wanted = str(function.least)
    plural = "" if wanted.endswith(" 1") or wanted == "1" else "s"
    raise SyntaxFault(f"{function.name} takes {wanted} argument{plural}, not {count}", offset)


def _unexpected(token: Token) -> SyntaxFault:
    if token.kind == "close":
        return SyntaxFault("a value is missing before }}", token.offset)
    text = token.text if len(token.text) <= 40 else token.text[:40] + "…"
    return SyntaxFault(f"unexpected {text}", token.offset)
